"""Layer 3 from one device to another, make before break: both have it for a moment.

While two devices have an address, the host answers by either. Of two IPv4 routes that differ in the device
only, the kernel takes the one that was there first, and the other as soon as the first one goes: so a move
has no instant without a route. What a host sends by a card leaves by it also while the card is on the switch.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from jackfield.adopt.host import (
    ADDRESS_MODE,
    DUPLICATE_CHECK,
    NO_AUTOMATIC_ADDRESS,
    Host,
    Layer3,
    of_device,
    write_settings,
)
from jackfield.net.addresses import Address, delete_address, in_order_to_add, replace_address
from jackfield.net.errors import KernelError
from jackfield.net.link import Link
from jackfield.net.neighbours import (
    EXT_LEARNED,
    PERMANENT,
    PROXY,
    ROUTER,
    STALE,
    Neighbour,
    delete_neighbour,
    replace_neighbour,
)
from jackfield.net.routes import BY_KERNEL, Route, append_route, delete_route
from jackfield.net.rules import add_rule, delete_rule

_NAME_BYTES = 15


def prepare(host: Host, state: Layer3, name: str, old: int, lasting_name: str = "") -> None:
    """Give the device `name` all of `state` but what would be used at once: those of IPv6's routes that go by
    gateways. What is there already is no error.

    `old` is the ifindex that the routes of `state` name; `lasting_name` what the device will be called in the
    end, if that differs, for rules go by name.

    Raises Failure, KernelError.
    """
    # Nobody else may have these addresses: they are ours, on the same wire. So they are not looked for,
    # and none is made up.
    quiet = {ADDRESS_MODE: NO_AUTOMATIC_ADDRESS, DUPLICATE_CHECK: "0"}
    write_settings(name, {key: quiet.get(key, value) for key, value in state.settings.items()})
    link = host.link(name)
    if state.up and not link.up:
        host.devices.set_up(link.ifindex, True)
    for address in in_order_to_add(state.addresses):
        replace_address(host.netlink, _moved(address, state.device, link))
    write_settings(name, state.settings)
    for neighbour in (*state.neighbours, *state.proxies):
        replace_neighbour(host.netlink, _remembered(neighbour, link.ifindex))
    for rule in state.rules:
        _unless_there(partial(add_rule, host.netlink, rule.renamed(state.device, lasting_name or name)))
    _add_routes(host, state, old, link.ifindex, lambda route: not _is_used_at_once(route))


def add_last_routes(host: Host, state: Layer3, name: str, old: int) -> None:
    """Give the device the routes that `prepare` left out. Raises Failure, KernelError."""
    _add_routes(host, state, old, host.link(name).ifindex, _is_used_at_once)


def correct(host: Host, state: Layer3, name: str) -> None:
    """Undo what the kernel makes of addresses on its own: other labels for the second and later ones when a
    device is renamed, a link-local one when it has another MAC for a moment. Raises KernelError.

    Routes that go with an address are to be added again.
    """
    link = host.link(name)
    wanted = {address.address: address for address in state.addresses}
    for present in host.layer3(name).addresses:
        if present.address not in wanted:
            if present.link_local:
                delete_address(host.netlink, present)
        elif present.label != wanted[present.address].label:
            delete_address(host.netlink, present)
            replace_address(host.netlink, _moved(wanted[present.address], state.device, link))


def strip_routes(host: Host, name: str) -> None:
    """Take all routes off a device, so that others of the same prefix are used. Raises KernelError."""
    link = host.devices.get_link(name)
    if link is not None:
        for route in host.routes(link.ifindex):
            for each in _own_part(route, link.ifindex):
                delete_route(host.netlink, each)


def strip(host: Host, name: str, keep: Callable[[Address], bool] = lambda _: False) -> None:
    """Take layer 3 off a device, if it is there: what it needs to be a mere port. Raises KernelError."""
    link = host.devices.get_link(name)
    if link is None:
        return
    write_settings(name, {ADDRESS_MODE: NO_AUTOMATIC_ADDRESS})
    state = host.layer3(name)
    for rule in state.rules:
        delete_rule(host.netlink, rule)
    strip_routes(host, name)
    # The last added first: with the first address of a subnet its others would go as well, and those that
    # are left when this is cut short have their places.
    for address in reversed(in_order_to_add(state.addresses)):
        if not keep(address):
            delete_address(host.netlink, address)
    for neighbour in (*state.neighbours, *state.proxies):
        if neighbour.state == PERMANENT or neighbour.flags & PROXY:
            delete_neighbour(host.netlink, neighbour)


def _add_routes(host: Host, state: Layer3, old: int, new: int, chosen: Callable[[Route], bool]) -> None:
    wanted = [
        part for route in state.routes for part in _own_part(of_device(route, old, new), new) if chosen(part)
    ]
    present = {_lasting(route) for route in host.routes(new)}
    # A gateway is accepted when there is a way to it.
    for route in sorted(wanted, key=lambda route: bool(route.gateways)):
        if _lasting(route) not in present:
            _unless_there(partial(append_route, host.netlink, route))
    lasting = {_lasting(route) for route in wanted}
    for route in host.routes(new):
        made_with_address = route.protocol == BY_KERNEL and not route.gateways
        if made_with_address and chosen(route) and _lasting(route) not in lasting:
            delete_route(host.netlink, route)


def _is_used_at_once(route: Route) -> bool:
    """IPv6 spreads packets over all ways by gateways that have the same prefix and metric."""
    return route.family == socket.AF_INET6 and bool(route.gateways)


def _own_part(route: Route, ifindex: int) -> tuple[Route, ...]:
    """What of a route with several ways is added or deleted: IPv6 has each way as a route of its own."""
    if route.family == socket.AF_INET or len(route.hops) < 2:
        return (route,)
    return (replace(route, hops=tuple(hop for hop in route.hops if hop.ifindex == ifindex)),)


def _lasting(route: Route) -> Route:
    """The route without what passes with time."""
    return replace(route, expires_seconds=0)


def _moved(address: Address, old: str, link: Link) -> Address:
    label = address.label
    if label == old or label.startswith(f"{old}:"):
        label = link.name + label[len(old) :]
    fits = len(label.encode()) <= _NAME_BYTES
    return replace(address, ifindex=link.ifindex, label=label if fits else link.name)


def _remembered(neighbour: Neighbour, ifindex: int) -> Neighbour:
    """What is known of a neighbour, to be confirmed by the new device when it is used."""
    fixed = neighbour.state == PERMANENT or neighbour.flags & PROXY
    return replace(
        neighbour,
        ifindex=ifindex,
        state=neighbour.state if fixed else STALE,
        flags=neighbour.flags & (PROXY | ROUTER | EXT_LEARNED),
    )


def _unless_there(add: Callable[[], None]) -> None:
    try:
        add()
    except KernelError as error:
        if error.errno != errno.EEXIST:
            raise
