"""Scale: whether a packet costs the same on a switch that has much to remember as on a small one beside it.

A small and a large switch of a kind stand side by side, and the same stream from a station to another
crosses them by turns. The figure is the large one's forwarding rate as a share of the small one's.
"""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.effort import Effort
from bench.measure import LESS, Found, Measure, Tell
from bench.netns import BenchError, namespaces, run
from bench.rfc2889.wire import (
    ETHERTYPE,
    MINIMUM,
    Flow,
    Frames,
    frame,
    opened,
    pour,
    received,
    repeat,
    settled,
)
from bench.switch import BRIDGE, OpenVSwitch, Switch, running
from jackfield.lab.measure.udp import BATCH

NEAR, FAR = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
SOME_PORTS, PORTS, VLANS, BRIDGES = "some-ports", "ports", "vlans", "bridges"
SOME_ADDRESSES, ADDRESSES = "some-addresses", "addresses"
SUBJECTS: tuple[type[Switch], ...] = (Switch, OpenVSwitch)
BRIDGES_AT_ONCE = 25  # of one command, which has to be shorter than the kernel allows


@dataclass(frozen=True, slots=True)
class Site:
    """A switch with two stations, near and far."""

    switch: Switch
    stations: str
    near: Flow
    far: Flow

    def rate(self, frames: Frames, seconds: float) -> float:
        """Frames a second that reach the far station."""
        before = received(self.stations)["far"]
        _, took = repeat([Flow(self.near.socket, frames)], seconds)
        return (settled(self.stations)["far"] - before) / took


@contextlib.contextmanager
def site(kind: type[Switch], label: str) -> Iterator[Site]:
    """A switch of a kind, which knows both stations."""
    stations = f"jft-bench-{label}-s"
    with running(label, kind) as switch, namespaces(stations), contextlib.ExitStack() as stack:
        for port, device in (("near-p", "near"), ("far-p", "far")):
            pair = ("type", "veth", "peer", "name", device, "netns", stations)
            run("ip", "-n", switch.namespace, "link", "add", port, *pair)
            for namespace, end in ((switch.namespace, port), (stations, device)):
                run("ip", "-n", namespace, "link", "set", end, "addrgenmode", "none", "up")
        size = "other_config:mac-table-size=1000000"
        words = ("--", "add-port", BRIDGE, "far-p", "--", "set", "Bridge", BRIDGE, size)
        switch.vsctl("add-port", BRIDGE, "near-p", *words)
        flows = [
            Flow(stack.enter_context(opened(stations, device)), Frames([frame(source, target)]))
            for device, source, target in (("near", NEAR, FAR), ("far", FAR, NEAR))
        ]
        for flow in flows:
            pour(flow)
        yield Site(switch, stations, *flows)


def tagged(source: bytes, target: bytes, vlan: int) -> bytes:
    """A frame in a VLAN."""
    return (target + source + struct.pack(">HH", 0x8100, vlan) + ETHERTYPE).ljust(MINIMUM, b"\0")


def _plain(number: int) -> Frames:
    """The same stream, whatever else there is."""
    del number
    return Frames([frame(NEAR, FAR)] * BATCH)


