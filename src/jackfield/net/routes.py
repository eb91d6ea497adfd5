"""Routes: list, add, replace, delete (rtnetlink(7), linux/rtnetlink.h).

What is read can be added again as it was: table, metric, protocol, type, scope, source, several next hops,
metrics, lifetime. Attributes that have no field here are kept in `others` and sent back unchanged.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from jackfield.net import inet
from jackfield.net.errors import KernelError
from jackfield.net.netlink import APPEND, CREATE, EXCL, REPLACE, Netlink, attribute, attribute_list, u32

RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
TABLE_DEFAULT, TABLE_MAIN, TABLE_LOCAL = 253, 254, 255
UNICAST, LOCAL, BROADCAST, ANYCAST, MULTICAST = 1, 2, 3, 4, 5
BY_REDIRECT, BY_KERNEL, BY_BOOT, BY_STATIC, BY_RA = 1, 2, 3, 4, 9
UNIVERSE, LINK, HOST = 0, 253, 254
ONLINK = 4
RTA_DST, RTA_SRC, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC = 1, 2, 4, 5, 6, 7
RTA_MULTIPATH, RTA_CACHEINFO, RTA_TABLE, RTA_VIA = 9, 12, 15, 18
RTA_ENCAP_TYPE, RTA_ENCAP, RTA_EXPIRES, RTA_NH_ID = 21, 22, 23, 30

_PERVASIVE = 2
_KEPT_FLAGS = ONLINK | _PERVASIVE  # the others tell a state: dead, link down, offloaded
_KIND = 0x3FFF
_REPORTED = {RTA_CACHEINFO, 17, 29}  # what the kernel tells and nobody can ask for
_HEADER = struct.Struct("=BBBBBBBBI")
_HOP = struct.Struct("=HBBi")
_CACHEINFO_EXPIRES = struct.Struct("=8xi")

Attributes = tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class NextHop:
    """One way of a route. A gateway may be of the other address family (RFC 5549)."""

    ifindex: int = 0
    gateway: str = ""
    weight: int = 1
    flags: int = 0  # RTNH_F_ONLINK
    others: Attributes = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A route; its destination is a prefix such as "10.0.0.0/8" or "::/0"."""

    destination: str
    hops: tuple[NextHop, ...] = ()
    table: int = TABLE_MAIN
    kind: int = UNICAST  # RTN_*
    protocol: int = BY_BOOT  # who made it, RTPROT_*
    scope: int = UNIVERSE
    metric: int = 0  # 0: the kernel's choice
    source: str = ""  # prefix of the senders that it is for (IPv6)
    preferred_source: str = ""
    tos: int = 0
    expires_seconds: int = 0  # 0: never
    others: Attributes = ()

    @classmethod
    def to(cls, destination: str, ifindex: int, gateway: str = "", *, metric: int = 0) -> Route:
        """As `ip route add DESTINATION via GATEWAY dev …`; "default" takes its family from the gateway,
        IPv4 without one. Raises ValueError."""
        if destination == "default":
            destination = "::/0" if ":" in gateway else "0.0.0.0/0"
        prefix = inet.network(destination)
        hop = NextHop(ifindex, inet.split(gateway)[0] if gateway else "")
        scope = LINK if not gateway and inet.family_of(prefix) == socket.AF_INET else UNIVERSE
        return cls(prefix, (hop,), metric=metric, scope=scope)

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""
        return inet.family_of(self.destination)

    @property
    def is_default(self) -> bool:
        """Whether it is for every destination."""
        return self.destination.endswith("/0") and not self.source

    @property
    def gateways(self) -> tuple[str, ...]:
        """The gateways of its ways."""
        return tuple(hop.gateway for hop in self.hops if hop.gateway)

    @property
    def nexthop_object(self) -> int:
        """The number of the nexthop object (`ip nexthop`) that it goes by; 0 when by none."""
        raw = {kind & _KIND: value for kind, value in self.others}.get(RTA_NH_ID)
        return int.from_bytes(raw, sys.byteorder) if raw else 0

    @property
    def encapsulates(self) -> bool:
        """Whether it puts packets into tunnels of its own (lightweight tunnels: MPLS, SRv6 …)."""
        everything = [*self.others, *(pair for hop in self.hops for pair in hop.others)]
        return any(kind & _KIND in (RTA_ENCAP, RTA_ENCAP_TYPE) for kind, _ in everything)

    def uses(self, ifindex: int) -> bool:
        """Whether one of its ways is by a device."""
        return any(hop.ifindex == ifindex for hop in self.hops)

    def __str__(self) -> str:
        what = "default" if self.is_default else self.destination
        via = "".join(f" via {gateway}" for gateway in self.gateways)
        return what + via + (f" table {self.table}" if self.table != TABLE_MAIN else "")


