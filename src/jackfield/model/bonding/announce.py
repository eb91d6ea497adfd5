"""Frames that tell the neighbours where an address is now: reverse ARP requests, as OVS sends them (RFC 903).

A switch that sees one learns the address on the port where it came in.
"""

from __future__ import annotations

import struct

from jackfield.model.config import PortConfig
from jackfield.model.frame import Frame, Tag
from jackfield.model.vlan import includes, output_tags

ETH_P_8021Q, ETH_P_RARP = 0x8100, 0x8035
BROADCAST = b"\xff" * 6
_REQUEST = struct.Struct("!HHBBH6s4s6s4s")
_ETHERNET, _IPV4, _RARP_REQUEST = 1, 0x0800, 3


def announcement(port: PortConfig, vlan: int, mac: bytes) -> bytes | None:
    """The frame that leaves by `port` for an address known in a VLAN; None if the port does not carry it."""
    stack = (Tag(ETH_P_8021Q, vlan),) if vlan else ()
    if not includes(port, stack):
        return None
    nobody = bytes(4)
    body = _REQUEST.pack(_ETHERNET, _IPV4, 6, 4, _RARP_REQUEST, mac, nobody, mac, nobody)
    rest = ETH_P_RARP.to_bytes(2, "big") + body
    return Frame(BROADCAST, mac, output_tags(port, stack, ()), rest).pack()
