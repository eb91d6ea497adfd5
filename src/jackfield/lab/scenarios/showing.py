"""What `ovs-vsctl show` printed, as data. Pure."""

from __future__ import annotations


def ports_of(text: str, bridge: str) -> dict[str, tuple[str, frozenset[str]]]:
    """The ports of a bridge: by name the tag ("" when none) and the interfaces, each as "name type"."""
    ports: dict[str, tuple[str, frozenset[str]]] = {}
    current = port = interface = ""
    for line in text.splitlines():
        words = line.replace('"', "").split()
        if not words:
            continue
        match words[0]:
            case "Bridge":
                current = words[1]
            case "Port" if current == bridge:
                port = words[1]
                ports[port] = ("", frozenset())
            case "Interface" if current == bridge:
                interface = f"{words[1]} "
                ports[port] = (ports[port][0], ports[port][1] | {interface})
            case "tag:" if current == bridge:
                ports[port] = (words[1], ports[port][1])
            case "type:" if current == bridge:
                tag, interfaces = ports[port]
                ports[port] = (tag, interfaces - {interface} | {interface + words[1]})
    return ports
