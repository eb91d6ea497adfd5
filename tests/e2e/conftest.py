"""A switch for each file of tests, empty again after each test; nothing of it left in the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.switch import Switch, new_switch
from tests.netlab import Lab, leftovers, until


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    assert not leftovers()


@pytest.fixture(scope="module")
def shared_switch() -> Iterator[Switch]:
    with new_switch() as switch:
        yield switch


@pytest.fixture
def switch(shared_switch: Switch) -> Iterator[Switch]:
    """A switch without bridges, in a laboratory of the test's own."""
    with Lab() as lab:
        switch = Switch(lab, shared_switch.daemon, shared_switch.host)
        before = switch.host.devices()
        try:
            yield switch
        finally:
            bridges = switch.vsctl("list-br").split()
            words = [word for bridge in bridges for word in ("--", "--if-exists", "del-br", bridge)]
            switch.vsctl("clear", "Open_vSwitch", ".", "other_config", *words)
    # A pair whose far end died with its namespace goes when the kernel gets to it.
    until(
        lambda: switch.host.devices() == before, what=lambda: f"{before} (there are {switch.host.devices()})"
    )


@pytest.fixture
def no_warnings(switch: Switch) -> Iterator[None]:
    """Fails a test in which the daemon warned: normal work gives no reason to."""
    before = len(switch.daemon.log_warnings())
    yield
    assert switch.daemon.log_warnings()[before:] == []
