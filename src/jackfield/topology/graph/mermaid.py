"""Pictures in Mermaid's language (flowchart), which many pages draw. Names are labels, never identifiers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from jackfield.topology.graph.scene import Scene
from jackfield.topology.graph.subnets import subnets
from jackfield.topology.graph.words import host_name, host_note, port_note
from jackfield.topology.network import Place

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:/-_()")


def l2(scene: Scene) -> str:
    """Bridges and hosts as groups, ports and devices in them."""
    return "\n".join(["flowchart LR", *_l2(scene)]) + "\n"


def l3(scene: Scene) -> str:
    """Subnets and the hosts that have addresses there."""
    return "\n".join(["flowchart LR", *_l3(scene)]) + "\n"


def both(scene: Scene, headings: tuple[str, str]) -> str:
    """The two, each under its heading: a text of Mermaid's is one picture."""
    lines = ["flowchart LR"]
    for key, heading, part in zip(("L2", "L3"), headings, (_l2(scene), _l3(scene)), strict=True):
        lines += [f"  subgraph {key}[{label(heading)}]", *(f"  {line}" for line in part), "  end"]
    return "\n".join(lines) + "\n"


def label(text: str) -> str:
    """A text between quotes: whatever could mean something to Mermaid or HTML, as a character's number."""
    return '"' + "".join(char if char in _PLAIN else f"#{ord(char)};" for char in text) + '"'


def _l2(scene: Scene) -> Iterator[str]:
    numbers = count()
    ports: dict[str, str] = {}
    devices: dict[Place, str] = {}
    for bridge in scene.bridges:
        yield f"  subgraph b{next(numbers)}[{label(f'bridge {bridge.name}')}]"
        for port in bridge.ports:
            ports[port.name] = key = f"p{next(numbers)}"
            yield f"    {key}[{label(f'{port.name}: {port_note(port)}, {port.vlan}')}]"
        yield "  end"
    for host in scene.hosts:
        yield f"  subgraph h{next(numbers)}[{label(f'{host_name(host.name)} ({host_note(host)})')}]"
        for device in host.devices:
            devices[Place(host.name, device.name)] = key = f"d{next(numbers)}"
            yield f"    {key}([{label(' '.join((device.name, *device.addresses)))}])"
        yield "  end"
    for bridge in scene.bridges:
        for port in bridge.ports:
            if port.far in devices:
                yield f"  {ports[port.name]} --- {devices[port.far]}"
            elif port.peer in ports and port.name < port.peer:
                yield f"  {ports[port.name]} === {ports[port.peer]}"
            for outside in port.members or (
                (port.name,) if port.kind == "system" and port.far is None else ()
            ):
                yield f"  n{next(numbers)}{{{{{label(outside)}}}}} --- {ports[port.name]}"
    for one, other in scene.cables:
        yield f"  {devices[one]} --- {devices[other]}"


def _l3(scene: Scene) -> Iterator[str]:
    numbers = count()
    hosts: dict[str, str] = {}
    for subnet in subnets(scene):
        key = f"s{next(numbers)}"
        yield f"  {key}([{label(' '.join(filter(None, (subnet.network, subnet.segment))))}])"
        for leg in subnet.legs:
            if leg.host.name not in hosts:
                hosts[leg.host.name] = f"a{next(numbers)}"
                yield f"  {hosts[leg.host.name]}[{label(host_name(leg.host.name))}]"
            text = f"{leg.device.name} {leg.address.partition('/')[0]}"
            yield f"  {hosts[leg.host.name]} ---|{label(text)}| {key}"
