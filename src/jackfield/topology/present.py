"""From the database's rows and the kernel's namespaces to the network that there is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from jackfield.net.addresses import FOREVER
from jackfield.net.link import Link
from jackfield.net.routes import BY_BOOT, BY_STATIC, TABLE_MAIN, UNICAST
from jackfield.topology import settings
from jackfield.topology.asked import canonical_metric
from jackfield.topology.network import (
    Container,
    Device,
    Interface,
    Namespace,
    Network,
    Place,
    Port,
    Route,
    Settings,
)
from jackfield.topology.views import NAMED, View, marked_link, namespace_mark
from jackfield.wire.notation import Atom, Uuid, Value
from jackfield.wire.replica import Row

Tables = Mapping[str, Mapping[Uuid, Row]]

TABLES: Mapping[str, tuple[str, ...]] = {
    "Open_vSwitch": ("bridges", *settings.columns_of(settings.SWITCH), "external_ids"),
    "Bridge": ("name", "ports", *settings.columns_of(settings.BRIDGE), "external_ids"),
    "Port": ("name", "interfaces", *settings.columns_of(settings.PORT), "external_ids"),
    "Interface": (
        *("name", *settings.columns_of(settings.INTERFACE), "mac_in_use", "error", "ofport"),
        *("link_state", "external_ids"),
    ),
}
"""The columns that are needed."""

OWNERS = ("container_id", "docker-endpoint")
"""Keys of external_ids of ports that come and go with a container: of `jackfield attach`, CNI and ovs-docker,
and of Docker networks. The value tells whose it is."""
ATTACHMENT = "jackfield-attachment"
"""The key of external_ids of ports of `jackfield attach`, which a file can name."""
_MADE_BY_THE_KERNEL = (1, 2, 3)  # IFAPROT_KERNEL_LO, _RA, _LL


def network(
    tables: Tables, views: Mapping[str, View], containers: Mapping[tuple[str, str], Container]
) -> Network:
    """What there is. Ports that come and go with containers are among `containers` or guests, not ports."""
    root: Row = next(iter(tables["Open_vSwitch"].values()), {})
    bridges: dict[str, Settings] = {}
    ports: dict[str, Port] = {}
    guests: dict[str, Port] = {}
    devices: dict[Place, Device] = {}
    for bridge in referred(tables, "Bridge", root.get("bridges")):
        name = str(bridge["name"])
        bridges[name] = settings.from_row(settings.BRIDGE, bridge)
        for row in referred(tables, "Port", bridge["ports"]):
            interfaces = list(referred(tables, "Interface", row["interfaces"]))
            if owner := _owner(row, interfaces):
                if ATTACHMENT not in _ids(row):
                    guests[str(row["name"])] = _guest(name, row, interfaces, owner)
                continue
            ports[str(row["name"])] = port = _port(name, row, interfaces, views)
            for interface in port.interfaces.values():
                if interface.place is not None:
                    devices[interface.place] = device_at(views, interface.place)
    links = dict(_links(views))
    for ends in links.values():
        devices.update((end, device_at(views, end)) for end in ends)
    return Network(
        switch=settings.from_row(settings.SWITCH, root),
        bridges=bridges,
        ports=ports,
        devices=devices,
        namespaces={name: _namespace(view) for name, view in views.items() if name},
        links=links,
        containers=containers,
        guests=guests,
    )


def referred(tables: Tables, table: str, uuids: Value) -> Iterator[Row]:
    """The rows that a column refers to."""
    rows = tables[table]
    found = uuids if isinstance(uuids, frozenset) else frozenset({uuids})
    return (rows[uuid] for uuid in found if isinstance(uuid, Uuid) and uuid in rows)


def netns_paths(tables: Tables) -> dict[str, str]:
    """The namespaces without a name that ports of guests are in: by the container's name in pictures, the
    file that stands for each."""
    found = {}
    for port in tables["Port"].values():
        if ATTACHMENT in _ids(port):
            continue
        interfaces = list(referred(tables, "Interface", port["interfaces"]))
        owner = _owner(port, interfaces)
        for interface in interfaces:
            options = interface["options"]
            if owner and isinstance(options, dict) and "netns" in options:
                found[owner] = str(options["netns"])
    return found


def _ids(row: Row) -> Mapping[Atom, Atom]:
    ids = row.get("external_ids")
    return ids if isinstance(ids, dict) else {}


def _owner(port: Row, interfaces: Sequence[Row]) -> str:
    """Whose a port is if it comes and goes with a container, "" if not."""
    for ids in map(_ids, (port, *interfaces)):
        for key in OWNERS:
            if key in ids:
                return str(ids[key])[:12]
    return ""


def _guest(bridge: str, row: Row, rows: Sequence[Row], owner: str) -> Port:
    interfaces = {}
    for interface in rows:
        name, options = str(interface["name"]), interface["options"]
        device = str(options.get("ifname", name)) if isinstance(options, dict) else name
        found = settings.from_row(settings.INTERFACE, interface)
        interfaces[name] = Interface(name, found, Place(owner, device))
    return Port(bridge, settings.from_row(settings.PORT, row), interfaces)


def device_at(views: Mapping[str, View], place: Place) -> Device:
    """What a device has of what a file can say; nothing of what kernel, routers and DHCP have given."""
    view = views.get(place.namespace, View())
    link = view.link(place.device)
    if link is None:
        return Device(up=False)
    addresses = (
        f"{a.address}/{a.prefix}"
        for a in view.addresses
        if a.ifindex == link.ifindex
        and a.valid_seconds == FOREVER
        and a.protocol not in _MADE_BY_THE_KERNEL
        and not a.peer
    )
    return Device(
        addresses=tuple(sorted(addresses)),
        routes=tuple(sorted(_routes(view, link))),
        up=link.up,
        mac=link.mac.hex(":"),
        mtu=link.mtu,
    )


def _routes(view: View, link: Link) -> Iterator[Route]:
    for route in view.routes:
        ours = route.table == TABLE_MAIN and route.kind == UNICAST and route.protocol in (BY_BOOT, BY_STATIC)
        if ours and len(route.hops) == 1 and route.hops[0].ifindex == link.ifindex and not route.source:
            via = route.hops[0].gateway
            yield Route(route.destination, via, canonical_metric(route.destination, route.metric))


def _port(bridge: str, row: Row, rows: Sequence[Row], views: Mapping[str, View]) -> Port:
    interfaces = {}
    for interface in rows:
        name = str(interface["name"])
        found = settings.from_row(settings.INTERFACE, interface)
        local = name == bridge
        if local:
            found["type"] = "internal"
            found.pop("mac", None)  # the switch does not go by it
        place = _place(interface, name, views) if found.get("type") == "internal" else None
        interfaces[name] = Interface(name, found, place)
    return Port(bridge, settings.from_row(settings.PORT, row), interfaces)


def _place(row: Row, name: str, views: Mapping[str, View]) -> Place | None:
    """Where an internal port's device is: where the database wants it, or where somebody has moved it."""
    options = row["options"] if isinstance(row["options"], dict) else {}
    path, device = str(options.get("netns", "")), str(options.get("ifname", "")) or name
    if path:
        file = PurePosixPath(path)
        return Place(file.name, device) if file.parent in (NAMED, PurePosixPath("/var/run/netns")) else None
    if views.get("", View()).link(device) is not None:
        return Place("", device)
    mac = row.get("mac_in_use")
    for namespace, view in views.items():
        for link in view.links:
            if link.kind == "veth" and link.mac.hex(":") == mac:
                return Place(namespace, link.name)
    return None


def _namespace(view: View) -> Namespace:
    loopback = view.link("lo")
    return Namespace(view.forwarding, loopback is not None and loopback.alias == namespace_mark())


def _links(views: Mapping[str, View]) -> Iterator[tuple[str, tuple[Place, Place]]]:
    ends: dict[str, dict[int, Place]] = {}
    for namespace, view in views.items():
        for link in view.links:
            marked = marked_link(link.alias)
            if marked is not None:
                name, number = marked
                ends.setdefault(name, {})[number] = Place(namespace, link.name)
    nowhere = Place("?", "?")
    for name, found in ends.items():
        yield name, (found.get(0, nowhere), found.get(1, nowhere))
