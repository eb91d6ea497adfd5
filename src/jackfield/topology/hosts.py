"""Doing the host's part of a plan: namespaces, cables, and what devices have. Each step can be done again."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

from jackfield.client.errors import Failure
from jackfield.net import veth
from jackfield.net.addresses import NODAD, Address, add_address, delete_address, list_addresses
from jackfield.net.errors import KernelError
from jackfield.net.inside import inside
from jackfield.net.link import Link
from jackfield.net.netdev import Devices
from jackfield.net.netlink import Netlink
from jackfield.net.routes import BY_STATIC, NextHop, add_route, delete_route, list_routes
from jackfield.net.routes import LINK as LINK_SCOPE
from jackfield.net.routes import Route as KernelRoute
from jackfield.topology.network import Device, Namespace, Place, Route
from jackfield.topology.present import device_at
from jackfield.topology.views import (
    FORWARDING,
    View,
    link_mark,
    namespace_mark,
    namespace_path,
    sockets,
    told,
)

T = TypeVar("T")


def there(namespace: str, work: Callable[[], T]) -> T:
    """Do something in a namespace, "" being the switch's own. Raises Failure."""
    with told(f"working in namespace {namespace}" if namespace else "working on devices"):
        return inside(namespace_path(namespace), work) if namespace else work()


def make_namespace(name: str) -> None:
    """A new namespace with its loopback device up, marked as made by a file. Raises Failure."""
    _ip("netns", "add", name)
    try:
        there(name, _begin)
    except Failure:
        remove_namespace(name)
        raise


def remove_namespace(name: str) -> None:
    """Remove a namespace's name, and with it the namespace unless a process is in it. Raises Failure."""
    _ip("netns", "delete", name)


def set_forwarding(name: str, namespace: Namespace) -> None:
    """Have a namespace forward between its devices, or not. Raises Failure."""

    def work() -> None:
        for file in FORWARDING:
            if file.exists():  # without IPv6 there is but one
                file.write_text("1" if namespace.forwarding else "0")

    there(name, work)


def make_link(name: str, ends: tuple[Place, Place], devices: tuple[Device, Device]) -> None:
    """A cable, both ends marked; one that is there and bears no mark is taken: an earlier run was perhaps
    killed before it came to that. Raises Failure."""
    with ExitStack() as stack, told(f"making cable {name}"):
        wanted = []
        for place, device in zip(ends, devices, strict=True):
            descriptor = None
            if place.namespace:
                descriptor = os.open(namespace_path(place.namespace), os.O_RDONLY | os.O_CLOEXEC)
                stack.callback(os.close, descriptor)
            mac = bytes.fromhex(device.mac.replace(":", "")) if device.mac else b""
            wanted.append(veth.End(place.device, descriptor, mac, device.mtu or 0))
        with sockets() as requests:
            try:
                veth.create(requests, *wanted)
            except KernelError as error:
                if error.errno != errno.EEXIST or not _joined(ends):
                    raise
    for number, place in enumerate(ends):
        there(place.namespace, partial(_mark, place.device, link_mark(name, number)))


def remove_link(ends: Iterable[Place]) -> None:
    """Remove a cable by the end that can be found. Raises Failure."""
    for place in ends:
        if place.namespace != "?" and there(place.namespace, partial(_delete, place.device)):
            return


def set_device(place: Place, device: Device) -> None:
    """Give a device what it is to have; what is None stays. Raises Failure."""
    there(place.namespace, lambda: _set_device(place, device))


def _begin() -> None:
    with Devices.open() as devices:
        loopback = devices.get_link("lo")
        if loopback is not None:
            devices.set_alias(loopback.ifindex, namespace_mark())
            devices.set_up(loopback.ifindex, True)


def _joined(ends: tuple[Place, Place]) -> bool:
    """Whether two devices are the ends of a cable that nobody has marked."""
    one, other = (there(place.namespace, partial(_find, place.device)) for place in ends)
    return (
        one is not None
        and other is not None
        and (one.kind, one.alias, one.peer_ifindex) == ("veth", "", other.ifindex)
        and (other.kind, other.alias, other.peer_ifindex) == ("veth", "", one.ifindex)
    )


