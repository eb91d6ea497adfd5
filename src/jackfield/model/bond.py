"""Bonds: which member a frame leaves by, and whether one that came in by a member is taken.

Follows ovs-vswitchd.conf.db(5), Port, "Bonding Configuration", and where that is silent the behaviour of
Open vSwitch. Who is enabled and active is decided elsewhere (jackfield.model.bonding, jackfield.model.lacp);
here it is what frames meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from jackfield.model.bonding.hashing import slb_hash
from jackfield.model.config import BondConfig, BondMode
from jackfield.model.frame import Frame, is_group
from jackfield.model.reasons import DropReason

__all__ = [
    "BUCKETS",
    "Admission",
    "BondMode",
    "BondState",
    "Lacp",
    "admission",
    "bucket",
    "initial",
    "leave",
    "tcp_hash",
]

BUCKETS = 256
_ETH_P_IP, _ETH_P_IPV6 = 0x0800, 0x86DD
_PORTS = frozenset({6, 17, 132})  # TCP, UDP, SCTP
_FRAGMENT = 0x3FFF  # more fragments, or not the first one
_LONG = (1 << 64) - 1
_FACTOR = 0x9E3779B97F4A7C15


class Lacp(Enum):
    """How far LACP has come on a bond."""

    OFF = 0
    CONFIGURED = 1
    NEGOTIATED = 2


@dataclass(frozen=True, slots=True)
class BondState:
    """What a bond's members can do now. `enabled` may carry frames; `collecting` may receive while LACP is
    negotiated; `down` have no link; `active` is the one chosen; `buckets` has a member for each hash."""

    enabled: frozenset[str]
    collecting: frozenset[str]
    active: str | None
    buckets: tuple[str, ...]
    down: frozenset[str] = frozenset()
    lacp: Lacp = Lacp.OFF


class Admission(Enum):
    """What a frame that came in by a member must pass besides."""

    TAKE = "take"
    UNLESS_MOVED = "unless its source address is behind another port"


def initial(bond: BondConfig) -> BondState:
    """A bond as it begins: every member enabled, the first one active, the buckets dealt out in turn."""
    members = bond.members
    return BondState(
        enabled=frozenset(members),
        collecting=frozenset(members),
        active=members[0] if members else None,
        buckets=tuple(members[at % len(members)] for at in range(BUCKETS)) if members else (),
        lacp=Lacp.CONFIGURED if bond.lacp else Lacp.OFF,
    )


def admission(bond: BondConfig, state: BondState, member: str, frame: Frame) -> Admission | DropReason:
    """What becomes of a frame that came in by `member`."""
    if state.lacp is Lacp.NEGOTIATED:
        return Admission.TAKE if member in state.collecting else DropReason.BOND_INACTIVE_MEMBER
    mode = _mode(bond, state)
    if mode is None:
        return DropReason.BOND_NO_LACP
    active = _active(bond, state)
    if bond.mode is not BondMode.BALANCE_SLB:
        return Admission.TAKE if member == active else DropReason.BOND_INACTIVE_MEMBER
    if is_group(frame.dst) and not bond.all_members_active and member != active:
        return DropReason.BOND_MULTICAST_INACTIVE
    return Admission.UNLESS_MOVED


def leave(bond: BondConfig, state: BondState, frame: Frame, payload: bytes) -> str | DropReason:
    """The member by which a frame leaves; its outermost tag is the one it leaves with, `payload` is what
    stands behind all of its tags, from the type of Ethernet on."""
    mode = _mode(bond, state)
    if mode is None:
        return DropReason.BOND_NO_LACP
    usable = _usable(bond, state)
    if not usable:
        return DropReason.BOND_NO_MEMBER
    if mode is BondMode.ACTIVE_BACKUP:
        return _active(bond, state) or DropReason.BOND_NO_MEMBER
    at = bucket(bond, mode, frame, payload)
    chosen = state.buckets[at]
    return chosen if chosen in usable else usable[at % len(usable)]


def bucket(bond: BondConfig, mode: BondMode, frame: Frame, payload: bytes) -> int:
    """The bucket of a frame, for a bond that balances in a mode."""
    vlan = frame.tags[0].vid if frame.tags else 0
    if mode is BondMode.BALANCE_SLB:
        return slb_hash(frame.src, vlan, bond.basis) % BUCKETS
    return tcp_hash(frame, vlan, payload, bond.basis) >> 56


def tcp_hash(frame: Frame, vlan: int, payload: bytes, basis: int) -> int:
    """The hash of what layers 2 to 4 say, 64 bits of which the highest count. Both directions of a
    conversation have the same; a fragment's ports do not count, which only the first has."""
    addresses = int.from_bytes(frame.src, "little") ^ int.from_bytes(frame.dst, "little")
    hashed = (addresses << 16 ^ vlan ^ basis) * _FACTOR & _LONG
    hashed ^= _transport_key(payload)
    hashed ^= hashed >> 32
    return hashed * _FACTOR & _LONG


def _transport_key(data: bytes) -> int:
    """Addresses above, ports and protocol below, of `data` that begins with the type of Ethernet."""
    kind, packet = int.from_bytes(data[:2]), data[2:]
    if kind == _ETH_P_IP and len(packet) >= 20:
        protocol, ends = packet[9], packet[12:20]
        ports = (packet[0] & 15) * 4
        if int.from_bytes(packet[6:8]) & _FRAGMENT:
            ports = 0
    elif kind == _ETH_P_IPV6 and len(packet) >= 40:
        protocol, ends, ports = packet[6], packet[8:40], 40
    else:
        return 0
    addresses = _folded(ends, 4)
    both = _folded(packet[ports : ports + 4], 2) if ports and protocol in _PORTS else 0
    return addresses << 32 | both << 16 | protocol


def _folded(data: bytes, size: int) -> int:
    """The pieces of `size` bytes, added without carry; 0 when there are not as many as two."""
    result = 0
    if len(data) >= 2 * size:
        for at in range(0, len(data), size):
            result ^= int.from_bytes(data[at : at + size], "little")
    return result


def _mode(bond: BondConfig, state: BondState) -> BondMode | None:
    """The mode in which frames leave at present; None when none do."""
    if state.lacp is Lacp.CONFIGURED:
        return BondMode.ACTIVE_BACKUP if bond.fallback_ab else None
    if bond.mode is BondMode.BALANCE_TCP and state.lacp is Lacp.OFF:
        return None
    return bond.mode


def _usable(bond: BondConfig, state: BondState) -> tuple[str, ...]:
    """The members that can carry frames, by place. When none that is enabled has a link, any that has one is
    taken, but for what a partner would not expect."""
    usable = tuple(each for each in bond.members if each in state.enabled - state.down)
    if usable or state.lacp is Lacp.NEGOTIATED:
        return usable
    return tuple(each for each in bond.members if each not in state.down)


def _active(bond: BondConfig, state: BondState) -> str | None:
    usable = _usable(bond, state)
    return state.active if state.active in usable else next(iter(usable), None)
