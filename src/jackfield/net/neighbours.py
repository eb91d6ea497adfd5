"""ARP and ND entries, proxies, and a bridge's forwarding entries (rtnetlink(7), linux/neighbour.h)."""

from __future__ import annotations

import errno
import socket
import struct
import sys
from dataclasses import dataclass

from jackfield.net import inet
from jackfield.net.errors import KernelError
from jackfield.net.netlink import CREATE, REPLACE, Netlink, attribute, attributes

RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
AF_BRIDGE = 7
INCOMPLETE, REACHABLE, STALE, DELAY, PROBE, FAILED, NOARP, PERMANENT = 1, 2, 4, 8, 16, 32, 64, 128
USE, SELF, MASTER, PROXY, EXT_LEARNED, STICKY, ROUTER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x40, 0x80
USABLE = REACHABLE | STALE | DELAY | PROBE | NOARP | PERMANENT

_DST, _LLADDR, _VLAN, _MASTER_DEVICE, _PROTOCOL = 1, 2, 5, 9, 12
_HEADER = struct.Struct("=BxxxiHBB")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What a device knows of a neighbour: an IP address's MAC, or a MAC behind a port of a bridge."""

    ifindex: int
    address: str = ""  # IP address; empty for an entry of a bridge
    mac: bytes = b""
    state: int = PERMANENT  # NUD_*
    flags: int = 0  # NTF_*
    kind: int = 0
    vlan: int = 0  # of an entry of a bridge; 0: every VLAN
    bridge: int = 0  # ifindex of the bridge that the port belongs to
    protocol: int = 0
    family: int = socket.AF_INET


def list_neighbours(netlink: Netlink, ifindex: int = 0, *, proxies: bool = False) -> tuple[Neighbour, ...]:
    """ARP and ND entries, of all devices or of one; or the addresses answered for. Raises KernelError."""
    found = []
    for family in inet.FAMILIES:
        found += _list(netlink, family, ifindex, PROXY if proxies else 0)
    return tuple(each for each in found if ifindex in (0, each.ifindex) and each.address)


def list_forwarding(netlink: Netlink, port: int = 0) -> tuple[Neighbour, ...]:
    """Forwarding entries of bridges (`bridge fdb`), all or those of one port. Raises KernelError."""
    return tuple(each for each in _list(netlink, AF_BRIDGE, 0, 0) if port in (0, each.ifindex))


def replace_neighbour(netlink: Netlink, neighbour: Neighbour) -> None:
    """Add an entry, or set that of the same address. Raises KernelError."""
    what = f"adding neighbour {neighbour.address or neighbour.mac.hex(':')}"
    netlink.request(what, RTM_NEWNEIGH, CREATE | REPLACE, _body(neighbour))


def delete_neighbour(netlink: Netlink, neighbour: Neighbour) -> None:
    """No error when it is gone. Raises KernelError."""
    what = f"removing neighbour {neighbour.address or neighbour.mac.hex(':')}"
    try:
        netlink.request(what, RTM_DELNEIGH, 0, _body(neighbour))
    except KernelError as error:
        if error.errno not in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            raise


def read_neighbour(body: bytes) -> Neighbour:
    """The entry that an RTM_NEWNEIGH or RTM_DELNEIGH message describes."""
    family, ifindex, state, flags, kind = _HEADER.unpack_from(body)
    found = attributes(body, _HEADER.size)
    address = found.get(_DST, b"") if family != AF_BRIDGE else b""
    return Neighbour(
        ifindex=ifindex,
        address=inet.unpack(address) if len(address) in (4, 16) else "",
        mac=found.get(_LLADDR, b""),
        state=state,
        flags=flags,
        kind=kind,
        vlan=int.from_bytes(found.get(_VLAN, b""), sys.byteorder),
        bridge=int.from_bytes(found.get(_MASTER_DEVICE, b""), sys.byteorder),
        protocol=found.get(_PROTOCOL, b"\0")[0],
        family=family,
    )


def _list(netlink: Netlink, family: int, ifindex: int, flags: int) -> list[Neighbour]:
    # A proxy's device cannot be asked for: the kernel refuses a header with both.
    request = _HEADER.pack(family, 0, 0, flags, 0)
    if ifindex and not flags:
        request += attribute(8, struct.pack("=I", ifindex))
    try:
        bodies = netlink.dump("listing neighbours", RTM_GETNEIGH, request)
    except KernelError as error:
        if error.errno in (errno.ENODEV, errno.EOPNOTSUPP, errno.EAFNOSUPPORT):
            return []
        raise
    return [read_neighbour(body) for body in bodies if body[0] == family]


def _body(neighbour: Neighbour) -> bytes:
    family = neighbour.family if not neighbour.address else inet.family_of(neighbour.address)
    body = _HEADER.pack(family, neighbour.ifindex, neighbour.state, neighbour.flags, neighbour.kind)
    if neighbour.address:
        body += attribute(_DST, inet.pack(neighbour.address))
    if neighbour.mac:
        body += attribute(_LLADDR, neighbour.mac)
    if neighbour.vlan:
        body += attribute(_VLAN, struct.pack("=H", neighbour.vlan))
    if neighbour.protocol:
        body += attribute(_PROTOCOL, bytes([neighbour.protocol]))
    return body
