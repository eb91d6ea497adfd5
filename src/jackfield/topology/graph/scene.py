"""What is in the picture: bridges with their ports, hosts with their devices, and what is joined to what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jackfield.topology.network import Network, Place, Port, Setting
from jackfield.topology.settings import vlan_list

if TYPE_CHECKING:
    from jackfield.containers.attachment import Wish

HERE = ""
"""The name of the switch's own host among hosts."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a running switch and its kernel tell beyond what a file can say, by interface and by place."""

    macs: Mapping[str, str] = field(default_factory=dict)
    up: Mapping[str, bool] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PortNode:
    """A port. `far` is the device that one reaches by it: its own one for an internal port, the other end of
    its cable for a NIC, if that is known. `peer` is the patch port at the other end."""

    name: str
    kind: str  # system, internal, patch, bond or container
    vlan: str
    tag: int | None
    members: tuple[str, ...] = ()
    bond: str = ""
    peer: str = ""
    far: Place | None = None
    mac: str = ""
    up: bool | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class BridgeNode:
    """A bridge; `group` is the same for bridges that patch ports join."""

    name: str
    group: str
    ports: tuple[PortNode, ...]


@dataclass(frozen=True, slots=True)
class DeviceNode:
    """A device that a host uses. `segment` tells on which cable or VLAN it is."""

    name: str
    addresses: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    segment: str = ""
    bridge: str = ""
    port: str = ""
    mac: str = ""
    up: bool | None = None


