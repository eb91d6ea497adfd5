"""The two views of a scene as cards and wires."""

from __future__ import annotations

from collections.abc import Iterator

from jackfield.topology.graph.drawing import LEFT, MIDDLE, RIGHT, Card, Drawing, Row, Wire, arranged
from jackfield.topology.graph.scene import HERE, BridgeNode, HostNode, PortNode, Scene
from jackfield.topology.graph.subnets import Subnet, subnets
from jackfield.topology.graph.words import host_name, host_note, port_note
from jackfield.topology.network import Place

GREY = "#6e7781"
COLOURS = ("#0969da", "#bf3989", "#1a7f37", "#9a6700", "#8250df", "#cf222e", "#0a7b83", "#953800")


def l2(scene: Scene) -> Drawing:
    """Bridges in the middle, a row a port; NICs and what is behind cables at the left, at the right whoever
    has an internal port."""
    colours = _vlan_colours(scene)
    by_cable = {port.far for bridge in scene.bridges for port in bridge.ports if port.kind == "system"}
    cards = [_bridge(bridge, colours) for bridge in scene.bridges]
    wires: list[Wire] = []
    for host in scene.hosts:
        cards += _host(host, by_cable)
    for bridge in scene.bridges:
        for port in bridge.ports:
            colour = colours.get(port.tag or 0, GREY)
            if port.far is not None:
                wires.append(Wire(_port_key(port.name), _device_key(port.far), colour))
            elif port.peer and port.name < port.peer:
                wires.append(Wire(_port_key(port.name), _port_key(port.peer), colour))
            elif port.kind in ("system", "bond"):
                for member in port.members or (port.name,):
                    cards.append(Card(f"nic {member}", LEFT, member, "NIC"))
                    wires.append(Wire(_port_key(port.name), f"nic {member}", colour))
    wires += [Wire(_device_key(one), _device_key(other), GREY) for one, other in scene.cables]
    return arranged(cards, wires)


def l3(scene: Scene) -> Drawing:
    """Subnets in the middle; whoever is in more than one of them at the left, the others at the right."""
    colours = _vlan_colours(scene)
    tags = {bridge_segment(scene, port): port.tag or 0 for bridge in scene.bridges for port in bridge.ports}
    found = subnets(scene)
    legs: dict[str, list[tuple[Subnet, str, str]]] = {}
    nodes: dict[str, HostNode] = {}
    for subnet in found:
        for leg in subnet.legs:
            nodes[leg.host.name] = leg.host
            legs.setdefault(leg.host.name, []).append((subnet, leg.device.name, leg.address))
    cards = []
    wires = []
    for subnet in found:
        cards.append(Card(_subnet_key(subnet), MIDDLE, subnet.network, subnet.segment))
    for name, mine in legs.items():
        segments = {subnet.segment for subnet, _, _ in mine}
        column = LEFT if len(segments) > 1 else RIGHT
        rows = []
        for number, (subnet, device, address) in enumerate(mine):
            colour = colours.get(tags.get(subnet.segment, 0), GREY)
            key = f"leg {name} {number}"
            rows.append(Row(key, device, badge=address.partition("/")[0], colour=colour))
            wires.append(Wire(key, _subnet_key(subnet), colour))
        cards.append(Card(f"host {name}", column, host_name(name), host_note(nodes[name]), tuple(rows)))
    return arranged(cards, wires)


def bridge_segment(scene: Scene, port: PortNode) -> str:
    """The segment of the device that a port leads to."""
    for host in scene.hosts:
        for device in host.devices:
            if device.port == port.name:
                return device.segment
    return ""


def _vlan_colours(scene: Scene) -> dict[int, str]:
    tags = sorted({port.tag for bridge in scene.bridges for port in bridge.ports if port.tag})
    return {tag: COLOURS[number % len(COLOURS)] for number, tag in enumerate(tags)}


def _bridge(bridge: BridgeNode, colours: dict[int, str]) -> Card:
    rows = tuple(
        Row(
            _port_key(port.name),
            port.name,
            port_note(port),
            port.vlan,
            colours.get(port.tag or 0, GREY),
            _state(port),
            port.error or port.mac,
        )
        for port in bridge.ports
    )
    return Card(f"bridge {bridge.name}", MIDDLE, bridge.name, "bridge", rows)


def _state(port: PortNode) -> str:
    if port.error:
        return "error"
    return "" if port.up is None else "up" if port.up else "down"


def _host(host: HostNode, by_cable: set[Place | None]) -> Iterator[Card]:
    """A host's card, or two: what it has by cables stands at the left."""
    for column in (LEFT, RIGHT):
        rows = []
        for device in host.devices:
            place = Place(host.name, device.name)
            if (place in by_cable) != (column == LEFT):
                continue
            if not (device.port or device.segment) and host.name == HERE:
                rows.append(
                    Row(_device_key(place), device.name, "not on the switch", _shown(device.addresses))
                )
                continue
            rows.append(Row(_device_key(place), device.name, badge=_shown(device.addresses), colour=GREY))
        if rows:
            key = f"host {column} {host.name}"
            yield Card(key, column, host_name(host.name), host_note(host), tuple(rows))


def _shown(addresses: tuple[str, ...]) -> str:
    if not addresses:
        return ""
    return addresses[0] + (f" +{len(addresses) - 1}" if len(addresses) > 1 else "")


def _port_key(name: str) -> str:
    return f"port {name}"


def _device_key(place: Place) -> str:
    return f"device {place.namespace}/{place.device}"


def _subnet_key(subnet: Subnet) -> str:
    return f"subnet {subnet.network} {subnet.segment}"
