"""Setting up an attachment's interface inside its container: addresses, routes, and bringing it up."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from contextlib import suppress

from jackfield.client.errors import Failure
from jackfield.containers.announce import announce
from jackfield.containers.attachment import Wish, plain
from jackfield.containers.inside import Inside
from jackfield.net import inet
from jackfield.net.addresses import Address, delete_address
from jackfield.net.errors import KernelError
from jackfield.net.link import Link
from jackfield.net.routes import Route, delete_route, list_routes


def configure(inside: Inside, wish: Wish, before: Wish | None = None) -> None:
    """Give the interface the addresses and routes that are wished for, and bring it up. What `before` wished
    for and `wish` does not goes; what else is there stays. Doing it twice is doing it once.

    Raises Failure and KernelError.
    """
    device = interface_of(inside, wish.ifname)
    if before is not None:
        for route in _routes(before, device.ifindex):
            if route not in _routes(wish, device.ifindex):
                delete_route(inside.netlink, route)
        for address in set(before.static) - set(wish.static):
            delete_address(inside.netlink, Address.of(device.ifindex, address))
    for address in wish.static:
        inside.add_address(device, address)
    inside.set_up(device)
    add_routes(inside, device, _routes(wish, device.ifindex))
    tell(inside, device, wish.static)


def interface_of(inside: Inside, name: str) -> Link:
    """The interface of that name; raises Failure when it is gone."""
    device = inside.device(name)
    if device is None:
        raise Failure(f"interface {name} has vanished from the container's network namespace")
    return device


def add_routes(inside: Inside, device: Link, routes: Sequence[Route]) -> None:
    """Add routes by a device, but for those that are there. Raises Failure when a route to the same
    destination goes by another way, and KernelError."""
    if not routes:
        return
    there = list_routes(inside.netlink)
    for route in routes:
        same = [each for each in there if (each.destination, each.table) == (route.destination, route.table)]
        if any(each.gateways == route.gateways and each.uses(device.ifindex) for each in same):
            continue
        others = [each for each in same if not each.uses(device.ifindex) and each.metric == route.metric]
        if others and route.family == inet.FAMILIES[0]:
            what = "default route" if route.is_default else f"route to {route.destination}"
            raise Failure(
                f"there is a {what} by another interface in the container already; "
                "--replace takes the place of that interface"
            )
        inside.add_route(route)


def tell(inside: Inside, device: Link, addresses: Iterable[str]) -> None:
    """Tell the neighbours who has the addresses now."""
    with suppress(OSError, KernelError):
        inside.run(lambda: announce(device.name, device.mac, addresses))


def _routes(wish: Wish, ifindex: int) -> list[Route]:
    found = [Route.to("default", ifindex, gateway) for gateway in wish.gateways]
    for words in wish.routes:
        prefix, _, via = words.partition("=")
        found.append(Route.to(prefix, ifindex, via))
    return found


def sentence(error: KernelError) -> str:
    """What to tell of a kernel's refusal inside a container."""
    if error.errno == errno.ENOENT:
        return "its network namespace has vanished meanwhile"
    return str(error)


def holds(inside: Inside, wish: Wish) -> bool:
    """Whether the interface is there, up, and with every address that is wished for."""
    device = inside.device(wish.ifname)
    if device is None or not device.up:
        return False
    there = {plain(address) for address in inside.addresses(device)}
    return {plain(address) for address in wish.static} <= there
