"""From the network that there is to a file that says so. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from jackfield.topology import form, settings
from jackfield.topology.network import Container, Device, Network, Place, Port, Route

USUAL_MTU = 1500


def file_of(network: Network) -> form.File:
    """The file. Namespaces are named if files have made them, or something of the network is in them."""
    bridges = {}
    for name, options in sorted(network.bridges.items()):
        ports = {
            port: made
            for port, value in sorted(network.ports.items(), key=lambda item: (item[0] != name, item[0]))
            if value.bridge == name and (made := _port(port, value, network)) is not None
        }
        bridges[name] = form.Bridge(ports=ports, **settings.to_form(settings.BRIDGE, options))
    switch = settings.to_form(settings.SWITCH, network.switch)
    return form.File(
        switch=form.Switch(**switch) if switch else None,
        bridges=bridges,
        namespaces=_namespaces(network),
        links={name: _link(network, ends) for name, ends in sorted(network.links.items())},
        containers=_containers(network.containers),
    )


def as_data(file: form.File) -> Any:
    """The file as a program has it: mappings, lists, words and numbers."""
    return msgspec.to_builtins(file)


def as_yaml(file: form.File) -> str:
    """The file's text."""
    import yaml

    data = as_data(file)
    if not data:
        return "# An empty switch: no bridges.\n"
    return str(yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=110, allow_unicode=True))


def _port(name: str, port: Port, network: Network) -> form.Port | None:
    """A port; None for a bridge's own that is as it was made."""
    interface = next(iter(port.interfaces.values()), None)
    if interface is None:
        return None
    local = name == port.bridge
    fields = settings.to_form(settings.PORT, port.settings)
    words = settings.to_form(settings.INTERFACE, interface.settings)
    if len(port.interfaces) > 1:
        fields["members"] = sorted(port.interfaces)
        words = {key: value for key, value in words.items() if key == "mtu"}
    if local:
        words.pop("type", None)
    fields |= words
    place = interface.place
    if place is not None:
        if place.namespace:
            fields["namespace"] = place.namespace
        if place.device != name:
            fields["device"] = place.device
        device = network.devices.get(place, Device())
        fields |= _addressing(device)
        if not device.up:
            fields["up"] = False
            if local and len(fields) == 1:
                return None
    return form.Port(**fields)


def _addressing(device: Device) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if device.addresses:
        fields["addresses"] = list(device.addresses)
    if device.routes:
        fields["routes"] = [_route(route) for route in device.routes]
    return fields


def _route(route: Route) -> form.Route:
    return form.Route(to=route.destination, via=route.via or None, metric=route.metric or None)


def _namespaces(network: Network) -> dict[str, form.Namespace]:
    used = {place.namespace for place in network.devices}
    return {
        name: form.Namespace(forwarding=True if namespace.forwarding else None)
        for name, namespace in sorted(network.namespaces.items())
        if namespace.ours or name in used
    }


def _link(network: Network, ends: tuple[Place, Place]) -> form.Link:
    return form.Link(ends=[_end(network.devices.get(place, Device()), place) for place in ends])


def _end(device: Device, place: Place) -> form.End:
    return form.End(
        namespace=place.namespace or None,
        device=place.device,
        mtu=device.mtu if device.mtu != USUAL_MTU else None,
        up=bool(device.up),
        **_addressing(device),
    )


def _containers(
    found: Mapping[tuple[str, str], Container],
) -> dict[str, form.Container | list[form.Container]]:
    by_target: dict[str, list[form.Container]] = {}
    for (target, device), container in sorted(found.items()):
        by_target.setdefault(target, []).append(_container(device, container))
    return {target: parts[0] if len(parts) == 1 else parts for target, parts in by_target.items()}


def _container(device: str, container: Container) -> form.Container:
    wish = container.wish
    routes = (route.partition("=") for route in wish.routes)
    return form.Container(
        bridge=wish.bridge,
        device=device,
        tag=wish.tag,
        trunks=settings.vlan_list(wish.trunks) or None,
        addresses=list(wish.addresses),
        gateways=list(wish.gateways),
        routes=[form.ContainerRoute(to=to, via=via) for to, _, via in routes],
        mac=wish.mac or None,
        mtu=wish.mtu,
        replace=wish.replace,
        veth=wish.veth,
        port=wish.port or None,
    )