@dataclass(frozen=True, slots=True)
class HostNode:
    """The switch's host, a namespace or a container: whoever has addresses."""

    name: str
    kind: str  # host, namespace or container
    forwarding: bool
    devices: tuple[DeviceNode, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """All of it. Cables are those that no port of the switch is an end of."""

    bridges: tuple[BridgeNode, ...]
    hosts: tuple[HostNode, ...]
    cables: tuple[tuple[Place, Place], ...] = ()


def scene(network: Network, facts: Facts | None = None) -> Scene:
    """The picture of a network; with facts, of one that runs."""
    return _Maker(network, facts or Facts()).scene()


def segment_name(bridge: str, tag: int | None) -> str:
    """How a VLAN is called in a picture."""
    return f"VLAN {tag} of {bridge}" if tag else bridge


class _Maker:
    def __init__(self, network: Network, facts: Facts) -> None:
        self._network = network
        self._facts = facts
        self._groups = _groups(network)
        self._devices: dict[Place, DeviceNode] = {}
        self._cables = {place: ends for ends in network.links.values() for place in ends}

    def scene(self) -> Scene:
        network = self._network
        bridges = tuple(
            BridgeNode(name, self._groups[name], tuple(self._ports(name))) for name in sorted(network.bridges)
        )
        on_switch = {Place(HERE, name) for port in network.ports.values() for name in port.interfaces}
        cables = []
        for name, ends in sorted(network.links.items()):
            if not on_switch.intersection(ends):
                cables.append(ends)
                for end in ends:
                    self._device(end, segment=f"cable {name}")
        hosts = {HERE, *(place.namespace for place in self._devices)}
        known = {*self._devices, *on_switch}
        for place, addresses in self._facts.addresses.items():
            # Whatever else has an address there: it is by this that one reaches the host, too.
            if addresses and place.namespace in hosts and place not in known:
                self._device(place)
        return Scene(bridges, tuple(self._hosts()), tuple(cables))

    def _ports(self, bridge: str) -> Iterator[PortNode]:
        network = self._network
        everybody = {**network.ports, **network.guests}
        named = [(name, port) for name, port in everybody.items() if port.bridge == bridge]
        for name, port in sorted(named, key=lambda item: (item[0] != bridge, item[0])):
            yield self._port(name, port)
        for (target, device), container in sorted(network.containers.items()):
            if container.wish.bridge == bridge:
                yield self._container(Place(target.removeprefix("netns:"), device), container.wish)

    def _port(self, name: str, port: Port) -> PortNode:
        interface = next(iter(port.interfaces.values()), None)
        kind = "system"
        far: Place | None = None
        tag = _number(port.settings.get("tag"))
        segment = segment_name(self._groups[port.bridge], tag)
        if len(port.interfaces) > 1:
            kind = "bond"
        elif interface is not None:
            kind = str(interface.settings.get("type", "system"))
            far = interface.place
        if far is None and kind == "system" and (ends := self._cables.get(Place(HERE, name))):
            far = ends[1] if ends[0] == Place(HERE, name) else ends[0]
        facts = self._facts
        if far is not None:
            self._device(far, segment=segment, bridge=port.bridge, port=name, mac=facts.macs.get(name, ""))
        if name in self._network.guests:
            kind = "container"
        states = [facts.up[member] for member in port.interfaces if member in facts.up]
        return PortNode(
            name=name,
            kind=kind,
            vlan=vlan_text(port),
            tag=tag,
            members=tuple(sorted(port.interfaces)) if kind == "bond" else (),
            bond=_bond_text(port) if kind == "bond" else "",
            peer=str(interface.settings.get("options:peer", "")) if interface is not None else "",
            far=far,
            mac=facts.macs.get(name, ""),
            up=any(states) if states else None,
            error="; ".join(facts.errors[member] for member in port.interfaces if member in facts.errors),
        )

    def _container(self, place: Place, wish: Wish) -> PortNode:
        name = wish.port or f"{place.namespace}-{place.device}"
        self._devices[place] = DeviceNode(
            place.device,
            tuple(self._facts.addresses.get(place) or wish.addresses),
            segment=segment_name(self._groups.get(wish.bridge, wish.bridge), wish.tag),
            bridge=wish.bridge,
            port=name,
            mac=wish.mac,
        )
        settings: dict[str, Setting] = {"trunks": frozenset(wish.trunks)} if wish.trunks else {}
        if wish.tag is not None:
            settings["tag"] = wish.tag
        return PortNode(
            name=name,
            kind="container",
            vlan=vlan_text(Port(wish.bridge, settings, {})),
            tag=wish.tag,
            far=place,
            mac=self._facts.macs.get(name, wish.mac),
            up=self._facts.up.get(name),
            error=self._facts.errors.get(name, ""),
        )

    def _device(
        self, place: Place, *, segment: str = "", bridge: str = "", port: str = "", mac: str = ""
    ) -> None:
        said = self._network.devices.get(place)
        found = self._facts.addresses.get(place)
        if found is None:
            found = (said.addresses if said is not None else None) or ()
        self._devices[place] = DeviceNode(
            name=place.device,
            addresses=tuple(found),
            routes=tuple(map(str, (said.routes if said is not None else None) or ())),
            segment=segment,
            bridge=bridge,
            port=port,
            mac=mac,
            up=said.up if said is not None else None,
        )

    def _hosts(self) -> Iterator[HostNode]:
        by_host: dict[str, list[DeviceNode]] = {}
        for place, device in sorted(self._devices.items()):
            by_host.setdefault(place.namespace, []).append(device)
        containers = {target for target, _ in self._network.containers if not target.startswith("netns:")}
        for port in self._network.guests.values():
            containers |= {i.place.namespace for i in port.interfaces.values() if i.place is not None}
        for name in sorted(by_host):
            namespace = self._network.namespaces.get(name)
            kind = "host" if name == HERE else "container" if name in containers else "namespace"
            forwarding = bool(namespace is not None and namespace.forwarding)
            yield HostNode(name, kind, forwarding, tuple(by_host[name]))


def vlan_text(port: Port) -> str:
    """A port's VLANs in a few words."""
    tag, mode = _number(port.settings.get("tag")), port.settings.get("vlan_mode")
    trunks = port.settings.get("trunks")
    listed = ",".join(map(str, vlan_list(trunks))) if isinstance(trunks, frozenset) else ""
    if mode in ("native-tagged", "native-untagged"):
        return f"native {tag or 0}, trunk {listed}".rstrip().removesuffix(", trunk")
    if mode == "dot1q-tunnel":
        return f"QinQ {tag or 0}"
    if tag is not None and mode != "trunk":
        return f"VLAN {tag}"
    return f"trunk {listed}" if listed else "all VLANs"


def _bond_text(port: Port) -> str:
    mode = str(port.settings.get("bond_mode", "active-backup"))
    lacp = port.settings.get("lacp")
    return f"{mode}, LACP {lacp}" if lacp else mode


def _groups(network: Network) -> dict[str, str]:
    """For each bridge the first of those that patch ports join it to."""
    bridge_of = {name: port.bridge for name, port in network.ports.items()}
    group = {name: name for name in network.bridges}
    joined = [
        (port.bridge, bridge_of[peer])
        for port in network.ports.values()
        for interface in port.interfaces.values()
        if (peer := str(interface.settings.get("options:peer", ""))) in bridge_of
    ]
    for _ in network.bridges:  # as many rounds as there are bridges reach from any to any
        before = dict(group)
        for one, other in joined:
            if one in group and other in group:
                group[one] = group[other] = min(group[one], group[other])
        if group == before:
            break
    return group


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
