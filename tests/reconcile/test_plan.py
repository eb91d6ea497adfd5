"""From what is there to what is wanted, in which order."""

from __future__ import annotations

from dataclasses import replace

from jackfield.datapath._abi import FdbOp, IfaceFlag, Limit, NameKey, NameKind
from jackfield.datapath.naming import stable_mac
from jackfield.net.pair import PairKind
from jackfield.reconcile.desired import desired
from jackfield.reconcile.devices import plan_devices
from jackfield.reconcile.observed import Observed, Pair
from jackfield.reconcile.plan import plan_maps
from jackfield.reconcile.steps import (
    Attach,
    ChangeFdb,
    CreatePair,
    DeleteDevice,
    Detach,
    Owner,
    SetMac,
    SetMtu,
    SetPromiscuous,
    Step,
    Table,
    Write,
    WriteCells,
)
from tests.reconcile.world import INSTANCE, FakeKernel, bridge, nic, patch, port, snapshot

ANY = int(Limit.ANY_VLAN)


def places(steps: list[Step], *wanted: type[Step] | Table) -> list[int]:
    """Where the first step of each sort is."""
    return [
        next(
            at
            for at, step in enumerate(steps)
            if (isinstance(step, Write) and step.table is sort)
            or (isinstance(sort, type) and isinstance(step, sort))
        )
        for sort in wanted
    ]


def test_a_new_port_is_complete_before_frames_can_reach_it() -> None:
    steps = FakeKernel.with_nics(nic(2, "eth0")).reconcile(snapshot(bridge("br0", port("eth0", ""))))
    order = places(
        steps,
        CreatePair,
        Table.NAMES,
        Table.BRIDGES,
        Table.PORTS,
        Table.IFACES,
        WriteCells,
        Table.FLOOD_LISTS,
        Table.INGRESS,
        Attach,
        SetPromiscuous,
    )
    assert order == sorted(order)


def test_a_port_that_goes_is_out_of_reach_before_it_is_taken_apart() -> None:
    kernel = FakeKernel()
    kernel.reconcile(snapshot(bridge("br0", port("p"))))
    steps = kernel.reconcile(snapshot(bridge("br0")))
    order = places(
        steps,
        Table.INGRESS,
        Table.FLOOD_LISTS,
        ChangeFdb,
        Table.PORTS,
        Table.IFACES,
        DeleteDevice,
        Detach,
        Table.NAMES,
    )
    assert order == sorted(order)
    assert {"br0", "p"} & {link.name for link in kernel.links.values()} == {"br0"}


def test_a_network_card_that_goes_is_detached_before_anything_else_is_taken_apart() -> None:
    kernel = FakeKernel.with_nics(nic(2, "eth0"))
    kernel.reconcile(snapshot(bridge("br0", port("eth0", ""))))
    steps = kernel.reconcile(snapshot(bridge("br0")))
    order = places(steps, Table.INGRESS, Detach, Table.FLOOD_LISTS, ChangeFdb, Table.PORTS, SetPromiscuous)
    assert order == sorted(order)


def test_removing_everything_leaves_nothing() -> None:
    kernel = FakeKernel.with_nics(nic(2, "eth0"))
    kernel.reconcile(snapshot(bridge("br0", port("eth0", ""), port("p", tag=3))))
    kernel.reconcile(snapshot())
    assert kernel.links == {2: nic(2, "eth0")}
    assert not kernel.attached
    tables = replace(kernel.tables, cells={})
    assert not any(getattr(tables, name) for name in type(tables).__dataclass_fields__)


def test_what_was_promiscuous_before_stays_so() -> None:
    before = nic(2, "eth0", promiscuous=True)
    kernel = FakeKernel.with_nics(before, nic(3, "eth1"))
    kernel.reconcile(snapshot(bridge("br0", port("eth0", ""), port("eth1", ""))))
    assert {link.name: link.promiscuous for link in kernel.links.values() if link.name[:3] == "eth"} == {
        "eth0": True,
        "eth1": True,
    }
    kernel.reconcile(snapshot())
    assert kernel.links == {2: before, 3: nic(3, "eth1")}


