"""How things are called in all pictures."""

from __future__ import annotations

from jackfield.topology.graph.scene import HERE, HostNode, PortNode

THIS_HOST = "this host"


def host_name(name: str) -> str:
    """A host's heading."""
    return THIS_HOST if name == HERE else name


def host_note(host: HostNode) -> str:
    """What kind of host it is."""
    kind = "the switch's own" if host.kind == "host" else host.kind
    return f"{kind}, forwards" if host.forwarding else kind


def port_note(port: PortNode) -> str:
    """What a port is, in a few words."""
    match port.kind:
        case "system":
            return "NIC" if port.far is None else "cable"
        case "bond":
            return f"bond, {port.bond}"
        case kind:
            return kind
