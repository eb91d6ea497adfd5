"""What is compared, by name."""

from __future__ import annotations

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

PARTS = ("program", "scale", "paths", "flood")
"""What can be counted: the program by itself, with large tables, packets on their ways, flooded copies."""