def test_ids_stay_with_their_names_and_are_not_reused_at_once() -> None:
    kernel = FakeKernel()
    kernel.reconcile(snapshot(bridge("br0", port("a"), port("b"))))

    def ids() -> dict[str, int]:
        names = kernel.tables.names.items()
        return {value.name: key.id for key, value in names if key.kind == NameKind.PORT}

    assert set(ids().values()) == {1, 2, 3}
    before = ids()
    kernel.reconcile(snapshot(bridge("br0", port("b"), port("c"))))
    assert ids() == {"br0": before["br0"], "b": before["b"], "c": 4}
    kernel.reconcile(snapshot(bridge("br0", port("b"), port("c"), port("d"))))
    assert ids()["d"] == before["a"]


def test_ports_of_a_vlan_are_listed_with_untagged_ones_first() -> None:
    kernel = FakeKernel()
    kernel.reconcile(
        snapshot(
            bridge(
                "br0",
                port("acc", tag=10),
                port("any"),
                port("nat", tag=10, vlan_mode="native-untagged", trunks={10, 20}),
                port("some", trunks={10}),
                port("tun", tag=30, vlan_mode="dot1q-tunnel"),
            )
        )
    )
    assert kernel.floods() == {
        ("br0", 10): ("acc", "nat", "any", "br0", "some"),
        ("br0", 20): ("any", "br0", "nat"),
        ("br0", 30): ("tun", "any", "br0"),
        ("br0", ANY): ("any", "br0"),
    }


def test_a_native_vlan_port_without_trunks_carries_all_but_vlan_zero() -> None:
    kernel = FakeKernel()
    kernel.reconcile(snapshot(bridge("br0", port("n", tag=5, vlan_mode="native-tagged"))))
    assert kernel.floods() == {("br0", 0): ("br0",), ("br0", ANY): ("br0", "n")}


def test_a_vlan_that_nobody_carries_has_an_empty_list() -> None:
    kernel = FakeKernel()
    native = port("br0", tag=5, vlan_mode="native-tagged")
    kernel.reconcile(snapshot(bridge("br0", native, local=False)))
    assert kernel.floods() == {("br0", 0): (), ("br0", ANY): ("br0",)}


def test_equal_lists_share_their_cells() -> None:
    kernel = FakeKernel()
    trunk = port("br0", trunks=range(1, 101))
    kernel.reconcile(snapshot(bridge("br0", trunk, port("p", trunks=range(1, 101)), local=False)))
    assert len(kernel.tables.flood_lists) == 100
    assert len(set(kernel.tables.flood_lists.values())) == 1


def test_cells_in_use_are_not_written() -> None:
    kernel = FakeKernel()
    ports = [port(f"p{number}", tag=number % 3) for number in range(9)]
    kernel.reconcile(snapshot(bridge("br0", *ports)))
    used = {
        at
        for head in kernel.tables.flood_lists.values()
        for at in range(head.start, head.start + head.count_)
    }
    steps = list(kernel.plan(desired(snapshot(bridge("br0", *ports[2:], port("new"))))))
    written = {
        at for s in steps if isinstance(s, WriteCells) for at in range(s.start, s.start + len(s.ports))
    }
    assert written
    assert not written & used


def test_new_vlan_settings_make_a_port_learn_anew_and_no_other() -> None:
    kernel = FakeKernel()
    kernel.reconcile(snapshot(bridge("br0", port("a", tag=1), port("b", tag=1))))
    steps = kernel.reconcile(snapshot(bridge("br0", port("a", tag=2), port("b", tag=1))))
    assert [(s.op, s.owner) for s in steps if isinstance(s, ChangeFdb)] == [
        (FdbOp.PURGE_PORT, Owner("Port", "a"))
    ]


def test_protections_come_before_the_flag_that_has_them_asked_for_and_forget_no_address() -> None:
    kernel = FakeKernel()
    bare, guarded = (
        snapshot(bridge("br0", port("a", other_config=options))) for options in ({}, {"mac-limit": "3"})
    )
    kernel.reconcile(bare)
    on, off = kernel.reconcile(guarded), kernel.reconcile(bare)
    assert [step.table for step in on if isinstance(step, Write)] == [Table.GUARDS, Table.PORTS]
    assert [step.table for step in off if isinstance(step, Write)] == [Table.PORTS, Table.GUARDS]
    assert len(on) == len(off) == 2


