"""Telling the neighbours who has an address now, so that nobody goes on with the MAC of an earlier holder:
gratuitous ARP (RFC 5227 section 3) and unsolicited neighbour advertisements (RFC 4861 section 7.2.6)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from threading import Thread

from jackfield.net import inet

_BROADCAST = b"\xff" * 6
_ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")
_ALL_NODES_MAC = bytes.fromhex("333300000001")
_ARP, _IPV6, _ICMPV6 = 0x0806, 0x86DD, 58
_OVERRIDE = 0x20000000


def announce(device: str, mac: bytes, addresses: Iterable[str]) -> None:
    """Send an announcement for each address "A/N" of a device of this thread's namespace. Raises OSError."""
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    try:
        sender.bind((device, 0))
        for address in addresses:
            raw = inet.pack(address.partition("/")[0])
            sender.send(arp_announcement(mac, raw) if len(raw) == 4 else neighbour_advertisement(mac, raw))
    finally:
        # The kernel takes some 15 ms to close a packet socket (a grace period), which nobody need wait for.
        Thread(target=sender.close, daemon=True).start()


def arp_announcement(mac: bytes, address: bytes) -> bytes:
    """The frame for an IPv4 address. Pure."""
    fixed = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    return _BROADCAST + mac + struct.pack("!H", _ARP) + fixed + mac + address + bytes(6) + address


def neighbour_advertisement(mac: bytes, address: bytes) -> bytes:
    """The frame for an IPv6 address. Pure."""
    rest = struct.pack("!I", _OVERRIDE) + address + b"\x02\x01" + mac
    pseudo = address + _ALL_NODES + struct.pack("!II", len(rest) + 4, _ICMPV6)
    body = struct.pack("!BBH", 136, 0, _checksum(pseudo + b"\x88\x00\x00\x00" + rest)) + rest
    header = struct.pack("!IHBB", 6 << 28, len(body), _ICMPV6, 255) + address + _ALL_NODES
    return _ALL_NODES_MAC + mac + struct.pack("!H", _IPV6) + header + body


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
