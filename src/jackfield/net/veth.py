"""Cables: pairs of veth devices, each end made where it belongs at once (linux/veth.h)."""

from __future__ import annotations

from dataclasses import dataclass

from jackfield.net import linkcodec, netlink

IFLA_NET_NS_FD = 28


@dataclass(frozen=True, slots=True)
class End:
    """One end of a cable: its name, the namespace of an open descriptor (None: that of the socket), and its
    MAC address and MTU where they are not the kernel's choice."""

    name: str
    namespace: int | None = None
    mac: bytes = b""
    mtu: int = 0


def create(requests: netlink.Netlink, one: End, other: End) -> None:
    """Make a cable, both ends down. Raises KernelError, with EEXIST when a name is taken."""
    peer = netlink.nest(linkcodec.VETH_INFO_PEER, linkcodec.ifinfo(), _attributes(other))
    info = netlink.nest(
        linkcodec.IFLA_LINKINFO,
        netlink.text(linkcodec.IFLA_INFO_KIND, "veth"),
        netlink.nest(linkcodec.IFLA_INFO_DATA, peer),
    )
    requests.request(
        f"making the cable from {one.name} to {other.name}",
        linkcodec.RTM_NEWLINK,
        netlink.CREATE | netlink.EXCL,
        linkcodec.ifinfo() + _attributes(one) + info,
    )


def _attributes(end: End) -> bytes:
    raw = netlink.text(linkcodec.IFLA_IFNAME, end.name)
    if end.namespace is not None:
        raw += netlink.u32(IFLA_NET_NS_FD, end.namespace)
    if end.mac:
        raw += netlink.attribute(linkcodec.IFLA_ADDRESS, end.mac)
    if end.mtu:
        raw += netlink.u32(linkcodec.IFLA_MTU, end.mtu)
    return raw
