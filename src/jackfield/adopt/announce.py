"""Telling the wire that addresses have a new MAC: ARP announcements (RFC 5227 section 3) and unsolicited
neighbour advertisements (RFC 4861 section 7.2.6)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

from jackfield.net import inet
from jackfield.net.addresses import Address
from jackfield.net.link import Link

_BROADCAST = b"\xff" * 6
_ALL_NODES, _ALL_NODES_MAC = inet.pack("ff02::1"), bytes.fromhex("333300000001")
_OVERRIDE = 0x20000000
_NEIGHBOUR_ADVERTISEMENT, _TARGET_LINK_ADDRESS = 136, 2


def announce(link: Link, addresses: Iterable[Address]) -> None:
    """Say on a device that the addresses are at its MAC. Raises OSError."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as raw:
        raw.bind((link.name, 0))
        for address in addresses:
            make = arp_announcement if address.family == socket.AF_INET else neighbour_advertisement
            raw.send(make(link.mac, inet.pack(address.address)))


def arp_announcement(mac: bytes, address: bytes) -> bytes:
    """A frame that asks everybody for the sender's own address."""
    arp = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + mac + address + bytes(6) + address
    return _BROADCAST + mac + b"\x08\x06" + arp


def neighbour_advertisement(mac: bytes, address: bytes) -> bytes:
    """A frame that tells all nodes of the link where an address is."""
    body = struct.pack(">BBHI", _NEIGHBOUR_ADVERTISEMENT, 0, 0, _OVERRIDE) + address
    body += bytes([_TARGET_LINK_ADDRESS, 1]) + mac
    pseudo = address + _ALL_NODES + struct.pack(">II", len(body), socket.IPPROTO_ICMPV6)
    header = struct.pack(">IHBB", 6 << 28, len(body), socket.IPPROTO_ICMPV6, 255) + address + _ALL_NODES
    return _ALL_NODES_MAC + mac + b"\x86\xdd" + header + body[:2] + checksum(pseudo + body) + body[4:]


def checksum(data: bytes) -> bytes:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", ~total & 0xFFFF)
