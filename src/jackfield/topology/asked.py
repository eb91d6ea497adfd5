"""From the form of a file to the network it asks for, with all that does not make sense. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from jackfield.client.errors import Failure
from jackfield.net import inet
from jackfield.topology import form, settings
from jackfield.topology.containers import plain_target
from jackfield.topology.network import (
    Container,
    Device,
    Interface,
    Namespace,
    Network,
    Place,
    Port,
    Route,
    Setting,
)
from jackfield.topology.problems import BadFile, Problem
from jackfield.topology.reader import Path, Source

HOST_ONLY = ("namespace", "device", "addresses", "routes", "mac")
"""What only a port has that the host or a namespace uses."""
BOND_ONLY = ("bond_mode", "bond_updelay", "bond_downdelay")
TUNNEL_ONLY = ("cvlans", "qinq_ethtype")

Segment = tuple[object, ...]
"""Where an address may be there once: how a sentence calls it, and what tells it from others of its kind."""


def network(source: Source) -> Network:
    """What the file asks for. Raises BadFile with everything that is wrong."""
    broken = frozenset(map(_object, source.broken))
    maker = _Maker(source, broken, everything=any(len(path) < 2 for path in broken))
    made = maker.network()
    if maker.problems or source.problems:
        raise BadFile(source.name, [*source.problems, *maker.problems])
    return made


def _object(path: Path) -> Path:
    """The port, bridge, cable or other object that a part of the form belongs to."""
    return path[:4] if path[:1] == ("bridges",) and path[2:3] == ("ports",) else path[:2]


@dataclass(slots=True)
class _Maker:
    """One pass over a file: what was found so far, and what was wrong with it."""

    source: Source
    broken: frozenset[Path]
    """Objects of which something is wrong already."""
    everything: bool
    """Whether a whole section is wrong, so that no reference can be judged."""
    problems: list[Problem] = field(default_factory=list)
    ports: dict[str, Port] = field(default_factory=dict)
    devices: dict[Place, Device] = field(default_factory=dict)
    interfaces: dict[str, Path] = field(default_factory=dict)
    places: dict[Place, Path] = field(default_factory=dict)
    addresses: dict[tuple[Segment, str], str] = field(default_factory=dict)

    def network(self) -> Network:
        content = self.source.content
        for bridge, part in content.bridges.items():
            for name, port in part.ports.items():
                self._port(bridge, name, port, ("bridges", bridge, "ports", name))
        if not self.broken:
            self._patches()
        links = {name: self._link(link, ("links", name)) for name, link in content.links.items()}
        bridges = {
            name: self._settings(settings.BRIDGE, part, ("bridges", name))
            for name, part in content.bridges.items()
        }
        return Network(
            switch=self._settings(settings.SWITCH, content.switch, ("switch",)),
            bridges=bridges,
            ports=self.ports,
            devices=self.devices,
            namespaces={name: Namespace(part.forwarding) for name, part in content.namespaces.items()},
            links={name: ends for name, ends in links.items() if ends is not None},
            containers=dict(self._containers()),
        )

    def _wrong(self, path: Path, sentence: str) -> None:
        """Note a problem, unless it may be but a consequence of one that is known."""
        if _object(path) not in self.broken and not self.everything:
            self.problems.append(self.source.at(path).problem(sentence))

    def _settings(self, words: tuple[settings.Word, ...], part: object, path: Path) -> dict[str, Setting]:
        for word in words:
            value = getattr(part, word.field, None)
            if value is None:
                continue
            if word.kind == "vlans":
                for number, item in enumerate(value):
                    self._range(item, (*path, word.field, number))
            if word.field in ("mac", "hwaddr"):
                self._mac(value, (*path, word.field))
        try:
            return settings.from_form(words, part)
        except ValueError:
            return {}  # it has been told, with its place

    def _range(self, item: int | str, path: Path) -> None:
        try:
            settings.vlan_set([item])
        except ValueError as error:
            self._wrong(path, str(error))

    def _mac(self, value: str, path: Path) -> None:
        first = int(value[:2], 16)
        if first & 1:
            self._wrong(path, f"{value} is a group address: no device can have it")
        elif not any(int(part, 16) for part in value.split(":")):
            self._wrong(path, f"{value} is no address of a device")

    # -- ports ---------------------------------------------------------------------------------------

    def _port(self, bridge: str, name: str, part: form.Port, path: Path) -> None:
        kind = self._kind(bridge, name, part, path)
        if name in self.ports:
            self._wrong(path, f"port {name} is on bridge {self.ports[name].bridge} already")
            return
        if name != bridge and name in self.source.content.bridges:
            self._wrong(path, f"port {name} has the name of a bridge, which has a port of that name itself")
        self._vlan_sense(part, path)
        members = part.members or [name]
        for number, member in enumerate(members):
            self._claim(member, (*path, "members", number) if part.members else path, kind)
        place = Place(part.namespace or "", part.device or name) if kind == "internal" else None
        if place is not None:
            self._device(place, part, path, _vlan(bridge, part.tag))
        wanted = self._settings(settings.INTERFACE, part, path)
        wanted.pop("type", None)
        if kind != "system":
            wanted["type"] = kind
        self.ports[name] = Port(
            bridge,
            self._settings(settings.PORT, part, path),
            {member: Interface(member, wanted, place) for member in members},
        )

    def _kind(self, bridge: str, name: str, part: form.Port, path: Path) -> str:
        """The type of a port's interfaces; tells of settings that this type does not have."""
        implied = "internal" if name == bridge else "patch" if part.peer else "system"
        kind = part.type or implied
        if name == bridge and kind != "internal":
            self._wrong((*path, "type"), f"port {name} is the bridge's local port, and that is internal")
        if name == bridge and part.mac is not None:
            self._wrong((*path, "mac"), f"say hwaddr of bridge {bridge} to set its local port's MAC")
        if name == bridge and (part.namespace or (part.device or name) != name):
            self._wrong(path, f"port {name} is the bridge's local port and stays where the bridge is")
        elif part.device not in (None, name) and not part.namespace and kind == "internal":
            self._wrong((*path, "device"), f"in the switch's own namespace the device of {name} is {name}")
        if part.members and kind != "system":
            self._wrong((*path, "members"), f"port {name} is {kind}: only system devices make a bond")
        if kind != "internal":
            for word in HOST_ONLY:
                if getattr(part, word) is not None:
                    hint = "; say `type: internal`" if part.type is None and not part.members else ""
                    self._wrong((*path, word), f"only an internal port has {word}, {name} is {kind}{hint}")
        if kind == "patch" and part.peer is None:
            self._wrong(path, f'patch port {name} lacks "peer", the patch port at the other end')
        if kind == "patch" and part.mtu is not None:
            self._wrong((*path, "mtu"), f"patch port {name} has no device and so no MTU")
        if kind != "patch" and part.peer is not None:
            self._wrong((*path, "peer"), f"only a patch port has a peer, {name} is {kind}")
        if part.members and part.ofport is not None:
            self._wrong((*path, "ofport"), f"{name} is a bond: each of its members has a number of its own")
        if not part.members:
            for word in BOND_ONLY:
                if getattr(part, word) is not None:
                    shown = word.replace("_", "-")
                    self._wrong(
                        (*path, word), f"port {name} is no bond, so {shown} means nothing: give it members"
                    )
        return kind

    def _claim(self, interface: str, path: Path, kind: str) -> None:
        if interface in self.interfaces:
            first = self.source.at(self.interfaces[interface]).line
            self._wrong(path, f"{interface} is on the switch already by line {first}")
        self.interfaces.setdefault(interface, path)
        if kind != "patch" and len(interface.encode()) > 15:
            self._wrong(path, f"{interface} is longer than 15 bytes, and no device can be named so")
        elif kind != "patch" and (interface in (".", "..") or set(interface) & set("/: \t\n")):
            self._wrong(path, f'no network device can be named "{interface}"')

    def _vlan_sense(self, part: form.Port, path: Path) -> None:
        if part.tag is not None and part.trunks and part.vlan_mode is None:
            self._wrong(
                (*path, "trunks"),
                "with a tag this is an access port, and trunks mean nothing: leave one out, or say "
                "vlan-mode native-tagged or native-untagged",
            )
        if part.tag is not None and part.vlan_mode == "trunk":
            self._wrong((*path, "tag"), "a trunk has no tag: vlan-mode native-tagged or native-untagged has")
        for word in TUNNEL_ONLY:
            if getattr(part, word, None) is not None and part.vlan_mode != "dot1q-tunnel":
                self._wrong(
                    (*path, word), f"{word.replace('_', '-')} means something in vlan-mode dot1q-tunnel only"
                )

    def _patches(self) -> None:
        peers = {
            name: str(interface.settings["options:peer"])
            for port in self.ports.values()
            for name, interface in port.interfaces.items()
            if interface.settings.get("type") == "patch" and "options:peer" in interface.settings
        }
        for name, peer in peers.items():
            path = (*self.interfaces[name], "peer")
            if peer == name:
                self._wrong(path, f"patch port {name} cannot be its own peer")
            elif peer not in peers:
                self._wrong(path, f"there is no patch port {peer} in this file")
            elif peers[peer] != name:
                self._wrong(path, f"the peer of {peer} is {peers[peer]}, not {name}")

    # -- devices, cables, containers -----------------------------------------------------------------

    def _device(
        self,
        place: Place,
        part: form.Port | form.End,
        path: Path,
        segment: Segment | None = None,
    ) -> None:
        if place.namespace and place.namespace not in self.source.content.namespaces:
            self._wrong(
                (*path, "namespace"),
                f"there is no namespace {place.namespace} in this file: name it in namespaces",
            )
        if place in self.places:
            first = self.source.at(self.places[place]).line
            self._wrong(path, f"device {place} is made by line {first} already")
        self.places.setdefault(place, path)
        addresses = None
        if part.addresses is not None:
            found = [self._address(a, (*path, "addresses", i)) for i, a in enumerate(part.addresses)]
            for number, address in enumerate(found):
                if address in found[:number]:
                    self._wrong((*path, "addresses", number), f"{address} is here a second time")
                self._once(address, place, segment, (*path, "addresses", number))
            addresses = tuple(sorted(set(found)))
        routes = None
        if part.routes is not None:
            given = [self._route(r, (*path, "routes", i)) for i, r in enumerate(part.routes)]
            routes = tuple(sorted({route for route in given if route is not None}))
            for number, route in enumerate(given):
                if route is not None and addresses is not None:
                    self._neighbour(route.via, addresses, routes, (*path, "routes", number, "via"))
            if routes and not part.up:
                self._wrong(
                    (*path, "routes"), f"a device that is down has no routes, and {place} is to be down"
                )
        is_end = isinstance(part, form.End)
        if is_end and part.mac is not None:
            self._mac(part.mac, (*path, "mac"))
        self.devices[place] = Device(
            addresses,
            routes,
            up=part.up,
            mac=part.mac.lower() if is_end and part.mac is not None else None,
            mtu=part.mtu if is_end else None,
        )

    def _address(self, given: str, path: Path) -> str:
        try:
            address, length = inet.split(given)
            if objection := inet.objection(given):
                raise ValueError(objection)
        except ValueError as error:
            self._wrong(path, str(error))
            return given
        return f"{address}/{length}"

    def _neighbour(self, via: str, addresses: tuple[str, ...], routes: tuple[Route, ...], path: Path) -> None:
        """Tell of a router that cannot be reached by the device itself."""
        if via in (address.partition("/")[0] for address in addresses):
            self._wrong(path, f"{via} is the device's own address, and a route leads to another's")
            return
        on_link = (*addresses, *(route.to for route in routes if not route.via), "fe80::/10")
        if via and not any(inet.contains(prefix, via) for prefix in on_link):
            self._wrong(path, f"{via} is in no subnet of the device's addresses, so no route can lead to it")

    def _once(self, address: str, place: Place, segment: Segment | None, path: Path) -> None:
        """Tell of an address that another device has, in the same namespace or on the same segment."""
        alone = address.partition("/")[0]
        for scope in filter(None, (("in this namespace", place.namespace), segment)):
            other = self.addresses.setdefault((scope, alone), str(place))
            if other != str(place):
                self._wrong(path, f"{alone} is the address of {other} too, {scope[0]}")
                return

    def _route(self, given: form.Route, path: Path) -> Route | None:
        try:
            via = inet.split(given.via)[0] if given.via else ""
            if given.to == "default":
                to = "::/0" if ":" in via else "0.0.0.0/0"
            else:
                to = inet.network(given.to)
                if to.partition("/")[0] != inet.split(given.to)[0]:
                    raise ValueError(f"{given.to} has bits beyond its prefix; the network is {to}")
        except ValueError as error:
            self._wrong(path, str(error))
            return None
        if via and inet.family_of(via) != inet.family_of(to):
            self._wrong((*path, "via"), f"{via} is not of the same address family as {given.to}")
            return None
        return Route(to, via, canonical_metric(to, given.metric or 0))

    def _link(self, link: form.Link, path: Path) -> tuple[Place, Place] | None:
        ends = []
        for number, end in enumerate(link.ends):
            here = (*path, "ends", number)
            if end.device is None:
                self._wrong(here, f'this end of cable {path[-1]} lacks "device", its name')
                continue
            place = Place(end.namespace or "", end.device)
            if place in ends:
                self._wrong(here, f"both ends of cable {path[-1]} are {place}")
                continue
            self._device(place, end, here, ("on this cable", path[-1]))
            ends.append(place)
        return (ends[0], ends[1]) if len(ends) == 2 else None

    def _containers(self) -> Iterator[tuple[tuple[str, str], Container]]:
        seen: set[tuple[str, str]] = set()
        for target, given in self.source.content.containers.items():
            parts = given if isinstance(given, list) else [given]
            for number, part in enumerate(parts):
                path: Path = ("containers", target)
                path = (*path, number) if isinstance(given, list) else path
                key = (plain_target(target), part.device)
                if key in seen:
                    self._wrong(path, f"{target} has a {part.device} by this file already")
                seen.add(key)
                container = self._container(target, part, path)
                if container is not None:
                    yield key, container

    def _container(self, target: str, part: form.Container, path: Path) -> Container | None:
        from jackfield.containers.attachment import Wish, checked

        if part.bridge not in self.source.content.bridges:
            self._wrong((*path, "bridge"), f"there is no bridge {part.bridge} in this file")
        if part.mac is not None:
            self._mac(part.mac, (*path, "mac"))
        place = Place(target, part.device)
        for number, address in enumerate(part.addresses):
            if address != "dhcp":
                found = self._address(address, (*path, "addresses", number))
                self._once(found, place, _vlan(part.bridge, part.tag), (*path, "addresses", number))
        trunks = self._settings((settings.Word("trunks", "trunks", "vlans"),), part, path).get("trunks", ())
        wish = Wish(
            part.bridge,
            ifname=part.device,
            addresses=tuple(part.addresses),
            gateways=tuple(part.gateways),
            routes=tuple(f"{route.to}={route.via}" for route in part.routes),
            tag=part.tag,
            trunks=tuple(sorted(trunks)) if isinstance(trunks, frozenset) else (),
            mac=part.mac or "",
            mtu=part.mtu,
            replace=part.replace,
            veth=part.veth,
            port=part.port or "",
        )
        if self.problems or self.source.problems:
            return None  # enough is known to be wrong
        try:
            return Container(target, checked(wish))
        except Failure as failure:
            self._wrong(path, f"{target}: {failure}")
            return None


def _vlan(bridge: str, tag: int | None) -> Segment:
    return "on this bridge and VLAN", bridge, tag


def canonical_metric(to: str, metric: int) -> int:
    """A route's metric with the kernel's choice as 0: for IPv6 that is 1024."""
    return 0 if ":" in to and metric == 1024 else metric
