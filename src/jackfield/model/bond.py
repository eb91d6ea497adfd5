"""Bonds: which member a frame leaves by, and whether one that came in by a member is taken.

Follows ovs-vswitchd.conf.db(5), Port, "Bonding Configuration", and where that is silent the behaviour of
Open vSwitch. Who is enabled and active is decided elsewhere (jackfield.model.bonding, jackfield.model.lacp);
here it is what frames meet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    "flow_bucket",
    "initial",
    "leave",
    "linked",
]

BUCKETS = 256
_ETH_P_IP, _ETH_P_IPV6 = 0x0800, 0x86DD
_PORTS = frozenset({6, 17, 132})  # TCP, UDP, SCTP
_FRAGMENT = 0x3FFF  # more fragments, or not the first one
_FACTOR = 0x3D9C172411E20B8F


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


def linked(bond: BondConfig, state: BondState, member: str, up: bool) -> BondState:
    """The bond after the link of a member has come or gone. Where none could be used, the first one that can
    stays the active one when others follow."""
    if not up:
        return replace(state, down=state.down | {member})
    active = state.active if _usable(bond, state) else member
    return replace(state, down=state.down - {member}, active=active)


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


def leave(bond: BondConfig, state: BondState, frame: Frame, vlan: int, payload: bytes) -> str | DropReason:
    """The member by which a frame leaves; its outermost tag is the one it leaves with, `vlan` the one
    inside the bridge, `payload` what stands behind all of its tags, from the type of Ethernet on."""
    mode = _mode(bond, state)
    if mode is None:
        return DropReason.BOND_NO_LACP
    usable = _usable(bond, state)
    if not usable:
        return DropReason.BOND_NO_MEMBER
    if mode is BondMode.ACTIVE_BACKUP:
        return _active(bond, state) or DropReason.BOND_NO_MEMBER
    at = bucket(bond, mode, frame, vlan, payload)
    chosen = state.buckets[at]
    return chosen if chosen in usable else usable[at % len(usable)]


def bucket(bond: BondConfig, mode: BondMode, frame: Frame, vlan: int, payload: bytes) -> int:
    """The bucket of a frame, for a bond that balances in a mode: see `leave`."""
    if mode is BondMode.BALANCE_SLB:
        return slb_hash(frame.src, frame.tags[0].vid if frame.tags else 0, bond.basis) % BUCKETS
    return flow_bucket(frame, vlan, payload, bond.basis)


def flow_bucket(frame: Frame, vlan: int, payload: bytes, basis: int) -> int:
    """The bucket by what layers 2 to 4 say; `vlan` is the one inside the bridge. A fragment's ports do not
    count, which only the first has."""
    ends = frame.dst + frame.src
    between = _between_stations(payload)
    if between is None:
        between = _number(ends[:8])
    summed = (between + _number(ends[4:]) + vlan) % (1 << 64)
    turned = int.from_bytes(summed.to_bytes(8, "little"))
    return turned * (_FACTOR ^ basis << 1) % (1 << 64) >> 56


def _between_stations(data: bytes) -> int | None:
    """What tells flows between two stations apart, of `data` that begins with the type of Ethernet: the
    network layer's addresses, and both ports. None when there is no such layer."""
    kind, packet = int.from_bytes(data[:2]), data[2:]
    if kind == _ETH_P_IP and len(packet) >= 20:
        addresses, protocol, ports = packet[12:20], packet[9], (packet[0] & 15) * 4
        if int.from_bytes(packet[6:8]) & _FRAGMENT:
            ports = 0
    elif kind == _ETH_P_IPV6 and len(packet) >= 40:
        addresses, protocol, ports = packet[8:40], packet[6], 40
    else:
        return None
    between = sum(_number(addresses[at : at + 8]) for at in range(0, len(addresses), 8)) + _number(
        addresses[-4:]
    )
    if not ports or protocol not in _PORTS or len(packet) < ports + 4:
        return between
    return between + (_number(packet[ports : ports + 4]) << 32)


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


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
