"""Rates and round trips: all peers stand side by side, and have their turns with every workload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

from bench.counts.names import CONTAINERS
from bench.effort import Effort
from bench.measure import Found, Tell
from bench.netns import BenchError
from bench.peers import LIMIT, Ends, many, peers
from bench.traffic import KINDS, MEASURES, Workload, key, reach, tcp, udp

WARM_UP_SECONDS = 0.5
Turn = tuple[str, Workload, str, Ends]


def turns(ways: Mapping[str, Mapping[str, Ends]], effort: Effort) -> Iterator[Turn]:
    """A round: way, workload, peer. One workload is at all peers before the next begins."""
    for kind, workloads in KINDS.items():
        for workload in workloads:
            for name, ends in ways.items():
                if kind not in ends or (name == many(effort.ports) and not _of_many(kind, workload)):
                    continue
                yield kind, workload, name, ends[kind]


def _of_many(kind: str, workload: Workload) -> bool:
    """Of a switch with many ports only as much is measured as shows that they cost nothing."""
    return kind == CONTAINERS and workload in (tcp, udp)


def _round(ways: Mapping[str, Mapping[str, Ends]], effort: Effort) -> Found:
    limits = {}
    for kind, workload, name, ends in turns(ways, effort):
        for measured, value in _turn(workload, ends, effort.seconds).items():
            yield key(kind, measured), name, value
            if name == LIMIT:
                limits[measured] = value
    for kind in KINDS.keys() - {CONTAINERS}:  # what another way is compared with is the same cable
        for measured, value in limits.items():
            if key(kind, measured) in MEASURES:
                yield key(kind, measured), LIMIT, value


def _turn(workload: Workload, ends: Ends, seconds: float) -> Mapping[str, float]:
    """What a workload gives, or gives when it is tried again: on a busy machine a command may be late."""
    try:
        return workload(ends, seconds)
    except BenchError:
        return workload(ends, seconds)


def measure(effort: Effort, tell: Tell) -> Found:
    """Values of whole rounds. Raises BenchError when a peer does not forward."""
    with ExitStack() as stack:
        ways = {}
        for name, peer in peers(effort).items():
            tell(0.0, f"setting up: {name}")
            ways[name] = stack.enter_context(peer())
            for ends in ways[name].values():
                reach(ends)
        tell(0.0, "warming up")
        for name, ends_by_kind in ways.items():
            for ends in ends_by_kind.values():
                if not all(udp(ends, WARM_UP_SECONDS).values()):
                    raise BenchError(f"{name} forwards nothing")
        for number in range(effort.rounds):
            tell((number + 1) / (effort.rounds + 1), f"round {number + 1} of {effort.rounds}")
            yield from list(_round(ways, effort))  # a round counts when it is whole
