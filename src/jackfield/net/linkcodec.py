"""Links in netlink's form: what a message tells of a device (linux/if_link.h, linux/rtnetlink.h). Pure."""

from __future__ import annotations

import os
import struct

from jackfield.net.link import Link, LinkStats
from jackfield.net.netlink import attributes

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK, RTM_GETNSID = 16, 17, 18, 19, 90
IFF_UP, IFF_LOOPBACK, IFF_RUNNING, IFF_PROMISC, IFF_LOWER_UP = 0x1, 0x8, 0x40, 0x100, 0x10000
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_MASTER = 1, 3, 4, 5, 10
IFLA_OPERSTATE, IFLA_LINKINFO, IFLA_IFALIAS, IFLA_STATS64 = 16, 18, 20, 23
IFLA_NET_NS_FD = 28
IFLA_AF_SPEC, IFLA_GROUP, IFLA_PROMISCUITY, IFLA_CARRIER, IFLA_CARRIER_CHANGES = 26, 27, 30, 33, 35
IFLA_LINK_NETNSID, IFLA_TARGET_NETNSID, IFLA_MIN_MTU, IFLA_MAX_MTU = 37, 46, 50, 51
IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_INFO_SLAVE_KIND = 1, 2, 4
VETH_INFO_PEER = 1
IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_MODE_NONE = 8, 1

_IFINFO = struct.Struct("=BxHiII")
_STATS = struct.Struct("=16Q")
_U32 = struct.Struct("=I")


def ifinfo(ifindex: int = 0, flags: int = 0, change: int = 0) -> bytes:
    """struct ifinfomsg."""
    return _IFINFO.pack(0, 0, ifindex, flags, change)


def read_link(body: bytes) -> Link:
    """The device that an RTM_NEWLINK or RTM_DELLINK message describes."""
    _family, arp_type, ifindex, flags, _change = _IFINFO.unpack_from(body)
    found = attributes(body, 16)

    def number(kind: int) -> int:
        value = found.get(kind)
        return _U32.unpack(value)[0] if value is not None and len(value) == 4 else 0

    info = attributes(found[IFLA_LINKINFO]) if IFLA_LINKINFO in found else {}
    stats = found.get(IFLA_STATS64, b"")
    nsid = found.get(IFLA_LINK_NETNSID, b"")
    return Link(
        ifindex=ifindex,
        name=_text(found.get(IFLA_IFNAME, b"")),
        mac=found.get(IFLA_ADDRESS, b""),
        mtu=number(IFLA_MTU),
        min_mtu=number(IFLA_MIN_MTU),
        max_mtu=number(IFLA_MAX_MTU),
        up=bool(flags & IFF_UP),
        running=bool(flags & IFF_RUNNING),
        carrier=found.get(IFLA_CARRIER) == b"\1",
        promiscuous=bool(flags & IFF_PROMISC),
        promiscuity=number(IFLA_PROMISCUITY),
        loopback=bool(flags & IFF_LOOPBACK),
        arp_type=arp_type,
        operstate=(found.get(IFLA_OPERSTATE) or b"\0")[0],
        kind=_text(info.get(IFLA_INFO_KIND, b"")),
        slave_kind=_text(info.get(IFLA_INFO_SLAVE_KIND, b"")),
        alias=_text(found.get(IFLA_IFALIAS, b"")),
        peer_ifindex=number(IFLA_LINK),
        peer_nsid=struct.unpack("=i", nsid)[0] if len(nsid) == 4 else None,
        master=number(IFLA_MASTER),
        group=number(IFLA_GROUP),
        carrier_changes=number(IFLA_CARRIER_CHANGES),
        stats=LinkStats(*_STATS.unpack_from(stats)) if len(stats) >= _STATS.size else LinkStats(),
    )


def read_identity(body: bytes) -> tuple[int, str]:
    """Number and name only."""
    return _IFINFO.unpack_from(body)[2], _text(attributes(body, 16).get(IFLA_IFNAME, b""))


def read_carrier(body: bytes) -> bool:
    """Whether the device is up and has a link at this moment."""
    return bool(_IFINFO.unpack_from(body)[3] & IFF_LOWER_UP)


def _text(raw: bytes) -> str:
    return os.fsdecode(raw.rstrip(b"\0"))