def test_a_port_that_changes_bridge_leaves_the_old_lists_before_it_belongs_to_the_new_one() -> None:
    kernel = FakeKernel()
    kernel.reconcile(snapshot(bridge("br0", port("p"), port("q")), bridge("br1")))
    steps = kernel.reconcile(snapshot(bridge("br0", port("q")), bridge("br1", port("p"))))
    order = places(steps, Table.FLOOD_LISTS, Table.PORTS, ChangeFdb)
    assert order == sorted(order)
    assert kernel.floods() == {("br0", ANY): ("br0", "q"), ("br1", ANY): ("p", "br1")}
    assert not any(isinstance(step, CreatePair | DeleteDevice) for step in steps)


def test_other_flooded_vlans_empty_the_bridges_table() -> None:
    kernel = FakeKernel()
    kernel.reconcile(snapshot(bridge("br0")))
    steps = kernel.reconcile(snapshot(bridge("br0", flood_vlans=frozenset({7}))))
    assert [s.op for s in steps if isinstance(s, ChangeFdb)] == [FdbOp.FLUSH_BRIDGE]


def test_a_device_of_another_owner_is_not_touched() -> None:
    kernel = FakeKernel.with_nics(nic(2, "p"))
    wanted = desired(snapshot(bridge("br0", port("p"))))
    plan = plan_devices(wanted, kernel.observe())
    assert dict(plan.problems) == {
        Owner("Interface", "p"): "could not open network device p (it exists and is not the switch's)"
    }
    assert [s.name for s in plan.steps if isinstance(s, CreatePair)] == ["br0"]


def test_a_port_is_made_of_veth_unless_it_says_otherwise() -> None:
    asked = port("q", interface={"other_config": {"device-kind": "prefer-netkit"}})
    steps = plan_devices(desired(snapshot(bridge("br0", port("p"), asked))), FakeKernel().observe()).steps
    assert {step.name: step.kinds for step in steps if isinstance(step, CreatePair)} == {
        "br0": (PairKind.VETH,),
        "p": (PairKind.VETH,),
        "q": (PairKind.NETKIT, PairKind.VETH),
    }


def test_a_pair_left_without_its_mark_is_made_again() -> None:
    kernel = FakeKernel()
    kernel.reconcile(snapshot(bridge("br0")))
    half = next(link for link in kernel.links.values() if link.alias)
    kernel.links[half.ifindex] = replace(half, alias="")
    plan = plan_devices(desired(snapshot(bridge("br0"))), kernel.observe())
    assert [(s.name, s.switch_end) for s in plan.steps if isinstance(s, CreatePair)] == [("br0", half.name)]


def test_missing_and_unsuitable_devices_are_explained() -> None:
    kernel = FakeKernel.with_nics(
        nic(1, "lo", loopback=True, arp_type=772),
        nic(2, "docker0", kind="bridge"),
        nic(3, "eth1", master=2, slave_kind="bridge"),
    )
    wanted = desired(snapshot(bridge("br0", port("eth0", ""), port("eth1", ""), port("lo", ""))))
    problems = {owner.name: text for owner, text in plan_maps(wanted, kernel.observe()).problems}
    assert problems["eth0"] == "could not open network device eth0 (No such device)"
    assert "Device or resource busy: it belongs to bridge docker0" in problems["eth1"]
    assert "Invalid argument" in problems["lo"]


def test_a_device_that_goes_and_comes_back_is_picked_up() -> None:
    kernel = FakeKernel.with_nics(nic(2, "eth0"))
    tables = snapshot(bridge("br0", port("eth0", "")))
    kernel.reconcile(tables)
    kernel.remove(2)
    kernel.reconcile(tables)
    assert kernel.floods() == {("br0", ANY): ("br0",)}
    kernel.links[9] = nic(9, "eth0")
    kernel.reconcile(tables)
    assert len(kernel.floods()["br0", ANY]) == 2
    assert 9 in kernel.attached
    assert 2 not in kernel.tables.ingress
    assert not kernel.reconcile(tables)


