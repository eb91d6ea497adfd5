"""What the protections of a port do with a frame that comes in there: pure functions, time is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from jackfield.model.config import BridgeConfig
from jackfield.model.fdb import Address, Fdb
from jackfield.model.frame import is_group
from jackfield.model.protection import GuardConfig, MacLimitAction, PortSecurity, Rate
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
    """What becomes of a frame: dropped for a reason, or let in; then its source may go unlearned. `fdb` is
    the learning table of the bridge, where room may have been made."""

    state: GuardState
    fdb: Fdb
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
    """What a port's protections say of a frame: first of its source, then of how much is flooded. Nothing
    that is dropped is learned from."""
    entry = fdb.entries.get(subject.src)
    here = entry is not None and entry.port == subject.port
    static = entry is not None and entry.static
    allowed = (here and static) or subject.src.mac in guard.allowed_macs
    if guard.security is PortSecurity.LOCKED and not allowed:
        return Verdict(state, fdb, DropReason.MAC_LOCKED)
    learns = True
    learnable = subject.src.vlan not in subject.bridge.flood_vlans
    if guard.mac_limit is not None and learnable and not here and not static:
        if fdb.usage()[subject.port] >= guard.mac_limit:
            fdb = fdb.expire_one(subject.bridge, subject.port, subject.now)
        learns = fdb.usage()[subject.port] < guard.mac_limit
        if not learns and guard.mac_limit_action is MacLimitAction.DROP:
            return Verdict(state, fdb, DropReason.MAC_LIMIT)
    reason, state = from_storms(guard, state, fdb, subject)
    return Verdict(state, fdb, reason, learns)


def belongs_elsewhere(bridge: BridgeConfig, port: str, fdb: Fdb, address: Address, now: int) -> bool:
    """Whether an address is on another port that keeps what was learned there."""
    entry = fdb.entries.get(address)
    if entry is None or entry.static or fdb.lookup(bridge, address, now) in (None, port):
        return False
    owner = next((each for each in bridge.ports if each.name == entry.port), None)
    return owner is not None and owner.guard is not None and owner.guard.keeps_addresses


def from_storms(
    guard: GuardConfig, state: GuardState, fdb: Fdb, subject: Subject
) -> tuple[DropReason | None, GuardState]:
    """Whether a frame is one too many of those that are flooded."""
    kind = _storm(fdb, subject)
    rate = None if kind is None else dict(zip(Storm, guard.rates, strict=True))[kind]
    if kind is None or rate is None:
        return None, state
    due = _take(rate, state.due.get(kind, 0), subject.now)
    if due is None:
        return kind.value, state
    return None, replace(state, due={**state.due, kind: due})


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
