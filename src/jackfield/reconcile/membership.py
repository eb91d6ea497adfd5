"""Sets of VLANs as integers of 4096 bits, and which ports flood which VLANs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain

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


def _native(port: Port) -> int:
    """The VLAN, besides VLAN 0, whose frames leave a port without its tag; 0 for none."""
    return port.tag if port.vlan_mode in _UNTAGGED_NATIVE else 0


def flood_members(ports: Iterable[tuple[int, Port, int]]) -> dict[int, tuple[int, ...]]:
    """The flood lists of one bridge, by VLAN or Limit.ANY_VLAN, of (port id, port, VLANs carried).

    In a list, ports that send the VLAN untagged come first, so that the program edits tags once. A VLAN
    whose list would be that of any VLAN has none.
    """
    # Ports that are alike are dealt with as one: there may be thousands of VLANs on hundreds of ports.
    alike: dict[tuple[int, int], list[int]] = {}
    for number, port, mask in ports:
        alike.setdefault((mask, _native(port)), []).append(number)
    wide = [sort for sort in alike if is_wide(sort[0])]
    every = tuple(sorted(number for sort in wide for number in alike[sort]))
    carriers: dict[int, list[tuple[int, int]]] = {}
    for mask, native in alike:
        # A wide port has its say in its native VLAN, and in VLAN 0, which it may not carry.
        for vlan in (0, native) if is_wide(mask) else vlans_in(mask):
            carriers.setdefault(vlan, [])
            if not is_wide(mask):
                carriers[vlan].append((mask, native))
    lists: dict[int, tuple[int, ...]] = {}
    made: dict[tuple[tuple[int, int, bool], ...], tuple[int, ...]] = {}
    for vlan, some in carriers.items():
        sorts = some + [sort for sort in wide if sort[0] >> vlan & 1]
        key = tuple((mask, native, vlan in (0, native)) for mask, native in sorts)
        listed = made.get(key)
        if listed is None:
            firsts, others = (
                sorted(
                    chain.from_iterable(alike[mask, native] for mask, native, first in key if first is now)
                )
                for now in (True, False)
            )
            listed = made[key] = (*firsts, *others)
        if listed != every:
            lists[vlan] = listed
    if every:
        lists[Limit.ANY_VLAN] = every
    return lists
