"""Sets of VLANs as integers of 4096 bits, and which ports flood which VLANs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from jackfield.datapath._abi import Limit, Port, VlanMode, VlanSet

ALL = (1 << 4096) - 1
_WIDE = frozenset((ALL, ALL - 1))
_WORD = (1 << 64) - 1
_ONE_VLAN = frozenset((VlanMode.ACCESS, VlanMode.DOT1Q_TUNNEL))
_UNTAGGED_NATIVE = frozenset((*_ONE_VLAN, VlanMode.NATIVE_UNTAGGED))


@lru_cache(maxsize=1024)
def mask_of(vlans: frozenset[int]) -> int:
    """The set as an integer."""
    mask = 0
    for vlan in vlans:
        mask |= 1 << vlan
    return mask


@lru_cache(maxsize=1024)
def vlans_in(mask: int) -> tuple[int, ...]:
    """The VLANs of such an integer, rising."""
    return tuple(at for at, bit in enumerate(reversed(f"{mask:b}")) if bit == "1")


@lru_cache(maxsize=1024)
def record_of(mask: int) -> VlanSet:
    """The set as the programs read it."""
    return VlanSet(tuple(mask >> 64 * word & _WORD for word in range(64)))


def carried(mode: VlanMode, tag: int, trunks: frozenset[int] | None) -> int:
    """The VLANs that a port carries: its own when it has one only, else all or the listed ones."""
    if mode in _ONE_VLAN:
        return 1 << tag
    return ALL if trunks is None else mask_of(trunks)


def is_wide(mask: int) -> bool:
    """Whether a port is one of those that carry every VLAN without a flood list of its own."""
    return mask in _WIDE


def untagged(port: Port, vlan: int) -> bool:
    """Whether frames of `vlan` leave a port without that VLAN's tag."""
    return vlan == 0 or (vlan == port.tag and port.vlan_mode in _UNTAGGED_NATIVE)


def flood_members(ports: Iterable[tuple[int, Port, int]]) -> dict[int, tuple[int, ...]]:
    """The flood lists of one bridge, by VLAN or Limit.ANY_VLAN, of (port id, port, VLANs carried).

    In a list, ports that send the VLAN untagged come first, so that the program edits tags once. A VLAN
    whose list would be that of any VLAN has none.
    """
    wide: list[tuple[int, Port, int]] = []
    narrow: dict[int, list[tuple[int, Port]]] = {}
    for number, port, mask in sorted(ports, key=lambda entry: entry[0]):
        if is_wide(mask):
            wide.append((number, port, mask))
            # A wide port may send its native VLAN untagged, and may not carry VLAN 0.
            own = mask & (1 << port.tag if port.vlan_mode == VlanMode.NATIVE_UNTAGGED else 0)
            for vlan in vlans_in(own | 1):
                narrow.setdefault(vlan, [])
        else:
            for vlan in vlans_in(mask):
                narrow.setdefault(vlan, []).append((number, port))
    lists: dict[int, tuple[int, ...]] = {}
    every = tuple(number for number, _, _ in wide)
    for vlan, some in narrow.items():
        members = [*some, *((number, port) for number, port, mask in wide if mask >> vlan & 1)]
        first = sorted(number for number, port in members if untagged(port, vlan))
        last = sorted(number for number, port in members if not untagged(port, vlan))
        if (listed := (*first, *last)) != every:
            lists[vlan] = listed
    if every:
        lists[Limit.ANY_VLAN] = every
    return lists
