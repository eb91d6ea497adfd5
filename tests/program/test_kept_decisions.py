"""A decision that the program has kept ends at once with any change of what it was made from (bpf/flow.h)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jackfield.datapath import _abi
from jackfield.datapath._abi import FdbOp
from jackfield.model import DropReason
from jackfield.model.fdb import NSEC_PER_SEC
from tests.program.recorder import Decided, Recorder
from tests.program.test_scenarios import START
from tests.scenarios.kit import access, frame, mac, switch, tagged, trunk, untagged

THERE, BACK = untagged("A", "B"), untagged("B", "A")
CONFIG = switch(access("p1", 10), access("p2", 10), trunk("p3"))
BRIDGE = 1

Change = Callable[[Recorder], None]


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
