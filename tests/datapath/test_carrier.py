"""The kernel itself sees to it that a bond leaves a member without a link."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jackfield.datapath import _abi
from jackfield.datapath._abi import BondFlag, PortFlag, UpcallKind
from jackfield.datapath.store import Datapath
from tests.datapath.world import entered, run
from tests.netlab import until

MEMBERS = (5, 6) + (0,) * 30
BOND, PORT = 1, 3


@pytest.fixture
def watched(open_datapath: Callable[..., Datapath]) -> Datapath:
    """A data plane with a bond of the devices m0 and m1, whose cables end at far0 and far1."""
    datapath = open_datapath()
    assert datapath.follows_carrier, "this kernel has no trampolines for BPF"
    datapath.bonds.set(BOND, _abi.Bond(flags=int(BondFlag.FOLLOW_CARRIER), members=MEMBERS))
    datapath.ports.set(PORT, _abi.Port(bridge=1, flags=int(PortFlag.BOND), iface=BOND))
    for at in (0, 1):
        run("ip", "link", "add", f"m{at}", "type", "veth", "peer", "name", f"far{at}")
        run("ip", "link", "set", f"m{at}", "up")
        run("ip", "link", "set", f"far{at}", "up")
    links = {link.name: link.ifindex for link in datapath.devices.list_links()}
    for at in (0, 1):
        datapath.ingress.set(links[f"m{at}"], _abi.Ingress(MEMBERS[at], PORT, at))
    return datapath


def down(datapath: Datapath) -> int:
    bond = datapath.bonds.get(BOND)
    assert bond is not None
    return bond.down


def test_a_member_whose_cable_is_pulled_is_down_at_once_and_up_again(watched: Datapath) -> None:
    run("ip", "link", "set", "far1", "down")
    assert down(watched) == 0b10
    run("ip", "link", "set", "far1", "up")
    until(lambda: down(watched) == 0)
    told = [(call.kind, call.iface, call.length) for call in watched.upcalls.read()]
    assert told == [(UpcallKind.CARRIER, 6, 0), (UpcallKind.CARRIER, 6, 1)]


def test_a_member_that_is_set_down_is_down_at_once(watched: Datapath) -> None:
    run("ip", "link", "set", "m0", "down")
    assert down(watched) == 0b01
    run("ip", "link", "set", "m0", "up")
    until(lambda: down(watched) == 0)


def test_a_device_of_that_number_in_another_namespace_is_not_meant(
    watched: Datapath, make_namespace: Callable[[], str]
) -> None:
    links = {link.name: link.ifindex for link in watched.devices.list_links()}
    with entered(f"/run/netns/{make_namespace()}"):
        run("ip", "link", "add", "x", "index", str(links["m0"]), "type", "veth", "peer", "name", "y")
        run("ip", "link", "set", "x", "up")
        run("ip", "link", "set", "y", "up")
        run("ip", "link", "set", "y", "down")
    assert down(watched) == 0


def test_a_bond_with_a_delay_waits_for_the_control_plane(watched: Datapath) -> None:
    watched.bonds.set(BOND, _abi.Bond(members=MEMBERS))
    run("ip", "link", "set", "far1", "down")
    assert down(watched) == 0


def test_links_are_watched_after_the_process_has_ended(
    watched: Datapath, open_datapath: Callable[..., Datapath]
) -> None:
    watched.close()
    run("ip", "link", "set", "far1", "down")
    later = open_datapath()
    assert down(later) == 0b10
    run("ip", "link", "set", "far1", "up")
    until(lambda: down(later) == 0)
