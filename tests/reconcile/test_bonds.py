"""Bonds: from the database to the maps and back, on a kernel made of dictionaries."""

from __future__ import annotations

from typing import Any

from jackfield.datapath._abi import Bond, BondFlag, BondMode, BridgeFlag, Limit, NameKind, PortFlag
from jackfield.reconcile.desired import desired
from jackfield.reconcile.presence import presence
from jackfield.reconcile.steps import ChangeFdb, Table, Write
from jackfield.reconcile.target import seated
from tests.reconcile.world import FakeKernel, bridge, nic, patch, port, snapshot


def bond(name: str, *members: str, **columns: Any) -> dict[str, Any]:
    """A Port of several system interfaces."""
    made = port(name, "system", **columns)
    made["members"] = [{"name": each, "type": "", "options": {}, "ofport": None} for each in members]
    return made


def kernel(*names: str) -> FakeKernel:
    return FakeKernel.with_nics(*(nic(number, name) for number, name in enumerate(names, 2)))


def the_bond(world: FakeKernel) -> Bond:
    (found,) = world.tables.bonds.values()
    return found


def members(world: FakeKernel) -> dict[int, str]:
    """The names of the bond's members by place."""
    names = {key.id: value.name for key, value in world.tables.names.items() if key.kind == NameKind.IFACE}
    return {at: names[member] for at, member in enumerate(the_bond(world).members) if member}


def test_a_port_of_two_interfaces_is_a_bond_and_floods_once() -> None:
    world = kernel("eth0", "eth1")
    wanted = snapshot(bridge("br0", bond("bond0", "eth0", "eth1")))
    world.reconcile(wanted)
    assert members(world) == {0: "eth0", 1: "eth1"}
    (number,) = world.tables.bonds
    made = next(each for each in world.tables.ports.values() if each.flags & PortFlag.BOND)
    assert (made.iface, made.iface_count) == (number, 2)
    assert sorted(world.floods()["br0", Limit.ANY_VLAN]) == ["bond0", "br0"]
    assert {ifindex: each.member for ifindex, each in world.tables.ingress.items() if ifindex < 100} == {
        2: 0,
        3: 1,
    }
    assert all(each.flags & BridgeFlag.BONDED for each in world.tables.bridges.values())
    assert world.reconcile(wanted) == []


def test_a_bond_s_device_needs_a_name_that_devices_can_have() -> None:
    world = kernel("eth0", "eth1")
    wanted = snapshot(bridge("br0", bond("a-bond-with-a-long-name", "eth0", "eth1", bond_fake_iface=True)))
    world.reconcile(wanted)
    assert "longer than 15 bytes" in desired(wanted).warnings[0].text
    assert world.reconcile(wanted) == []


def test_modes_and_options_reach_the_data_plane() -> None:
    world = kernel("eth0", "eth1")
    options = {"bond-hash-basis": "7", "lacp-fallback-ab": "true"}
    columns = {"bond_mode": "balance-tcp", "lacp": "active", "other_config": options}
    world.reconcile(snapshot(bridge("br0", bond("bond0", "eth0", "eth1", **columns))))
    made = the_bond(world)
    assert (made.mode, made.basis) == (BondMode.BALANCE_TCP, 7)
    assert made.flags == BondFlag.LACP | BondFlag.FALLBACK_AB | BondFlag.FOLLOW_CARRIER
    flags = [each.flags for each in world.tables.ports.values() if each.flags & PortFlag.BOND]
    assert flags == [PortFlag.BOND | PortFlag.LACP]


def test_the_kernel_s_word_on_carrier_waits_where_a_delay_is_asked_for() -> None:
    world = kernel("eth0", "eth1")
    world.reconcile(snapshot(bridge("br0", bond("bond0", "eth0", "eth1", bond_downdelay=100))))
    assert not the_bond(world).flags & BondFlag.FOLLOW_CARRIER


def test_a_plain_port_with_lacp_is_no_bond() -> None:
    world = kernel("eth0")
    world.reconcile(snapshot(bridge("br0", port("eth0", "system", lacp="active"))))
    assert world.tables.bonds == {}
    assert [each.flags for each in world.tables.ports.values()].count(PortFlag.LACP) == 1


def test_a_member_that_is_not_there_yet_takes_its_place_when_it_comes() -> None:
    world = kernel("eth0")
    wanted = snapshot(bridge("br0", bond("bond0", "eth0", "eth1")))
    world.reconcile(wanted)
    assert members(world) == {0: "eth0"}
    problems = presence(desired(wanted), world.observe()).problems
    assert [text for owner, text in problems.items() if owner.name == "eth1"] == [
        "could not open network device eth1 (No such device)"
    ]
    world.links[9] = nic(9, "eth1")
    world.reconcile(wanted)
    assert members(world) == {0: "eth0", 1: "eth1"}


def test_members_keep_their_places_while_others_come_and_go() -> None:
    world = kernel("eth0", "eth1", "eth2")
    world.reconcile(snapshot(bridge("br0", bond("bond0", "eth0", "eth1", "eth2"))))
    world.reconcile(snapshot(bridge("br0", bond("bond0", "eth1", "eth2"))))
    assert members(world) == {1: "eth1", 2: "eth2"}
    world.reconcile(snapshot(bridge("br0", bond("bond0", "eth0", "eth1", "eth2"))))
    assert members(world) == {0: "eth0", 1: "eth1", 2: "eth2"}


def test_a_port_becomes_a_bond_and_a_port_again_without_forgetting_addresses() -> None:
    world = kernel("eth0", "eth1")
    plain = snapshot(bridge("br0", port("eth0", "system")))
    bonded = snapshot(bridge("br0", bond("eth0", "eth0", "eth1")))
    world.reconcile(plain)
    there = world.reconcile(bonded)
    back = world.reconcile(plain)
    assert not [step for step in there + back if isinstance(step, ChangeFdb)]
    assert world.tables.bonds == {}
    assert NameKind.BOND not in {key.kind for key in world.tables.names}
    assert world.reconcile(plain) == []


def test_a_bond_is_whole_before_a_frame_can_leave_by_it() -> None:
    world = kernel("eth0", "eth1")
    world.reconcile(snapshot(bridge("br0", port("eth0", "system"))))
    done = world.reconcile(snapshot(bridge("br0", bond("eth0", "eth0", "eth1"))))
    order = [step.table for step in done if isinstance(step, Write)]
    assert order.index(Table.IFACES) < order.index(Table.BONDS) < order.index(Table.PORTS)


def test_what_cannot_be_a_member_says_so_and_leaves_the_others() -> None:
    made = bond("bond0", "eth0", "br0")
    made["members"] += patch("p0", "p1")["members"]
    wanted = desired(snapshot(bridge("br0", made, local=False)))
    errors = {each.name: each.error for each in wanted.bridges[0].ports[-1].interfaces}
    assert errors == {
        "br0": "could not add network device br0 to bond bond0 (it is the bridge's own port)",
        "eth0": None,
        "p0": "could not add p0 to bond bond0 (a patch port cannot be a member)",
    }


def test_there_is_room_for_so_many_members_and_no_more() -> None:
    many = list(range(1, Limit.MAX_MEMBERS + 3))
    assert seated((), many) == tuple(many[: Limit.MAX_MEMBERS])
    assert seated((5, 0, 7), [7, 9, 8])[:3] == (9, 8, 7)
