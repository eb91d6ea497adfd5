"""DHCP messages (RFC 2131, RFC 2132) and the IPv4 and UDP headers around them. Pure."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE = 1, 2, 3, 4, 5, 6, 7
SERVER_PORT, CLIENT_PORT = 67, 68
MASK, ROUTER, HOST_NAME, REQUESTED, LEASE_TIME, TYPE, SERVER = 1, 3, 12, 50, 51, 53, 54
PARAMETERS, RENEWAL_TIME, REBINDING_TIME, CLIENT = 55, 58, 59, 61
_PAD, _END, _OVERLOAD = 0, 255, 52
_MAGIC = b"\x63\x82\x53\x63"
_FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
_BROADCAST_FLAG = 0x8000
_ANY = bytes(4)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered: message type, the address that it gives, and its options by number."""

    type: int
    xid: int
    mac: bytes
    address: str
    options: Mapping[int, bytes] = field(default_factory=dict)

    def text(self, option: int) -> str:
        """The first address in an option, empty when there is none."""
        raw = self.options.get(option, b"")
        return socket.inet_ntoa(raw[:4]) if len(raw) >= 4 else ""

    def number(self, option: int) -> int | None:
        """A time in an option, in seconds."""
        raw = self.options.get(option, b"")
        return int.from_bytes(raw) if len(raw) == 4 else None

    @property
    def prefix(self) -> int:
        """The length of the subnet's prefix: 32 when no mask is told, or none that is one."""
        mask = self.options.get(MASK, b"")
        return int.from_bytes(mask).bit_count() if len(mask) == 4 else 32


def request(
    type_: int,
    xid: int,
    mac: bytes,
    host: str,
    *,
    client: str = "",
    options: Mapping[int, bytes] | None = None,
) -> bytes:
    """A client's message. `client` is the address that it has and uses, which an answer can be sent to;
    without one, the answer is asked for by broadcast."""
    wanted = {
        TYPE: bytes([type_]),
        CLIENT: b"\x01" + mac,
        HOST_NAME: host.encode("ascii", "replace")[:63],
        PARAMETERS: bytes([MASK, ROUTER, LEASE_TIME, RENEWAL_TIME, REBINDING_TIME]),
        **(options or {}),
    }
    return _message(xid, mac, client, wanted)


def release(xid: int, mac: bytes, client: str, server: str) -> bytes:
    """The message by which a client gives its address back, with the options that RFC 2131 table 5 allows."""
    options = {TYPE: bytes([RELEASE]), CLIENT: b"\x01" + mac, SERVER: socket.inet_aton(server)}
    return _message(xid, mac, client, options)


def _message(xid: int, mac: bytes, client: str, options: Mapping[int, bytes]) -> bytes:
    head = _FIXED.pack(
        *(1, 1, 6, 0, xid, 0, 0 if client else _BROADCAST_FLAG),
        *(socket.inet_aton(client) if client else _ANY, _ANY, _ANY, _ANY),
        *(mac, b"", b""),
    )
    body = b"".join(bytes([kind, len(value)]) + value for kind, value in options.items() if value)
    return (head + _MAGIC + body + bytes([_END])).ljust(300, b"\0")


def read(data: bytes) -> Reply | None:
    """A server's message; None for anything else."""
    if len(data) < _FIXED.size + 4 or data[_FIXED.size : _FIXED.size + 4] != _MAGIC or data[0] != 2:
        return None
    _, _, _, _, xid, _, _, _, yours, _, _, mac, _, _ = _FIXED.unpack_from(data)
    options = _options(data[_FIXED.size + 4 :])
    type_ = options.get(TYPE, b"")
    return Reply(type_[0], xid, mac[:6], socket.inet_ntoa(yours), options) if len(type_) == 1 else None


def wrap(payload: bytes) -> bytes:
    """The IPv4 packet that carries a message from a client without an address to all servers."""
    length = 20 + 8 + len(payload)
    broadcast = b"\xff" * 4
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0x10, length, 0, 0, 64, socket.IPPROTO_UDP, 0, _ANY, broadcast)
    ip = ip[:10] + struct.pack("!H", _checksum(ip)) + ip[12:]
    # A UDP checksum of zero says that there is none (RFC 768).
    return ip + struct.pack("!HHHH", CLIENT_PORT, SERVER_PORT, length - 20, 0) + payload


def unwrap(packet: bytes) -> bytes | None:
    """The UDP payload of an IPv4 packet to a DHCP client; None for any other packet."""
    if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_UDP:
        return None
    start = (packet[0] & 15) * 4
    if int.from_bytes(packet[6:8]) & 0x3FFF or len(packet) < start + 8:
        return None
    source, target, length, _ = struct.unpack_from("!HHHH", packet, start)
    if (source, target) != (SERVER_PORT, CLIENT_PORT):
        return None
    return packet[start + 8 : start + max(8, length)]


def _options(data: bytes) -> dict[int, bytes]:
    """Options by number; one that comes in parts is joined (RFC 3396)."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data) and data[at] != _END:
        if data[at] == _PAD:
            at += 1
            continue
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            break
        kind, length = data[at], data[at + 1]
        if kind != _OVERLOAD:
            found[kind] = found.get(kind, b"") + data[at + 2 : at + 2 + length]
        at += 2 + length
    return found


def _checksum(header: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
