"""Ethernet frames as values: addresses, VLAN tags and what is behind them (IEEE 802.3, 802.1Q).

Only as much is taken apart as forwarding needs. Whatever follows the tags that were asked for, deeper
tags included, is one piece of bytes and is carried along unchanged.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from jackfield.model.config import ETH_P_8021AD, ETH_P_8021Q

ETH_HLEN = 14
VLAN_HLEN = 4
VLAN_TPIDS = frozenset({ETH_P_8021Q, ETH_P_8021AD})

ADDRESSES = 12
_ARP_START = bytes.fromhex("0806000108000604")  # type, Ethernet, IPv4, lengths of their addresses
_ARP_END = 30
_ARP_REQUEST, _ARP_REPLY = 1, 2
_ETHERTYPE = 2
_BPDU_ADDRESSES = (bytes.fromhex("0180c2000000"), bytes.fromhex("0180c2000008"))
_PVST_ADDRESS, _PVST_SNAP = bytes.fromhex("01000ccccccd"), bytes.fromhex("aaaa0300000c010b")
_BPDU_LLC, _BPDU_START, _LENGTH_MAX = b"\x42\x42", 17, 1500


@dataclass(frozen=True, slots=True)
class Tag:
    """One VLAN tag: tag protocol (0x8100 or 0x88a8), VLAN 0-4095, priority 0-7, drop eligible indicator."""

    tpid: int
    vid: int
    pcp: int = 0
    dei: bool = False

    def pack(self) -> bytes:
        """The four bytes of the tag on the wire."""
        return struct.pack("!HH", self.tpid, self.pcp << 13 | self.dei << 12 | self.vid)

    def matches(self, other: Tag) -> bool:
        """Whether both are the same tag to forwarding, which has no regard for the DEI."""
        return (self.tpid, self.vid, self.pcp) == (other.tpid, other.vid, other.pcp)


@dataclass(frozen=True, slots=True)
class Frame:
    """An Ethernet frame; `rest` begins with the ethertype behind the last tag in `tags`."""

    dst: bytes
    src: bytes
    tags: tuple[Tag, ...]
    rest: bytes

    def pack(self) -> bytes:
        """The frame on the wire, without padding and check sequence."""
        return b"".join((self.dst, self.src, *(tag.pack() for tag in self.tags), self.rest))


def parse(data: bytes, limit: int) -> Frame:
    """Take a frame apart, down to at most `limit` tags from the outermost inwards.

    A tag counts only if its four bytes and an ethertype behind it are there; the remains of one that is
    cut short stay in `rest`. Raises ValueError on less than an Ethernet header.
    """
    if len(data) < ETH_HLEN:
        raise ValueError(f"a frame has at least {ETH_HLEN} bytes, this one has {len(data)}")
    tags, rest = split_tags(data[ADDRESSES:], limit)
    return Frame(data[:6], data[6:ADDRESSES], tags, rest)


def split_tags(data: bytes, limit: int) -> tuple[tuple[Tag, ...], bytes]:
    """The at most `limit` leading tags of `data`, which begins where the addresses end, and what follows."""
    tags: list[Tag] = []
    while len(tags) < limit and _ethertype(data) in VLAN_TPIDS and len(data) >= VLAN_HLEN + _ETHERTYPE:
        tpid, tci = struct.unpack_from("!HH", data)
        tags.append(Tag(tpid, tci & 0xFFF, tci >> 13, bool(tci & 0x1000)))
        data = data[VLAN_HLEN:]
    return tuple(tags), data


def is_truncated(frame: Frame) -> bool:
    """Whether the outermost tag is announced by the ethertype but cut short."""
    return not frame.tags and _ethertype(frame.rest) in VLAN_TPIDS


def payload_length(data: bytes) -> int:
    """Bytes behind the Ethernet header and the outermost tag, if any: what an MTU limits."""
    tagged = _ethertype(data[ADDRESSES:]) in VLAN_TPIDS
    return len(data) - ETH_HLEN - (VLAN_HLEN if tagged else 0)


def is_group(mac: bytes) -> bool:
    """Whether the address is a multicast or the broadcast address."""
    return bool(mac[0] & 1)


def is_reserved(mac: bytes) -> bool:
    """Whether frames to this address are for link protocols and not forwarded by default
    (ovs-vswitchd.conf.db(5), Bridge other_config:forward-bpdu)."""
    return mac in _RESERVED


def is_slow_protocol(frame: Frame) -> bool:
    """Whether the frame is of a protocol between neighbours that LACP is one of (IEEE 802.3, 57A)."""
    return not frame.tags and frame.rest[:2] == b"\x88\x09"


def is_bpdu(data: bytes, payload: bytes) -> bool:
    """Whether these are the bytes of a spanning tree frame, with `payload` behind its tags: to the address of
    customer or of provider bridges (IEEE 802.1D, 9.2), or Cisco's for one VLAN (PVST+), tagged or not."""
    if data[:6] == _PVST_ADDRESS:
        return int.from_bytes(payload[:2]) <= _LENGTH_MAX and payload[2:10] == _PVST_SNAP
    if len(data) < _BPDU_START or data[:6] not in _BPDU_ADDRESSES:
        return False
    return int.from_bytes(data[12:14]) <= _LENGTH_MAX and data[14:16] == _BPDU_LLC


def is_gratuitous_arp(dst: bytes, payload: bytes) -> bool:
    """Whether a frame to `dst`, with `payload` behind its tags, announces an IPv4 address by broadcast: any
    ARP reply, or a request for the sender's own address (RFC 826)."""
    if dst != b"\xff" * 6 or payload[:8] != _ARP_START or len(payload) < _ARP_END:
        return False
    operation = int.from_bytes(payload[8:10])
    return operation == _ARP_REPLY or (operation == _ARP_REQUEST and payload[16:20] == payload[26:30])


def _ethertype(data: bytes) -> int:
    return int.from_bytes(data[:_ETHERTYPE], "big")


_RESERVED = frozenset(
    bytes.fromhex(address)
    for address in (
        *(f"0180c20000{last:02x}" for last in range(16)),  # IEEE 802.1D: spanning tree, pause, LACP, LLDP
        "00e02b000000",  # Extreme: EDP
        "00e02b000004",  # Extreme: EAPS
        "00e02b000006",  # Extreme: EAPS
        "01000c000000",  # Cisco: ISL
        "01000ccccccc",  # Cisco: CDP, PAgP, UDLD, DTP, VTP
        "01000ccccccd",  # Cisco: PVST+
        "01000ccdcdcd",  # Cisco: uplink fast
        *(f"01000cccccc{last:x}" for last in range(8)),  # Cisco: CFM
    )
)