def _spread(number: int) -> list[int]:
    return [1 + turn * number // BATCH for turn in range(BATCH)]


def _to_addresses(number: int) -> Frames:
    return Frames(frame(NEAR, _address(each)) for each in _spread(number))


def _in_vlans(number: int) -> Frames:
    return Frames(tagged(NEAR, FAR, min(each, number)) for each in _spread(number))


def _address(number: int) -> bytes:
    return b"\x06" + number.to_bytes(5, "big")


def _show(at: Site, frames: Frames) -> None:
    """The far station sends frames that end in the switch, or at the near one."""
    pour(Flow(at.far.socket, frames))
    settled(at.stations)


def _many_ports(at: Site, number: int) -> None:
    at.switch.add_internal_ports([f"jft-p{each}" for each in range(number - 2)])


def _many_addresses(at: Site, number: int) -> None:
    _show(at, Frames(frame(_address(each), FAR) for each in range(1, number + 1)))


def _many_vlans(at: Site, number: int) -> None:
    trunks = "trunks=" + ",".join(map(str, range(number + 1)))  # 0 are frames without a tag
    at.switch.vsctl("set", "Port", "near-p", trunks, "--", "set", "Port", "far-p", trunks)
    _show(at, Frames(tagged(FAR, NEAR, each) for each in range(1, number + 1)))


def _many_bridges(at: Site, number: int) -> None:
    names = [f"jft-b{each}" for each in range(1, number)]
    for start in range(0, len(names), BRIDGES_AT_ONCE):
        words: list[str] = []
        for name in names[start : start + BRIDGES_AT_ONCE]:
            words += ["--", "add-br", name, "--", "set", "Bridge", name]
            words.append(f"datapath_type={at.switch.datapath_type or 'system'}")
            for port in (f"{name}-a", f"{name}-b"):
                words += ["--", "add-port", name, port, "--", "set", "Interface", port, "type=internal"]
        at.switch.vsctl(*words[1:])


@dataclass(frozen=True, slots=True)
class Case:
    """What there is much of, and of which stream the cost is measured; `few` is what the small switch has."""

    what: str
    few: int
    many: Callable[[Effort], int]
    grow: Callable[[Site, int], None]
    stream: Callable[[int], Frames]
    subjects: Sequence[type[Switch]] = SUBJECTS
    by_commands: bool = False
    """Whether it is worth telling how long it takes to make so many."""


CASES = {
    SOME_PORTS: Case("ports", 2, lambda _: 10, _many_ports, _plain),
    PORTS: Case("ports", 2, lambda effort: effort.ports, _many_ports, _plain, by_commands=True),
    # OVS's user-space datapath takes minutes to learn as many: see the address learning rate.
    SOME_ADDRESSES: Case(
        "addresses", BATCH, lambda effort: effort.addresses[1], _many_addresses, _to_addresses
    ),
    ADDRESSES: Case(
        "addresses", BATCH, lambda effort: effort.addresses[-1], _many_addresses, _to_addresses, (Switch,)
    ),
    VLANS: Case("VLANs", 1, lambda effort: effort.vlans, _many_vlans, _in_vlans),
    BRIDGES: Case("bridges", 1, lambda effort: effort.bridges, _many_bridges, _plain, by_commands=True),
}


def _set_up(name: str) -> str:
    return f"{name}-set-up"


def measures(effort: Effort) -> dict[str, Measure]:
    """What is measured, by name."""
    found = {}
    for name, case in CASES.items():
        many = f"{case.many(effort):,} {case.what}"
        found[name] = Measure(f"{many}: forwarding rate", f"of that with {case.few}")
        if case.by_commands:
            found[_set_up(name)] = Measure(f"{many}: set up in", "s", better=LESS)
    return found


def measure(effort: Effort, tell: Tell) -> Found:
    """All cases on all switches: the measure's name, the switch's title, a value."""
    done, all_of_them = 0, sum(len(case.subjects) for case in CASES.values())
    for kind in SUBJECTS:
        with site(kind, "few") as small:
            for name, case in CASES.items():
                if kind in case.subjects:
                    tell(done / all_of_them, f"{case.many(effort):,} {case.what}, {kind.title}")
                    for measured, value in _beside(small, kind, name, effort):
                        yield measured, kind.title, value
                    done += 1


def _beside(small: Site, kind: type[Switch], name: str, effort: Effort) -> Iterator[tuple[str, float]]:
    case = CASES[name]
    number = case.many(effort)
    with site(kind, "many") as large:
        case.grow(small, case.few)
        begin = time.monotonic()
        case.grow(large, number)
        if case.by_commands:
            yield _set_up(name), time.monotonic() - begin
        few, many = case.stream(case.few), case.stream(number)
        small.rate(few, effort.trial_seconds)
        large.rate(many, effort.trial_seconds)  # what the change left to do is done
        for _ in range(effort.rounds):
            rate = small.rate(few, effort.trial_seconds)
            if not rate:
                raise BenchError(f"{kind.title} forwards nothing")
            yield name, large.rate(many, effort.trial_seconds) / rate
