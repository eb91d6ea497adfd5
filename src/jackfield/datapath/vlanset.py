"""Sets of VLAN ids in the form that the programs read. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from jackfield.datapath._abi import VlanSet


def vlan_set(vlans: Iterable[int]) -> VlanSet:
    """The set of these VLAN ids (0 to 4095). Raises ValueError for another number."""
    mask = 0
    for vlan in vlans:
        if not 0 <= vlan <= 4095:
            raise ValueError(f"{vlan} is not a VLAN id")
        mask |= 1 << vlan
    return VlanSet(tuple(mask >> 64 * word & 0xFFFFFFFFFFFFFFFF for word in range(64)))


def vlans_of(vlans: VlanSet) -> frozenset[int]:
    """The VLAN ids in a set."""
    return frozenset(
        64 * word + bit
        for word, bits in enumerate(vlans.bits)
        if bits
        for bit in range(64)
        if bits >> bit & 1
    )
