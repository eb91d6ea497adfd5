"""What is compared, by name."""

from __future__ import annotations

from enum import StrEnum

CONTAINERS, HOST, NIC = "container to container", "container to host", "host to NIC"
VETH = "plain veth pair"
LINUX_BRIDGE = "Linux bridge"
JACKFIELD_INTERNAL, JACKFIELD_VETH = "Jackfield, internal ports", "Jackfield, veth ports"
JACKFIELD_NETKIT = "Jackfield, internal ports of netkit"
OVS_INTERNAL, OVS_VETH = "OVS kernel, internal ports", "OVS kernel, veth ports"


def path_name(peer: str, kind: str) -> str:
    """A peer's way of a kind."""
    return f"{peer}: {kind}"


UNICAST = "known unicast"


class PortKind(StrEnum):
    """A plain port, or a bond; what passes is TCP over IPv4 where nothing else is said."""

    PLAIN = "plain port"
    PLAIN_IPV6 = "plain port, IPv6"
    ACTIVE_BACKUP = "active-backup"
    BALANCE_SLB = "balance-slb"
    BALANCE_TCP = "balance-tcp"
    BALANCE_TCP_IPV6 = "balance-tcp, IPv6"


OUT, IN = "out", "in"
NEXT, FIRST = "next frame", "first frame"
"""A frame about which a decision is kept already, and one about which none is."""


def bond_name(kind: PortKind, way: str, which: str) -> str:
    """A frame that passes a port: OUT or IN, NEXT or FIRST."""
    return f"{kind}, {way}, {which}"


PARTS = ("program", "scale", "bonds", "paths", "flood")
"""What can be counted: the program by itself, with large tables, with bonds, packets on their ways, flooded
copies."""
