"""The hash by which a balance-slb bond deals out sources: what `bond/hash` of OVS prints.

It is MurmurHash3's 32-bit mixing (Austin Appleby, public domain) of the VLAN and the address.
"""

from __future__ import annotations

_WORD = 0xFFFFFFFF


def slb_hash(mac: bytes, vlan: int, basis: int) -> int:
    """32 bits; a bucket is the lowest 8 of them. VLANs have 16 bits here, `basis` 32."""
    low, high = int.from_bytes(mac[2:], "big"), vlan << 16 | int.from_bytes(mac[:2], "big")
    return _finished(_added(_added(basis, low), high), 8)


def _added(state: int, data: int) -> int:
    data = _rotated(data * 0xCC9E2D51 & _WORD, 15) * 0x1B873593 & _WORD
    return (_rotated(state ^ data, 13) * 5 + 0xE6546B64) & _WORD


def _finished(state: int, length: int) -> int:
    state ^= length
    state = (state ^ state >> 16) * 0x85EBCA6B & _WORD
    state = (state ^ state >> 13) * 0xC2B2AE35 & _WORD
    return state ^ state >> 16


def _rotated(value: int, places: int) -> int:
    return (value << places | value >> (32 - places)) & _WORD