def list_routes(netlink: Netlink, ifindex: int = 0, table: int = 0) -> tuple[Route, ...]:
    """All routes, or those by one device or in one table, in the kernel's order. Raises KernelError."""
    found = []
    for family in inet.FAMILIES:
        request = _HEADER.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)
        # The kernel sorts out for itself: a host may have a million routes by other devices.
        request += u32(RTA_OIF, ifindex) if ifindex else b""
        request += u32(RTA_TABLE, table) if table else b""
        try:
            bodies = netlink.dump("listing routes", RTM_GETROUTE, request)
        except KernelError as error:
            # No such device, no such table (yet), no such family.
            if error.errno in (errno.ENODEV, errno.ENOENT, errno.EOPNOTSUPP, errno.EAFNOSUPPORT):
                continue
            raise
        found += [read_route(body) for body in bodies if body[0] == family]
    return tuple(
        route
        for route in found
        if (not ifindex or route.uses(ifindex)) and (not table or route.table == table)
    )


def add_route(netlink: Netlink, route: Route) -> None:
    """Raises KernelError, with EEXIST when there is one to that prefix with that metric."""
    _new(netlink, route, CREATE | EXCL)


def append_route(netlink: Netlink, route: Route) -> None:
    """Add a route behind others of the same prefix and metric, if there are any: IPv4 uses it when they are
    gone, IPv6 at once beside them. KernelError with EEXIST when the very same one is there."""
    _new(netlink, route, CREATE | APPEND)


def replace_route(netlink: Netlink, route: Route) -> None:
    """Add a route, or put it in the place of one with the same prefix and metric. Raises KernelError."""
    _new(netlink, route, CREATE | REPLACE)


def delete_route(netlink: Netlink, route: Route) -> None:
    """Remove exactly this route. No error when it is gone. Raises KernelError."""
    try:
        netlink.request(f"removing route {route}", RTM_DELROUTE, 0, route_body(route))
    except KernelError as error:
        if error.errno not in (errno.ESRCH, errno.ENODEV):
            raise


def read_route(body: bytes) -> Route:
    """The route that an RTM_NEWROUTE or RTM_DELROUTE message describes."""
    family, length, source_length, tos, table, protocol, scope, kind, flags = _HEADER.unpack_from(body)
    listed = attribute_list(body, _HEADER.size)
    found = {kind & _KIND: value for kind, value in listed}
    zero = bytes(16 if family == socket.AF_INET6 else 4)
    if RTA_MULTIPATH in found:
        hops = tuple(_hops(found[RTA_MULTIPATH]))
    elif RTA_OIF in found or RTA_GATEWAY in found or RTA_VIA in found:
        hops = (NextHop(_number(found, RTA_OIF), _gateway(found), flags=flags & _KEPT_FLAGS),)
    else:
        hops = ()
    known = {
        *(RTA_DST, RTA_SRC, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_MULTIPATH),
        *(RTA_TABLE, RTA_VIA, *_REPORTED),
    }
    return Route(
        destination=f"{inet.unpack(found.get(RTA_DST, zero))}/{length}",
        hops=hops,
        table=_number(found, RTA_TABLE) or table,
        kind=kind,
        protocol=protocol,
        scope=scope,
        metric=_number(found, RTA_PRIORITY),
        source=f"{inet.unpack(found.get(RTA_SRC, zero))}/{source_length}" if source_length else "",
        preferred_source=inet.unpack(found[RTA_PREFSRC]) if RTA_PREFSRC in found else "",
        tos=tos,
        expires_seconds=_expires(found) if family == socket.AF_INET6 else 0,
        others=tuple(pair for pair in listed if pair[0] & _KIND not in known),
    )


