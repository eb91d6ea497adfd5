"""Real kernel, own world: each test that asks for `namespace` runs inside a network namespace of its own."""

from __future__ import annotations

import itertools
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jackfield.datapath import bpffs
from jackfield.datapath.store import AttachMode, Datapath
from jackfield.net.netdev import Devices
from tests.datapath.world import entered, run

NUMBERS = itertools.count()

# Kernels for small virtual machines may lack trampolines for BPF; those emulated for tests have them.
collect_ignore = [] if "JACKFIELD_TEST_PATIENCE" in os.environ else ["test_carrier.py"]


HAS_TCX = tuple(int(part) for part in platform.release().split(".")[:2]) >= (6, 6)
MODES = [pytest.param(AttachMode.TCX, marks=pytest.mark.tcx), AttachMode.CLS_BPF]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if HAS_TCX or item.get_closest_marker("tcx") is None]


@pytest.fixture
def make_namespace() -> Iterator[Callable[[], str]]:
    made: list[str] = []

    def make() -> str:
        made.append(f"jft{os.getpid()}n{next(NUMBERS)}")
        run("ip", "netns", "add", made[-1])
        return made[-1]

    yield make
    for name in made:
        run("ip", "netns", "del", name)


@pytest.fixture
def namespace(make_namespace: Callable[[], str]) -> Iterator[str]:
    """The name of the namespace that the test runs in."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    name = make_namespace()
    with entered(f"/run/netns/{name}"):
        yield name


@pytest.fixture
def devices(namespace: str) -> Iterator[Devices]:
    assert namespace
    with Devices.open() as opened:
        yield opened


@pytest.fixture
def pins(namespace: str) -> Iterator[Path]:
    assert namespace
    root = bpffs.lasting() / f"jft{os.getpid()}p{next(NUMBERS)}"
    yield root
    bpffs.remove_tree(root)


@pytest.fixture
def open_datapath(pins: Path) -> Iterator[Callable[..., Datapath]]:
    """Datapath.open in a folder of the test's own; what the test leaves open is closed."""
    opened: list[Datapath] = []

    def open_(mode: AttachMode | None = None, record: bool = False) -> Datapath:
        opened.append(Datapath.open("jft0", root=pins, mode=mode, record=record))
        return opened[-1]

    yield open_
    for datapath in opened:
        if not datapath.closed:
            datapath.close()


@pytest.fixture(params=MODES, ids=lambda mode: mode.value)
def mode(request: pytest.FixtureRequest) -> AttachMode:
    chosen: AttachMode = request.param
    return chosen
