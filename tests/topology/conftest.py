from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.topology.house import EMPTY, House, new_house


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with new_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def house(shared_house: House) -> Iterator[House]:
    """A host whose switch has no bridges, and no namespaces."""
    before = shared_house.do("ip -o link | sed 's/:.*//' | wc -l")
    yield shared_house
    shared_house.apply(EMPTY, "--prune")
    shared_house.do("ip netns list | while read -r name rest; do ip netns delete $name; done")
    shared_house.do("ip -o link | grep -o 'jft[a-z0-9]*' | sort -u | xargs -r -n 1 ip link delete || true")
    assert shared_house.do("ip -o link | sed 's/:.*//' | wc -l") == before