def test_patch_ports_know_each_other_by_id() -> None:
    kernel = FakeKernel()
    kernel.reconcile(snapshot(bridge("br0", patch("a", "b")), bridge("br1", patch("b", "a"))))
    ids = {v.name: k.id for k, v in kernel.tables.names.items() if k.kind == NameKind.IFACE}
    assert kernel.tables.ifaces[ids["a"]].peer == ids["b"]
    assert kernel.tables.ifaces[ids["b"]].peer == ids["a"]
    kernel.reconcile(snapshot(bridge("br0", patch("a", "b")), bridge("br1")))
    assert kernel.tables.ifaces[ids["a"]].peer == 0


def test_the_bridge_takes_the_lowest_global_mac_and_gives_it_to_its_local_port() -> None:
    kernel = FakeKernel.with_nics(
        nic(2, "eth0", "00:20:00:00:00:02"),
        nic(3, "eth1", "00:10:00:00:00:03"),
        nic(4, "eth2", "02:00:00:00:00:01"),
    )
    kernel.reconcile(snapshot(bridge("br0", port("eth0", ""), port("eth2", ""))))
    local = next(link for link in kernel.links.values() if link.name == "br0")
    assert local.mac == bytes.fromhex("002000000002")
    steps = kernel.reconcile(snapshot(bridge("br0", port("eth0", ""), port("eth1", ""), port("eth2", ""))))
    assert [s.mac.hex() for s in steps if isinstance(s, SetMac)] == ["001000000003"]


def test_an_internal_port_has_the_same_mac_each_time_unless_it_asks_for_one() -> None:
    kernel = FakeKernel()
    asks = port("q", interface={"mac": "02:00:00:00:00:99"})
    kernel.reconcile(snapshot(bridge("br0", port("p"), asks)))
    macs = {link.name: link.mac for link in kernel.links.values()}
    assert macs["p"] == stable_mac(INSTANCE, "p")
    assert macs["q"] == bytes.fromhex("020000000099")


def test_a_mac_that_the_user_gave_to_an_internal_port_is_left_alone() -> None:
    kernel = FakeKernel()
    tables = snapshot(bridge("br0", port("p")))
    kernel.reconcile(tables)
    user = next(link for link in kernel.links.values() if link.name == "p")
    kernel.links[user.ifindex] = replace(user, mac=bytes.fromhex("020000000001"))
    steps = kernel.reconcile(tables)
    assert [s.table for s in steps if isinstance(s, Write)] == [Table.IFACES]
    assert not any(isinstance(step, SetMac) for step in steps)


def test_a_fake_bridge_takes_the_mac_of_the_ports_with_its_tag() -> None:
    kernel = FakeKernel.with_nics(nic(2, "eth0", "00:20:00:00:00:02"), nic(3, "eth1", "00:10:00:00:00:03"))
    fake = port("fake", tag=9, fake_bridge=True)
    kernel.reconcile(snapshot(bridge("br0", port("eth0", "", tag=9), port("eth1", ""), fake)))
    assert {link.mac.hex() for link in kernel.links.values() if link.name == "fake"} == {"002000000002"}


def test_internal_ports_follow_the_smallest_mtu_of_the_others() -> None:
    kernel = FakeKernel.with_nics(nic(2, "eth0", mtu=9000), nic(3, "eth1", mtu=1400))
    both = snapshot(bridge("br0", port("eth0", ""), port("eth1", ""), port("p")))
    kernel.reconcile(both)

    def mtus() -> dict[str, int]:
        return {link.name: link.mtu for link in kernel.links.values() if link.name in ("br0", "p")}

    assert mtus() == {"br0": 1400, "p": 1400}
    without = desired(snapshot(bridge("br0", port("eth0", ""), port("p"))))
    for step in kernel.plan(without, {"br0": 1400}):
        kernel.do(step)
    assert mtus() == {"br0": 9000, "p": 9000}


def test_a_smaller_mtu_that_the_user_gave_is_left_alone_and_a_larger_one_is_not() -> None:
    kernel = FakeKernel()
    tables = snapshot(bridge("br0", port("p"), port("q")))
    kernel.reconcile(tables)
    for link in list(kernel.links.values()):
        if link.name in ("p", "q"):
            kernel.links[link.ifindex] = replace(link, mtu=1000 if link.name == "p" else 2000)
    steps = kernel.reconcile(tables)
    assert [(s.name, s.mtu) for s in steps if isinstance(s, SetMtu)] == [("q", 1500)]