def _find(name: str) -> Link | None:
    with Devices.open() as devices:
        return devices.get_link(name)


def _mark(name: str, alias: str) -> None:
    with Devices.open() as devices:
        link = devices.get_link(name)
        if link is not None:
            devices.set_alias(link.ifindex, alias)


def _delete(name: str) -> bool:
    with Devices.open() as devices:
        link = devices.get_link(name)
        if link is not None:
            devices.delete(link.ifindex)
        return link is not None


def _set_device(place: Place, device: Device) -> None:
    with Devices.open() as devices, sockets() as requests:
        link = devices.get_link(place.device)
        if link is None:
            where = f"namespace {place.namespace}" if place.namespace else "the switch's namespace"
            raise Failure(f"there is no device {place.device} in {where}")
        if device.mac is not None and device.mac != link.mac.hex(":"):
            devices.set_mac(link.ifindex, bytes.fromhex(device.mac.replace(":", "")))
        if device.mtu is not None and device.mtu != link.mtu:
            devices.set_mtu(link.ifindex, device.mtu)
        if device.up is not None and device.up != link.up:
            devices.set_up(link.ifindex, device.up)
        if device.addresses is not None:
            _set_addresses(requests, place, link.ifindex, device.addresses)
        if device.routes is not None:
            _set_routes(requests, place, link.ifindex, device.routes)


def _now(requests: Netlink, place: Place) -> Device:
    with Devices.open() as devices:
        view = View(devices.list_links(), list_addresses(requests), list_routes(requests))
    return device_at({place.namespace: view}, place)


def _set_addresses(requests: Netlink, place: Place, ifindex: int, wanted: tuple[str, ...]) -> None:
    has = {f"{found.address}/{found.prefix}": found for found in list_addresses(requests, ifindex)}
    for text in _now(requests, place).addresses or ():
        if text not in wanted:
            delete_address(requests, has[text])
    for text in wanted:
        if text in has:
            continue
        address = Address.of(ifindex, text)
        if ":" in text:
            _allow_ipv6(place.device)
            # The file says that nobody else has it: it can be used at once.
            address = Address(ifindex, address.address, address.prefix, flags=NODAD)
        _add_address(requests, address)


def _add_address(requests: Netlink, address: Address) -> None:
    try:
        add_address(requests, address)
    except KernelError as error:
        if error.errno != errno.EEXIST:
            raise


def _allow_ipv6(device: str) -> None:
    setting = Path(f"/proc/sys/net/ipv6/conf/{device}/disable_ipv6")
    if setting.exists() and setting.read_text().strip() != "0":
        setting.write_text("0")


def _set_routes(requests: Netlink, place: Place, ifindex: int, wanted: tuple[Route, ...]) -> None:
    has = _now(requests, place).routes or ()
    for route in has:
        if route not in wanted:
            delete_route(requests, _kernel_route(requests, route, ifindex))
    # The networks on the link first: routers are reached by way of them.
    for route in sorted(set(wanted) - set(has), key=lambda route: (bool(route.via), route)):
        add_route(requests, _new_route(route, ifindex))


def _new_route(route: Route, ifindex: int) -> KernelRoute:
    scope = LINK_SCOPE if not route.via and ":" not in route.to else 0
    hop = NextHop(ifindex, route.via)
    return KernelRoute(route.to, (hop,), protocol=BY_STATIC, scope=scope, metric=route.metric)


def _kernel_route(requests: Netlink, route: Route, ifindex: int) -> KernelRoute:
    """The kernel's own form of a route that it has."""
    for found in list_routes(requests, ifindex):
        if found.destination == route.to and found.gateways == ((route.via,) if route.via else ()):
            return found
    return _new_route(route, ifindex)


def _ip(*words: str) -> None:
    program = shutil.which("ip")
    if program is None:
        raise Failure("the program `ip` is not there; it comes with the package iproute2")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise Failure(f"`ip {' '.join(words)}` failed: {reason[-1] if reason else done.returncode}")
