"""What the device pair of an internal port is made of, and how the kernel is asked for one. Pure."""

from __future__ import annotations

from enum import Enum

from jackfield.net import linkcodec, netlink

IFLA_NETKIT_PEER_INFO, IFLA_NETKIT_MODE, NETKIT_L2 = 1, 5, 0


class PairKind(Enum):
    """Kinds of virtual devices that come in pairs and carry Ethernet frames (IFLA_INFO_KIND).

    What is sent into a netkit pair meets the switch's program at once, in the sender's own system call; what
    is sent into a veth pair waits in a queue of the kernel first. So the switch adds a quarter less to a
    frame from a container to the host, and a fifth less to one from the host to a NIC. In return a frame
    cannot take bpf_redirect_peer, so that to one between two containers it adds a third more; and older
    kernels have none. docs/performance.md has the figures.
    """

    VETH = "veth"
    NETKIT = "netkit"


NAMES = frozenset(kind.value for kind in PairKind)

Kinds = tuple[PairKind, ...]
"""What a pair may be made of: the first of these that the kernel has."""

DEFAULT: Kinds = (PairKind.VETH,)


def pair_info(kind: PairKind, user_end: bytes) -> bytes:
    """The part of RTM_NEWLINK that makes the device one of a pair; `user_end` are the other one's attributes.

    The device itself becomes a netkit pair's primary, the only one that programs can be attached by.
    """
    if kind is PairKind.NETKIT:
        data = netlink.nest(IFLA_NETKIT_PEER_INFO, linkcodec.ifinfo(), user_end)
        data += netlink.u32(IFLA_NETKIT_MODE, NETKIT_L2)
    else:
        data = netlink.nest(linkcodec.VETH_INFO_PEER, linkcodec.ifinfo(), user_end)
    return netlink.nest(
        linkcodec.IFLA_LINKINFO,
        netlink.text(linkcodec.IFLA_INFO_KIND, kind.value),
        netlink.nest(linkcodec.IFLA_INFO_DATA, data),
    )