def test_an_mtu_request_reaches_both_ends_switch_end_first() -> None:
    kernel = FakeKernel()
    kernel.reconcile(snapshot(bridge("br0", port("p"))))
    steps = kernel.reconcile(snapshot(bridge("br0", port("p", interface={"mtu_request": 9000}))))
    names = [s.name for s in steps if isinstance(s, SetMtu) and s.mtu == 9000 and s.owner.name == "p"]
    assert [name[:2] for name in names] == ["jf", "p"]


def test_an_internal_port_in_another_namespace_is_far_and_known_by_its_mac() -> None:
    kernel = FakeKernel()
    tables = snapshot(bridge("br0", port("p")))
    kernel.reconcile(tables)
    seen = kernel.observe()
    pair = seen.pairs["p"]
    assert pair.user is not None
    links = {number: link for number, link in seen.links.items() if number != pair.user.ifindex}
    moved = Observed(
        INSTANCE, links, {**seen.pairs, "p": Pair(pair.switch, pair.user, 0)}, seen.attached, seen.tables
    )
    (step,) = plan_maps(desired(tables), moved).steps
    assert isinstance(step, Write)
    assert step.table is Table.IFACES
    assert step.value.flags & IfaceFlag.FAR
    assert step.value.mac == pair.user.mac


def test_the_mark_of_promiscuous_mode_survives_a_plan_cut_short_at_its_removal() -> None:
    kernel = FakeKernel.with_nics(nic(2, "eth0"))
    tables = snapshot(bridge("br0", port("eth0", "")))
    kernel.reconcile(tables)
    kernel.reconcile(snapshot(bridge("br0")), stop_after=1)
    kernel.reconcile(tables)
    assert any(iface.flags & IfaceFlag.PROMISCUOUS for iface in kernel.tables.ifaces.values())


def test_wide_ports_count_in_their_native_vlan() -> None:
    kernel = FakeKernel()
    native = port("nat", tag=10, vlan_mode="native-untagged")
    kernel.reconcile(snapshot(bridge("br0", port("any"), native)))
    assert kernel.floods() == {
        ("br0", 0): ("any", "br0"),
        ("br0", 10): ("nat", "any", "br0"),
        ("br0", ANY): ("any", "br0", "nat"),
    }


def test_every_step_can_say_what_it_does() -> None:
    kernel = FakeKernel.with_nics(nic(2, "eth0"))
    one = kernel.reconcile(snapshot(bridge("br0", port("eth0", ""), port("p", trunks={1}))))
    two = kernel.reconcile(snapshot(bridge("br0", port("p", tag=1)), bridge("br1")))
    three = kernel.reconcile(snapshot())
    for step in [*one, *two, *three]:
        assert len(step.describe().split()) > 2
        assert step.owner.kind in ("Bridge", "Port", "Interface")


def test_there_can_be_too_many_ports() -> None:
    kernel = FakeKernel()
    ports = [patch(f"p{number}", "x") for number in range(4100)]
    wanted = desired(snapshot(bridge("br0", *ports)))
    for step in plan_devices(wanted, kernel.observe()).steps:
        kernel.do(step)
    plan = plan_maps(wanted, kernel.observe())
    assert len(plan.problems) == 4101 - 4095
    assert {text for _, text in plan.problems} == {"there can be no more than 4095 ports"}
    assert NameKey(int(NameKind.PORT), 4095) in {s.key for s in plan.steps if isinstance(s, Write)}


def test_there_can_be_too_many_vlans() -> None:
    kernel = FakeKernel()
    bridges = [bridge(f"br{n}", port(f"br{n}", trunks=range(4095)), local=False) for n in range(18)]
    wanted = desired(snapshot(*bridges))
    for step in plan_devices(wanted, kernel.observe()).steps:
        kernel.do(step)
    plan = plan_maps(wanted, kernel.observe())
    assert [owner.name for owner, _ in plan.problems] == ["br16", "br17"]
    lists = [s for s in plan.steps if isinstance(s, Write) and s.table is Table.FLOOD_LISTS]
    assert len(lists) == Limit.MAX_FLOOD_LISTS
