"""Whose frames a port takes: those of the addresses that it is bound to. Pure.

Ethernet and IP sources count, and what ARP (RFC 826) and IPv6 neighbour discovery (RFC 4861) say of their
sender. A station without an address yet may ask for one: by DHCP (RFC 2131) from 0.0.0.0, by probing for it
with ARP (RFC 5227), and from :: by what IPv6 has for that.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

from jackfield.model.frame import VLAN_TPIDS
from jackfield.model.protection import GuardConfig
from jackfield.model.reasons import DropReason

ARP, RARP, IPV4, IPV6 = 0x0806, 0x8035, 0x0800, 0x86DD
_HOP_BY_HOP, _UDP, _ROUTING, _ICMPV6, _OPTIONS = 0, 17, 43, 58, 60
_ROUTER_SOLICITATION, _ROUTER_ADVERTISEMENT, _SOLICITATION, _ADVERTISEMENT = range(133, 137)
_SOURCE_LINK, _TARGET_LINK = 1, 2
_OF_ETHERNET_AND_IPV4 = bytes.fromhex("000108000604")
_DHCP_PORTS = bytes.fromhex("00440043")
_MOST_EXTENSIONS = 4
_MOST_OPTIONS = 8


def refuses(guard: GuardConfig, src: bytes, rest: bytes) -> DropReason | None:
    """Why a frame with this Ethernet source, and `rest` behind its tags, EtherType first, is not let in."""
    if not guard.bound_macs and not guard.bound_networks:
        return None
    if guard.bound_macs and src not in guard.bound_macs:
        return DropReason.BOUND_MAC
    if len(rest) < 2:
        return DropReason.BOUND_IP
    ethertype, data = int.from_bytes(rest[:2]), rest[2:]
    if ethertype in VLAN_TPIDS:
        return DropReason.BOUND_IP
    judge = _JUDGES.get(ethertype)
    return judge(guard, src, data) if judge is not None else None


def _is_bound(guard: GuardConfig, address: bytes) -> bool:
    if not guard.bound_networks:
        return True
    found = IPv4Address(address) if len(address) == 4 else IPv6Address(address)
    return any(found in network for network in guard.bound_networks)


def _arp(guard: GuardConfig, src: bytes, data: bytes) -> DropReason | None:
    if len(data) < 28 or data[:6] != _OF_ETHERNET_AND_IPV4 or data[8:14] != src:
        return DropReason.BOUND_ARP
    sender = data[14:18]
    return None if not any(sender) or _is_bound(guard, sender) else DropReason.BOUND_ARP


def _ipv4(guard: GuardConfig, _src: bytes, data: bytes) -> DropReason | None:
    if len(data) < 20:
        return DropReason.BOUND_IP
    source, length = data[12:16], 4 * (data[0] & 0xF)
    if any(source):
        return None if _is_bound(guard, source) else DropReason.BOUND_IP
    first = not int.from_bytes(data[6:8]) & 0x1FFF
    dhcp = data[9] == _UDP and first and data[length : length + 4] == _DHCP_PORTS
    return None if dhcp else DropReason.BOUND_IP


def _ipv6(guard: GuardConfig, src: bytes, data: bytes) -> DropReason | None:
    if len(data) < 40:
        return DropReason.BOUND_IP
    source, following, rest = data[8:24], data[6], data[40:]
    if any(source) and not _is_bound(guard, source):
        return DropReason.BOUND_IP
    for _ in range(_MOST_EXTENSIONS):
        if following == _ICMPV6:
            return _discovery(guard, src, rest, any(source))
        if following not in (_HOP_BY_HOP, _ROUTING, _OPTIONS):
            return None
        if len(rest) < 2:
            return DropReason.BOUND_IP
        following, rest = rest[0], rest[8 + 8 * rest[1] :]
    return DropReason.BOUND_IP


def _discovery(guard: GuardConfig, src: bytes, data: bytes, has_source: bool) -> DropReason | None:
    """A target that is claimed, by an advertisement or before it is used (RFC 4862), must be bound."""
    if len(data) < 8:
        return None
    kind = data[0]
    if kind == _ROUTER_SOLICITATION:
        return _options(src, data[8:], _SOURCE_LINK)
    if kind == _ROUTER_ADVERTISEMENT:
        return _options(src, data[16:], _SOURCE_LINK)
    if kind not in (_SOLICITATION, _ADVERTISEMENT):
        return None
    claimed = kind == _ADVERTISEMENT or not has_source
    if claimed and (len(data) < 24 or not _is_bound(guard, data[8:24])):
        return DropReason.BOUND_ND
    return _options(src, data[24:], _TARGET_LINK if kind == _ADVERTISEMENT else _SOURCE_LINK)


def _options(src: bytes, data: bytes, kind: int) -> DropReason | None:
    """Options that give a link-layer address must give the frame's."""
    for _ in range(_MOST_OPTIONS):
        if len(data) < 8:
            return None
        if not data[1] or (data[0] == kind and data[2:8] != src):
            return DropReason.BOUND_ND
        data = data[8 * data[1] :]
    return DropReason.BOUND_ND


_Judge = Callable[[GuardConfig, bytes, bytes], DropReason | None]
_JUDGES: dict[int, _Judge] = {ARP: _arp, RARP: _arp, IPV4: _ipv4, IPV6: _ipv6}