def route_body(route: Route) -> bytes:
    """The payload of a message about a route: struct rtmsg and its attributes."""
    address, length = inet.split(route.destination)
    source, source_length = inet.split(route.source) if route.source else ("", 0)
    single = route.hops[0] if len(route.hops) == 1 else None
    body = _HEADER.pack(
        route.family,
        length,
        source_length,
        route.tos,
        route.table if route.table < 256 else 0,
        route.protocol,
        route.scope,
        route.kind,
        single.flags if single else 0,
    )
    body += u32(RTA_TABLE, route.table)
    body += attribute(RTA_DST, inet.pack(address)) if length else b""
    body += attribute(RTA_SRC, inet.pack(source)) if source_length else b""
    body += u32(RTA_PRIORITY, route.metric) if route.metric else b""
    body += attribute(RTA_PREFSRC, inet.pack(route.preferred_source)) if route.preferred_source else b""
    body += u32(RTA_EXPIRES, route.expires_seconds) if route.expires_seconds else b""
    if single is not None:
        body += u32(RTA_OIF, single.ifindex) if single.ifindex else b""
        body += _gateway_attribute(route.family, single.gateway) + _joined(single.others)
    elif route.hops:
        body += attribute(RTA_MULTIPATH, b"".join(_hop_body(route.family, hop) for hop in route.hops))
    return body + _joined(route.others)


def _new(netlink: Netlink, route: Route, flags: int) -> None:
    netlink.request(f"adding route {route}", RTM_NEWROUTE, flags, route_body(route))


def _hops(data: bytes) -> Iterable[NextHop]:
    at = 0
    while at + _HOP.size <= len(data):
        length, flags, more, ifindex = _HOP.unpack_from(data, at)
        if length < _HOP.size:
            return
        listed = attribute_list(data[at : at + length], _HOP.size)
        found = {kind & _KIND: value for kind, value in listed}
        others = tuple(pair for pair in listed if pair[0] & _KIND not in (RTA_GATEWAY, RTA_VIA))
        yield NextHop(ifindex, _gateway(found), more + 1, flags & _KEPT_FLAGS, others)
        at += (length + 3) & ~3


def _hop_body(family: int, hop: NextHop) -> bytes:
    rest = _gateway_attribute(family, hop.gateway) + _joined(hop.others)
    return _HOP.pack(_HOP.size + len(rest), hop.flags, hop.weight - 1, hop.ifindex) + rest


def _gateway(found: dict[int, bytes]) -> str:
    if RTA_GATEWAY in found:
        return inet.unpack(found[RTA_GATEWAY])
    return inet.unpack(found[RTA_VIA][2:]) if RTA_VIA in found else ""


def _gateway_attribute(family: int, gateway: str) -> bytes:
    if not gateway:
        return b""
    raw = inet.pack(gateway)
    if inet.family_of(gateway) == family:
        return attribute(RTA_GATEWAY, raw)
    return attribute(RTA_VIA, struct.pack("=H", inet.family_of(gateway)) + raw)


def _joined(pairs: Attributes) -> bytes:
    return b"".join(attribute(kind, value) for kind, value in pairs)


def _expires(found: dict[int, bytes]) -> int:
    """Seconds of life left, from the kernel's ticks; 0 for ever."""
    info = found.get(RTA_CACHEINFO, b"")
    ticks: int = _CACHEINFO_EXPIRES.unpack_from(info)[0] if len(info) >= _CACHEINFO_EXPIRES.size else 0
    return max(1, ticks // os.sysconf("SC_CLK_TCK")) if ticks > 0 else 0


def _number(found: dict[int, bytes], kind: int) -> int:
    value = found.get(kind)
    return int.from_bytes(value, sys.byteorder) if value is not None else 0
