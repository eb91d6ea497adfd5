"""The trials. Stations are the tester's ports, and what arrives is counted by their devices.

All wires are veth pairs: they have no rate of their own, no collisions and no check sequence. A frame is
offered as fast as the sender's processors can offer it; with a data path in the kernel those same
processors carry it through the switch to the end, so that what is offered is what is forwarded. RFC
2889's 5.3 (blocks of several devices), 5.5 and 5.6 (congestion control and forward pressure) suppose
wires of a fixed rate and are left out.
"""

from __future__ import annotations

import contextlib
import math
import socket
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

from bench.effort import Effort
from bench.measure import LESS, Measure
from bench.netns import BenchError, call_inside, run
from bench.rfc2889.stages import PORTS, Stage, address, station
from bench.rfc2889.wire import MAXIMUM, MINIMUM, Flow, Frames, frame, opened, pour, received, repeat, settled
from jackfield.lab.measure.udp import BATCH

BROADCAST = b"\xff" * 6
ERRORED = 100
OVERSIZE, LARGE_MTU, MTU = 2000, 9000, 1500
ARRIVAL_SECONDS = 2.0
NOISE = 10  # frames of the switches' own protocols
LADDER_SECONDS = 8.0
OFFERED = (math.inf, 200e3, 100e3, 50e3, 20e3, 10e3, 5e3, 2e3, 1e3)
"""Learning frames a second that are offered, until nothing is flooded any more."""

FULL_MESH, FULL_MESH_LARGE = "fully-meshed-64", "fully-meshed-1518"
ONE_TO_MANY, MANY_TO_ONE, ONE_WAY = "one-to-many", "many-to-one", "unidirectional"
UNKNOWN, CAPACITY, LEARNING = "unknown-unicast", "address-capacity", "address-learning"
UNDERSIZE_OUT, OVERSIZE_OUT = "undersize", "oversize"
BROADCAST_RATE, BROADCAST_LATENCY, BROADCAST_TAIL = "broadcast", "broadcast-latency", "broadcast-latency-99"

_RATE = "kframes/s"
MEASURES = {
    FULL_MESH: Measure("Fully meshed, forwarding rate, 64 bytes", _RATE, 1e3, "5.1"),
    FULL_MESH_LARGE: Measure("Fully meshed, forwarding rate, 1,518 bytes", _RATE, 1e3, "5.1"),
    ONE_TO_MANY: Measure("Partially meshed, one to many, 64 bytes", _RATE, 1e3, "5.2"),
    MANY_TO_ONE: Measure("Partially meshed, many to one, 64 bytes", _RATE, 1e3, "5.2"),
    ONE_WAY: Measure("Partially meshed, unidirectional, 64 bytes", _RATE, 1e3, "5.4"),
    CAPACITY: Measure("Address caching capacity, at least", "addresses", 1, "5.7"),
    LEARNING: Measure("Address learning rate, at least", "kaddresses/s", 1e3, "5.8"),
    UNDERSIZE_OUT: Measure(
        f"Errored frames: undersize ones forwarded, of {ERRORED}", "frames", 1, "5.9", better=""
    ),
    OVERSIZE_OUT: Measure(
        f"Errored frames: oversize ones forwarded, of {ERRORED}", "frames", 1, "5.9", better=LESS
    ),
    BROADCAST_RATE: Measure(f"Broadcast to {PORTS - 1} ports, copies of 64 bytes", "kcopies/s", 1e3, "5.10"),
    BROADCAST_LATENCY: Measure(
        "Broadcast latency, until the last copy is read, median", "µs", 1, "5.10", better=LESS
    ),
    BROADCAST_TAIL: Measure("Broadcast latency, 99th percentile", "µs", 1, "5.10", better=LESS),
    UNKNOWN: Measure(f"Unknown unicast flooded to {PORTS - 1} ports, copies of 64 bytes", "kcopies/s", 1e3),
}


class Tester:
    """The stations of a stage, ready to send."""

    def __init__(self, stage: Stage, stack: contextlib.ExitStack) -> None:
        self.stage = stage
        self.sockets = {
            number: stack.enter_context(opened(stage.stations, station(number)))
            for number in range(1, PORTS + 1)
        }

    def flow(self, sender: int, receivers: Sequence[int], size: int = MINIMUM) -> Flow:
        """From a station to others in turn, a batch long."""
        turns = [receivers[number % len(receivers)] for number in range(BATCH)]
        return Flow(self.sockets[sender], Frames(frame(address(sender), address(to), size) for to in turns))

    def introduce(self) -> None:
        """The switch knows all stations, and them alone."""
        if self.stage.forget is not None:
            self.stage.forget()
            for number in self.sockets:
                self.sockets[number].send(frame(address(number), BROADCAST))
        settled(self.stage.stations)

    def rate(self, flows: Sequence[Flow], seconds: float) -> float:
        """Frames a second that arrive at all stations."""
        before = received(self.stage.stations)
        _, took = repeat(flows, seconds)
        after = settled(self.stage.stations)
        return (sum(after.values()) - sum(before.values())) / took


def _others(number: int) -> list[int]:
    """The other stations, from the next one on, so that no two senders begin with the same."""
    return [(number - 1 + step) % PORTS + 1 for step in range(1, PORTS)]


