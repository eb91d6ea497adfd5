"""Taking a container's interface aside, so that another can have its name, and putting it back as it was.

A description of the interface is made first, is kept in the database, and holds all that is needed to undo.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from jackfield.containers.inside import Inside
from jackfield.net import linkcodec, netlink
from jackfield.net.addresses import Address, add_address, in_order_to_add, list_addresses
from jackfield.net.errors import KernelError
from jackfield.net.link import Link
from jackfield.net.routes import BY_KERNEL, BY_RA, TABLE_LOCAL, NextHop, Route, append_route, list_routes

PREFIX = "jf-"


def describe(inside: Inside, device: Link, netns: int) -> dict[str, Any]:
    """An interface with its addresses and routes, in values that JSON has; `netns` is the inode number of its
    namespace. Raises KernelError."""
    addresses = [each for each in list_addresses(inside.netlink, device.ifindex) if not each.link_local]
    routes = [
        route
        for route in list_routes(inside.netlink, device.ifindex)
        if route.table != TABLE_LOCAL and route.protocol not in (BY_KERNEL, BY_RA)
    ]
    return {
        "netns": netns,
        "ifindex": device.ifindex,
        "name": device.name,
        "up": device.up,
        "addresses": [asdict(address) for address in addresses],
        "routes": [_dumped(route) for route in routes],
    }


def is_of(described: Mapping[str, Any], device: Link, netns: int) -> bool:
    """Whether that is the description of this device: who began to take it aside has lost its routes."""
    return (described.get("netns"), described.get("ifindex")) == (netns, device.ifindex)


def take_aside(inside: Inside, described: Mapping[str, Any]) -> None:
    """Set the interface down and give it another name. Raises KernelError."""
    ifindex, name = described["ifindex"], described["name"]
    _set_up(inside, ifindex, False)
    _rename(inside, ifindex, (PREFIX + name)[:15])


def put_back(inside: Inside, described: Mapping[str, Any]) -> None:
    """Undo `take_aside`, as far as it has come; an interface that is gone is no error. Raises KernelError."""
    ifindex = described["ifindex"]
    try:
        _rename(inside, ifindex, described["name"])
    except KernelError as error:
        if error.errno == errno.ENODEV:
            return
        raise
    if not described["up"]:
        return
    _set_up(inside, ifindex, True)
    for address in in_order_to_add([Address(**each) for each in described["addresses"]]):
        with _unless_there():
            add_address(inside.netlink, address)
    # What is on the link comes before what is reached through it.
    routes = sorted(map(_loaded, described["routes"]), key=lambda route: bool(route.gateways))
    for route in routes:
        with _unless_there():
            append_route(inside.netlink, route)


def put_back_if_left(inside: Inside, described: Mapping[str, Any], netns: int) -> None:
    """`put_back`, if the interface is still aside in the namespace with that inode number."""
    there = inside.device((PREFIX + described["name"])[:15])
    if there is not None and is_of(described, there, netns):
        put_back(inside, described)


@contextmanager
def _unless_there() -> Iterator[None]:
    """No error for what is there already."""
    try:
        yield
    except KernelError as error:
        if error.errno != errno.EEXIST:
            raise


def _set_up(inside: Inside, ifindex: int, up: bool) -> None:
    header = linkcodec.ifinfo(ifindex, linkcodec.IFF_UP if up else 0, linkcodec.IFF_UP)
    what = f"setting device {ifindex} {'up' if up else 'down'}"
    inside.netlink.request(what, linkcodec.RTM_SETLINK, 0, header)


def _rename(inside: Inside, ifindex: int, name: str) -> None:
    payload = linkcodec.ifinfo(ifindex) + netlink.text(linkcodec.IFLA_IFNAME, name)
    inside.netlink.request(f"renaming device {ifindex} to {name}", linkcodec.RTM_SETLINK, 0, payload)


def _dumped(route: Route) -> dict[str, Any]:
    found = asdict(route)
    found["others"] = _hex(route.others)
    found["hops"] = [asdict(hop) | {"others": _hex(hop.others)} for hop in route.hops]
    return found


def _loaded(found: Mapping[str, Any]) -> Route:
    hops = tuple(NextHop(**(hop | {"others": _bytes(hop["others"])})) for hop in found["hops"])
    return Route(**{**found, "hops": hops, "others": _bytes(found["others"])})


def _hex(others: tuple[tuple[int, bytes], ...]) -> list[list[Any]]:
    return [[kind, value.hex()] for kind, value in others]


def _bytes(others: list[list[Any]]) -> tuple[tuple[int, bytes], ...]:
    return tuple((kind, bytes.fromhex(value)) for kind, value in others)
