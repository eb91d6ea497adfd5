"""IP addresses of devices: list, add, delete (rtnetlink(7), linux/if_addr.h).

What is read can be added again as it was: flags, label, lifetimes, metric and protocol are kept.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from jackfield.net import inet
from jackfield.net.errors import KernelError
from jackfield.net.netlink import CREATE, EXCL, REPLACE, Netlink, attribute, attributes, text, u32

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
SECONDARY, NODAD, DADFAILED, TENTATIVE, PERMANENT = 0x01, 0x02, 0x08, 0x40, 0x80
TEMPORARY = SECONDARY  # what the same bit means for IPv6
NOPREFIXROUTE = 0x200
SCOPE_GLOBAL, SCOPE_LINK = 0, 253
FOREVER = 0xFFFFFFFF

_ASKABLE = 0x02 | 0x10 | 0x100 | 0x200 | 0x400
"""The flags that can be asked for: nodad, home, mngtmpaddr, noprefixroute, autojoin."""
_ADDRESS, _LOCAL, _LABEL, _BROADCAST, _CACHEINFO, _FLAGS, _METRIC, _PROTOCOL = 1, 2, 3, 4, 6, 8, 9, 11
_HEADER = struct.Struct("=BBBBI")
_LIFETIMES = struct.Struct("=II8x")


@dataclass(frozen=True, slots=True)
class Address:
    """An address of a device."""

    ifindex: int
    address: str
    prefix: int  # length; of the peer's prefix when there is a peer
    peer: str = ""
    broadcast: str = ""
    label: str = ""
    scope: int = SCOPE_GLOBAL
    flags: int = 0  # IFA_F_*
    valid_seconds: int = FOREVER
    preferred_seconds: int = FOREVER
    metric: int = 0  # of the prefix's route; 0: the kernel's choice
    protocol: int = 0  # who made it, IFAPROT_*

    @classmethod
    def of(cls, ifindex: int, given: str) -> Address:
        """From "A/N", as `ip address add` takes it, with the broadcast address that one expects of it for
        IPv4. Raises ValueError."""
        address, prefix = inet.split(given)
        broadcast = ""
        if inet.family_of(address) == socket.AF_INET and prefix < 31:
            value = int.from_bytes(inet.pack(address), "big") | (1 << (32 - prefix)) - 1
            broadcast = inet.unpack(value.to_bytes(4, "big"))
        return cls(ifindex, address, prefix, broadcast=broadcast)

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""
        return inet.family_of(self.address)

    @property
    def link_local(self) -> bool:
        """Whether it is an IPv6 address of fe80::/10."""
        return self.family == socket.AF_INET6 and inet.contains("fe80::/10", self.address)

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix}" + (f" peer {self.peer}" if self.peer else "")


def list_addresses(netlink: Netlink, ifindex: int = 0) -> tuple[Address, ...]:
    """All addresses, or those of one device, in the kernel's order. Raises KernelError."""
    found = []
    for family in inet.FAMILIES:
        header = _HEADER.pack(family, 0, 0, 0, ifindex)
        try:
            bodies = netlink.dump("listing addresses", RTM_GETADDR, header)
        except KernelError as error:
            if error.errno in (errno.ENODEV, errno.EOPNOTSUPP, errno.EAFNOSUPPORT):
                continue
            raise
        found += [read_address(body) for body in bodies if body[0] == family]
    return tuple(address for address in found if ifindex in (0, address.ifindex))


def in_order_to_add(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """In which order addresses that were listed are to be added to be listed so again: of two, that which
    is listed first is preferred as a source; the kernel puts a new IPv6 address before the others."""
    given = tuple(addresses)
    later = tuple(each for each in reversed(given) if each.family == socket.AF_INET6)
    return tuple(each for each in given if each.family == socket.AF_INET) + later


def add_address(netlink: Netlink, address: Address) -> None:
    """Raises KernelError, with EEXIST when the device has it already."""
    _new(netlink, address, CREATE | EXCL)


def replace_address(netlink: Netlink, address: Address) -> None:
    """Add an address, or set the lifetimes, flags and metric of one that is there. Raises KernelError."""
    _new(netlink, address, CREATE | REPLACE)


def delete_address(netlink: Netlink, address: Address) -> None:
    """No error when it is gone. The kernel removes the routes that came with it. Raises KernelError."""
    try:
        netlink.request(f"removing address {address}", RTM_DELADDR, 0, _header(address) + _identity(address))
    except KernelError as error:
        if error.errno not in (errno.EADDRNOTAVAIL, errno.ENODEV):
            raise


def read_address(body: bytes) -> Address:
    """The address that an RTM_NEWADDR or RTM_DELADDR message describes."""
    _family, prefix, flags, scope, ifindex = _HEADER.unpack_from(body)
    found = attributes(body, _HEADER.size)
    local, other = found.get(_LOCAL), found.get(_ADDRESS, b"")
    lifetimes = found.get(_CACHEINFO, b"")
    preferred, valid = _LIFETIMES.unpack(lifetimes[:16]) if len(lifetimes) >= 16 else (FOREVER, FOREVER)
    return Address(
        ifindex=ifindex,
        address=inet.unpack(local or other),
        prefix=prefix,
        peer=inet.unpack(other) if local is not None and other and local != other else "",
        broadcast=inet.unpack(found[_BROADCAST]) if _BROADCAST in found else "",
        label=found.get(_LABEL, b"").rstrip(b"\0").decode(errors="surrogateescape"),
        scope=scope,
        flags=_number(found, _FLAGS, flags),
        valid_seconds=valid,
        preferred_seconds=preferred,
        metric=_number(found, _METRIC, 0),
        protocol=found.get(_PROTOCOL, b"\0")[0],
    )


def _new(netlink: Netlink, address: Address, flags: int) -> None:
    body = _header(address) + _identity(address) + u32(_FLAGS, address.flags & _ASKABLE)
    if address.broadcast:
        body += attribute(_BROADCAST, inet.pack(address.broadcast))
    if address.label:
        body += text(_LABEL, address.label)
    if address.metric:
        body += u32(_METRIC, address.metric)
    if address.protocol:
        body += attribute(_PROTOCOL, bytes([address.protocol]))
    body += attribute(_CACHEINFO, _LIFETIMES.pack(address.preferred_seconds, address.valid_seconds))
    netlink.request(f"adding address {address}", RTM_NEWADDR, flags, body)


def _header(address: Address) -> bytes:
    return _HEADER.pack(
        address.family, address.prefix, address.flags & _ASKABLE & 0xFF, address.scope, address.ifindex
    )


def _identity(address: Address) -> bytes:
    own = inet.pack(address.address)
    return attribute(_LOCAL, own) + attribute(_ADDRESS, inet.pack(address.peer) if address.peer else own)


def _number(found: dict[int, bytes], kind: int, default: int) -> int:
    value = found.get(kind)
    return int.from_bytes(value, sys.byteorder) if value is not None else default