def forwarding(tester: Tester, effort: Effort) -> Iterator[tuple[str, float]]:
    """RFC 2889, 5.1, 5.2 and 5.4: forwarding rates by who sends to whom."""
    everyone = range(1, PORTS + 1)
    first, second = list(everyone[: PORTS // 2]), list(everyone[PORTS // 2 :])
    tester.introduce()
    if tester.stage.forget is None:  # cables lead from each of the first half to one of the second
        straight = [tester.flow(number, [number + PORTS // 2]) for number in first]
        yield ONE_WAY, tester.rate(straight, effort.trial_seconds)
        return
    cases = (
        (FULL_MESH, [tester.flow(number, _others(number)) for number in everyone]),
        (FULL_MESH_LARGE, [tester.flow(number, _others(number), MAXIMUM) for number in everyone]),
        (ONE_TO_MANY, [tester.flow(1, _others(1))]),
        (MANY_TO_ONE, [tester.flow(number, [1]) for number in _others(1)]),
        (ONE_WAY, [tester.flow(number, second) for number in first]),
    )
    for name, flows in cases:
        yield name, tester.rate(flows, effort.trial_seconds)


def flooding(tester: Tester, effort: Effort) -> Iterator[tuple[str, float]]:
    """RFC 2889, 5.10, the rate; and the same for an address that nobody has."""
    if tester.stage.forget is None:
        return
    tester.introduce()
    for name, target in ((BROADCAST_RATE, BROADCAST), (UNKNOWN, address(99))):
        frames = Frames(frame(address(1), target) for _ in range(BATCH))
        yield name, tester.rate([Flow(tester.sockets[1], frames)], effort.trial_seconds)


def latency(tester: Tester, effort: Effort) -> Iterator[tuple[str, float]]:
    """RFC 2889, 5.10: from before a broadcast is sent until all stations have read their copies."""
    if tester.stage.forget is None:
        return
    tester.introduce()
    with contextlib.ExitStack() as stack:
        ears = [stack.enter_context(_ear(tester.stage.stations, number)) for number in _others(1)]
        sender, whole = tester.sockets[1], frame(address(1), BROADCAST)
        found = []
        for _ in range(effort.broadcasts):
            begin = time.perf_counter()
            sender.send(whole)
            try:
                for ear in ears:
                    ear.recv(MINIMUM)
            except TimeoutError as error:
                raise BenchError(f"{tester.stage.title}: a copy of a broadcast did not arrive") from error
            found.append((time.perf_counter() - begin) * 1e6)
    yield BROADCAST_LATENCY, statistics.median(found)
    yield BROADCAST_TAIL, statistics.quantiles(found, n=100)[98]


def _ear(namespace: str, number: int) -> socket.socket:
    made = call_inside(namespace, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    made.bind((station(number), int.from_bytes(b"\x88\xb5", "big")))
    made.settimeout(ARRIVAL_SECONDS)
    return made


def errored(tester: Tester, effort: Effort) -> Iterator[tuple[str, float]]:
    """RFC 2889, 5.9: of 100 frames, how many are forwarded.

    Undersize frames have 30 bytes; oversize ones 2,000, from a port with a large MTU to one with 1,500. Check
    sequences, alignment and dribble bits are a wire's, and there is none.
    """
    del effort
    stage = tester.stage
    if stage.forget is None:
        return
    tester.introduce()
    for name, size in ((UNDERSIZE_OUT, MINIMUM // 2), (OVERSIZE_OUT, OVERSIZE)):
        _set_mtu(stage, LARGE_MTU)
        before = received(stage.stations)
        frames = Frames(frame(address(1), address(2), size) for _ in range(ERRORED))
        pour(Flow(tester.sockets[1], frames))
        after = settled(stage.stations)
        _set_mtu(stage, MTU)
        yield name, float(min(after[station(2)] - before[station(2)], ERRORED))


def _set_mtu(stage: Stage, mtu: int) -> None:
    """Of the first port and its station."""
    for namespace, device in ((stage.host, "p1"), (stage.stations, station(1))):
        run("ip", "-n", namespace, "link", "set", device, "mtu", str(mtu))


def _learned(tester: Tester, count: int, a_second: float) -> tuple[bool, float]:
    """Whether so many addresses are all known when they come at that rate; the rate at which they did come.

    Station 1 shows addresses, in frames to itself, which end in the switch; station 2 sends to each of
    them, and nothing may reach station 3, the monitor. Fewer than ten frames are put down to the
    switch's own protocols and to the tester's own address, which needs a place too.
    """
    assert tester.stage.forget is not None
    tester.stage.forget()
    new = [b"\x06" + number.to_bytes(5, "big") for number in range(count)]
    pace = None if math.isinf(a_second) else a_second
    took = pour(Flow(tester.sockets[1], Frames(frame(each, new[0]) for each in new)), pace)
    before = settled(tester.stage.stations)
    pour(Flow(tester.sockets[2], Frames(frame(address(2), each) for each in new)), pace)
    after = settled(tester.stage.stations)
    came, flooded = (after[station(n)] - before[station(n)] for n in (1, 3))
    return came >= count and flooded < NOISE, count / took


def learning(tester: Tester, effort: Effort) -> Iterator[tuple[str, float]]:
    """RFC 2889, 5.7 and 5.8: the highest rate that is borne, and the most addresses at that or less."""
    if tester.stage.forget is None:
        return
    rates = iter(OFFERED)
    for offered in rates:
        learned, rate = _learned(tester, effort.addresses[1], offered)
        if learned:
            yield LEARNING, rate
            break
    else:
        offered, rate = OFFERED[-1], OFFERED[-1]
        yield LEARNING, 0.0
    slower = [(offered, rate), *((each, each) for each in rates)]
    capacity = 0
    for count in effort.addresses:
        tried = (_learned(tester, count, each)[0] for each, pace in slower if count / pace <= LADDER_SECONDS)
        if not any(tried):
            break
        capacity = count
    yield CAPACITY, float(capacity)


Trial = Callable[[Tester, Effort], Iterator[tuple[str, float]]]
EACH_ROUND: tuple[Trial, ...] = (forwarding, flooding, latency, errored)
ONCE: tuple[Trial, ...] = (learning,)
"""What takes long and hardly varies."""
