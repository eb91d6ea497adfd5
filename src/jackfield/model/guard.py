"""What the protections of a port do with a frame that comes in there: pure functions, time is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from jackfield.model.config import BridgeConfig
from jackfield.model.fdb import Address, Fdb
from jackfield.model.frame import is_group
from jackfield.model.protection import GuardConfig, Rate
from jackfield.model.reasons import DropReason

BROADCAST = b"\xff" * 6


class Storm(Enum):
    """What is flooded, each kind with a limit of its own."""

    BROADCAST = DropReason.STORM_BROADCAST
    MULTICAST = DropReason.STORM_MULTICAST
    UNKNOWN_UNICAST = DropReason.STORM_UNKNOWN_UNICAST


@dataclass(frozen=True, slots=True)
class GuardState:
    """What the protections of a port remember: when the next frame of a kind is due at the highest rate."""

    due: Mapping[Storm, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a frame: dropped for a reason, or let in; then its source may go unlearned."""

    state: GuardState
    reason: DropReason | None = None
    learns: bool = True


@dataclass(frozen=True, slots=True)
class Subject:
    """A frame to be judged: the bridge, the port and the VLAN it came in by, its addresses, and the time."""

    bridge: BridgeConfig
    port: str
    src: Address
    dst: Address
    now: int


def judge(guard: GuardConfig, state: GuardState, fdb: Fdb, subject: Subject) -> Verdict:
    """What a port's protections say of a frame. Nothing that is dropped is learned from."""
    return _from_storms(guard, state, fdb, subject)


def _from_storms(guard: GuardConfig, state: GuardState, fdb: Fdb, subject: Subject) -> Verdict:
    kind = _storm(fdb, subject)
    if kind is None:
        return Verdict(state)
    rate = dict(zip(Storm, guard.rates, strict=True))[kind]
    if rate is None:
        return Verdict(state)
    due = _take(rate, state.due.get(kind, 0), subject.now)
    if due is None:
        return Verdict(state, kind.value)
    return Verdict(replace(state, due={**state.due, kind: due}))


def _storm(fdb: Fdb, subject: Subject) -> Storm | None:
    """The kind of what is flooded that the frame is of."""
    if subject.dst.mac == BROADCAST:
        return Storm.BROADCAST
    if is_group(subject.dst.mac):
        return Storm.MULTICAST
    known = fdb.lookup(subject.bridge, subject.dst, subject.now)
    return Storm.UNKNOWN_UNICAST if known is None else None


def _take(rate: Rate, due: int, now: int) -> int | None:
    """When the next frame is due if this one is let in; None when the bucket is empty."""
    start = max(due, now)
    return None if start - now > rate.burst else start + rate.interval
