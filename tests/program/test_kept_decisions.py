"""A decision that the program has kept ends at once with any change of what it was made from (bpf/flow.h)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from jackfield.datapath import _abi
from jackfield.datapath._abi import FdbOp
from jackfield.model import BondConfig, BondMode, DropReason, Lacp, SwitchConfig, parse
from jackfield.model.bond import initial, leave
from jackfield.model.fdb import NSEC_PER_SEC
from tests.program.recorder import Decided, Recorder
from tests.program.test_scenarios import START
from tests.scenarios.bonds import lacpdu, segment, segment6
from tests.scenarios.kit import access, bond, ctag, frame, mac, switch, tagged, trunk, untagged

THERE, BACK = untagged("A", "B"), untagged("B", "A")
CONFIG = switch(access("p1", 10), access("p2", 10), trunk("p3"))
BRIDGE = 1
LATER = START + 3600 * NSEC_PER_SEC
"""When nobody else's frames came: what an interface hands up is counted by the second."""

Change = Callable[[Recorder], None]


@pytest.fixture(autouse=True)
def one_processor() -> Iterator[None]:
    """Decisions are kept on each processor."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    yield
    os.sched_setaffinity(0, allowed)


def port(number: int, **fields: int) -> Change:
    def change(recorder: Recorder) -> None:
        table = recorder.datapath.ports
        table.set(number, (table.get(number) or _abi.Port())._replace(**fields))

    return change


def interface(number: int, **fields: int) -> Change:
    def change(recorder: Recorder) -> None:
        table = recorder.datapath.ifaces
        table.set(number, (table.get(number) or _abi.Iface())._replace(**fields))

    return change


def bridge(**fields: int) -> Change:
    def change(recorder: Recorder) -> None:
        table = recorder.datapath.bridges
        table.set(BRIDGE, (table.get(BRIDGE) or _abi.Bridge())._replace(**fields))

    return change


def address(op: FdbOp, name: str = "B", behind: int = 0) -> Change:
    def change(recorder: Recorder) -> None:
        recorder.datapath.fdb_control(
            op, bridge=BRIDGE, port=behind, vlan=10, mac=mac(name), now_ns=START + NSEC_PER_SEC // 2
        )

    return change


def both_protected(recorder: Recorder) -> None:
    for number in (1, 2):
        port(number, flags=int(_abi.PortFlag.PROTECTED))(recorder)


def moved(recorder: Recorder) -> None:
    recorder.send("p3", tagged(10, "B", "A"), START)


FLOODED = {"p2", "p3"}
CHANGES: dict[str, tuple[Change, set[str], list[tuple[str, DropReason]]]] = {
    "the table is flushed": (address(FdbOp.FLUSH_BRIDGE), FLOODED, []),
    "the destination is deleted": (address(FdbOp.DELETE), FLOODED, []),
    "the destination becomes a static address elsewhere": (address(FdbOp.ADD_STATIC, behind=3), {"p3"}, []),
    "the destination has moved": (moved, {"p3"}, []),
    "the addresses of its port are purged": (address(FdbOp.PURGE_PORT, behind=2), FLOODED, []),
    "the source's port is put into another VLAN": (port(1, tag=20), {"p3"}, []),
    "both ports are protected": (both_protected, set(), [("p1", DropReason.PROTECTED)]),
    "the port is taken off the bridge": (port(2, bridge=0), {"p3"}, []),
    "the MTU is lowered": (interface(2, mtu=40), set(), [("p2", DropReason.MTU_EXCEEDED)]),
    "the device has gone": (interface(2, ifindex=0), set(), [("p2", DropReason.PORT_DOWN)]),
    "addresses age at once": (bridge(ageing_ns=1), FLOODED, []),
}


def converse(recorder: Recorder) -> Decided:
    """So long that decisions are kept and followed; what became of the last frame to B."""
    followed = recorder.kept_followed()
    for _ in range(8):
        recorder.send("p2", BACK, START)
        decided = recorder.send("p1", THERE, START)
    assert recorder.kept_followed() > followed
    return decided


@pytest.mark.parametrize("what", CHANGES)
def test_a_kept_decision_ends_when(what: str, recorder: Recorder) -> None:
    change, outputs, drops = CHANGES[what]
    with recorder.configured(CONFIG):
        assert converse(recorder).outputs.keys() == {"p2"}
        change(recorder)
        decided = recorder.send("p1", THERE, START + 1)
    assert (decided.outputs.keys(), decided.drops) == (outputs, drops)


def test_a_kept_decision_keeps_no_address_from_ageing(recorder: Recorder) -> None:
    with recorder.configured(CONFIG):
        converse(recorder)
        later = START + 299 * NSEC_PER_SEC
        assert recorder.send("p1", THERE, later).outputs.keys() == {"p2"}
        assert recorder.send("p1", THERE, later + NSEC_PER_SEC - 1).outputs.keys() == {"p2"}
        assert recorder.send("p1", THERE, later + NSEC_PER_SEC).outputs.keys() == FLOODED


def test_every_frame_is_counted_whether_or_not_a_decision_was_kept(recorder: Recorder) -> None:
    with recorder.configured(CONFIG):
        converse(recorder)
        counted = recorder.counters("p1")
    assert (counted.rx_packets, counted.tx_packets) == (8, 8)
    assert counted.rx_bytes == 8 * len(frame("A", "B"))


BOND = 1
ALL, FIRST, SECOND = 0b11, 0b01, 0b10
OUT, IN = segment("A", "B", (1000, 80)), segment("B", "A", (80, 1000))
MODES = {
    mode: switch(trunk("p1"), bond("bond1", "p2", "p3", mode=mode, lacp=mode is BondMode.BALANCE_TCP))
    for mode in BondMode
}


def with_members(recorder: Recorder) -> None:
    lacp = _abi.BondLacp.NEGOTIATED if (recorder.datapath.bonds.get(BOND) or _abi.Bond()).flags & 1 else 0
    recorder.datapath.bonds.change(BOND, enabled=ALL, collecting=ALL, active=0, lacp=int(lacp))
    recorder.datapath.bonds.change(BOND, buckets=bytes(256))


def exchange(recorder: Recorder, out: bytes = OUT) -> set[str]:
    """So long that decisions are kept and followed both ways; by which interfaces the last frame left."""
    for _ in range(3):
        recorder.send("p2", IN, START)
        recorder.send("p1", out, START)
    followed = recorder.kept_followed()
    assert recorder.send("p2", IN, START).outputs.keys() == {"p1"}
    decided = recorder.send("p1", out, START)
    assert recorder.kept_followed() == followed + 2
    return set(decided.outputs)


def down(recorder: Recorder) -> None:
    recorder.set_link("bond1", "p2", up=False)


def other_active(recorder: Recorder) -> None:
    recorder.datapath.bonds.change(BOND, active=1)


def other_buckets(recorder: Recorder) -> None:
    recorder.datapath.bonds.change(BOND, buckets=bytes([1]) * 256)


def disabled(recorder: Recorder) -> None:
    recorder.datapath.bonds.change(BOND, enabled=SECOND)


BALANCED = (BondMode.BALANCE_SLB, BondMode.BALANCE_TCP)
BOND_CHANGES: dict[str, tuple[Change, tuple[BondMode, ...]]] = {
    "the member has lost its link": (down, tuple(BondMode)),
    "the member is disabled": (disabled, tuple(BondMode)),
    "another member becomes active": (other_active, (BondMode.ACTIVE_BACKUP,)),
    "its bucket is given to another member": (other_buckets, BALANCED),
}


@pytest.mark.parametrize(
    ("what", "mode"), [(what, mode) for what, (_, modes) in BOND_CHANGES.items() for mode in modes]
)
def test_a_kept_decision_about_a_bond_ends_when(what: str, mode: BondMode, recorder: Recorder) -> None:
    change, _ = BOND_CHANGES[what]
    with recorder.configured(MODES[mode]):
        with_members(recorder)
        assert exchange(recorder) == {"p2"}
        change(recorder)
        assert recorder.send("p1", OUT, START).outputs.keys() == {"p3"}


def test_frames_by_a_member_that_is_active_no_longer_are_refused_at_once(recorder: Recorder) -> None:
    with recorder.configured(MODES[BondMode.ACTIVE_BACKUP]):
        exchange(recorder)
        other_active(recorder)
        assert recorder.send("p2", IN, START).drops == [("p2", DropReason.BOND_INACTIVE_MEMBER)]


def test_a_bond_with_negotiated_lacp_stops_when_the_partner_goes(recorder: Recorder) -> None:
    with recorder.configured(MODES[BondMode.BALANCE_TCP]):
        with_members(recorder)
        exchange(recorder)
        recorder.datapath.bonds.change(BOND, lacp=int(_abi.BondLacp.CONFIGURED))
        assert recorder.send("p1", OUT, START).drops == [("p1", DropReason.BOND_NO_LACP)]
        assert recorder.send("p2", IN, START).drops == [("p2", DropReason.BOND_NO_LACP)]


@pytest.mark.parametrize("mode", BondMode)
def test_nothing_is_kept_about_a_bond_that_nobody_watches(mode: BondMode, recorder: Recorder) -> None:
    with recorder.configured(MODES[mode]):
        with_members(recorder)
        recorder.datapath.bonds.watch(BOND, START + NSEC_PER_SEC // 4)
        exchange(recorder)
        followed = recorder.kept_followed()
        later = START + NSEC_PER_SEC // 2
        for _ in range(3):
            recorder.send("p1", OUT, later)
        assert recorder.kept_followed() == followed


def test_what_is_kept_ends_when_a_bond_is_watched_no_longer(recorder: Recorder) -> None:
    with recorder.configured(MODES[BondMode.ACTIVE_BACKUP]):
        exchange(recorder)
        recorder.datapath.bonds.watch(BOND, START - 1)
        followed = recorder.kept_followed()
        recorder.send("p1", OUT, START)
        assert recorder.kept_followed() == followed


def member_in_model(flow: bytes) -> str:
    config = BondConfig(("p2", "p3"), BondMode.BALANCE_TCP, lacp=True)
    state = replace(initial(config), lacp=Lacp.NEGOTIATED)
    parsed = parse(flow, 1)
    left = leave(config, state, parsed, parsed.tags[0].vid if parsed.tags else 0, parsed.rest)
    assert isinstance(left, str)
    return left


FRAGMENT = b"\x06\0\0\1\0\0\0\7"
KINDS: dict[str, Callable[[int], bytes]] = {
    "IPv4": lambda number: segment("A", "B", (number, 80)),
    "IPv4 with options": lambda number: segment("A", "B", (number, 80), options=b"\1\1\1\1"),
    "fragments of IPv4": lambda number: segment("A", "B", (1, 80), hosts=(number, 2), fragment=0x2000),
    "IPv6": lambda number: segment6("A", "B", (number, 80)),
    "fragments of IPv6": lambda number: segment6("A", "B", (1, 80), hosts=(number, 2), before=FRAGMENT),
    "IPv4 with a tag": lambda number: segment("A", "B", (number, 80), ctag(5)),
    "IPv6 with a tag": lambda number: segment6("A", "B", (number, 80), ctag(5)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_flow_between_two_stations_keeps_its_own_member(kind: str, recorder: Recorder) -> None:
    flows = [KINDS[kind](number) for number in range(1000, 1032)]
    with recorder.configured(MODES[BondMode.BALANCE_TCP]):
        with_members(recorder)
        recorder.datapath.bonds.change(BOND, buckets=bytes((0, 1)) * 128)
        if "tag" in kind:
            recorder.send("p2", tagged(5, "B", "A"), START)
            for _ in range(3):
                recorder.send("p1", flows[0], START)
        else:
            exchange(recorder, flows[0])
        followed = recorder.kept_followed()
        first = [recorder.send("p1", flow, START).outputs.keys() for flow in flows]
        again = [recorder.send("p1", flow, START).outputs.keys() for flow in flows]
        assert recorder.kept_followed() == followed + 2 * len(flows)
    assert first == again
    assert first == [{member_in_model(flow)} for flow in flows]
    assert {name for outputs in first for name in outputs} == {"p2", "p3"}


def test_a_frame_too_long_for_its_member_is_dropped_by_a_balancing_bond(recorder: Recorder) -> None:
    with recorder.configured(MODES[BondMode.BALANCE_TCP]):
        with_members(recorder)
        exchange(recorder)
        interface(2, mtu=len(OUT) - 15)(recorder)
        assert recorder.send("p1", OUT, START).drops == [("p2", DropReason.MTU_EXCEEDED)]


@pytest.mark.parametrize("mode", BALANCED)
def test_the_load_of_a_bond_is_counted_of_frames_for_which_a_decision_was_kept(
    mode: BondMode, recorder: Recorder
) -> None:
    with recorder.configured(MODES[mode]):
        with_members(recorder)
        exchange(recorder)
        before, frames = recorder.bond_bytes("bond1"), 400
        for _ in range(frames):
            recorder.send("p1", OUT, START)
        counted = recorder.bond_bytes("bond1") - before
    assert 0.9 < counted / (frames * len(OUT)) < 1.1


def test_a_member_hands_up_so_many_frames_a_second_and_no_other_less_for_it(recorder: Recorder) -> None:
    most = int(_abi.Limit.UPCALL_RATE)
    with recorder.configured(MODES[BondMode.BALANCE_TCP]):
        recorder.taken_up()
        drops = [drop for _ in range(most + 6) for drop in recorder.send("p2", lacpdu("B"), LATER).drops]
        drops += recorder.send("p3", lacpdu("C"), LATER).drops
        assert recorder.taken_up() == most + 1
        assert drops == [("p2", DropReason.UPCALL_LIMIT)] * 6
        assert not recorder.send("p2", lacpdu("B"), LATER + NSEC_PER_SEC).drops


def test_slow_protocols_go_up_whoever_they_are_addressed_to(recorder: Recorder) -> None:
    config: SwitchConfig = MODES[BondMode.BALANCE_TCP]
    to_station = mac("A") + lacpdu("B")[6:]
    with recorder.configured(config):
        with_members(recorder)
        exchange(recorder)
        recorder.taken_up()
        for _ in range(3):
            assert not recorder.send("p2", to_station, LATER).outputs
        assert recorder.taken_up() == 3
