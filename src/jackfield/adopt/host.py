"""What a device has of layer 3: addresses, routes, rules, neighbours and the kernel's per-device settings."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from jackfield.client.errors import Failure
from jackfield.net.addresses import Address, list_addresses
from jackfield.net.link import Link
from jackfield.net.neighbours import PERMANENT, USABLE, Neighbour, list_neighbours
from jackfield.net.netdev import Devices
from jackfield.net.netlink import Netlink
from jackfield.net.routes import BY_KERNEL, TABLE_LOCAL, Route, list_routes
from jackfield.net.rules import Rule, list_rules

SYSCTL = Path("/proc/sys/net")
FAMILIES = ("ipv4", "ipv6")
ADDRESS_MODE, DUPLICATE_CHECK = "ipv6/addr_gen_mode", "ipv6/accept_dad"
NO_AUTOMATIC_ADDRESS = "1"

_NOT_COPIED = frozenset(
    {"mtu", "mc_forwarding", "stable_secret", "ioam6_id", "ioam6_id_wide", "tag", "medium_id"}
)
"""What belongs to the device itself: numbers of its own, what is only told, secrets."""


@dataclass(frozen=True, slots=True)
class Layer3:
    """All of layer 3 that a device has, and what of layer 2 others know it by."""

    device: str
    mac: str
    mtu: int
    up: bool = True
    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()  # but those in the table "local" that the kernel makes
    rules: tuple[Rule, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()  # those with a known MAC
    proxies: tuple[Neighbour, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)  # by "ipv4/NAME" and "ipv6/NAME"

    @property
    def gateways(self) -> tuple[str, ...]:
        """The gateways of its default routes, each once."""
        found = (gateway for route in self.routes if route.is_default for gateway in route.gateways)
        return tuple(dict.fromkeys(found))


class Host:
    """Hold on the kernel's devices in this network namespace. Belongs to one thread."""

    def __init__(self) -> None:
        """Raises KernelError."""
        self.netlink = Netlink()
        self.devices = Devices.open()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.netlink.close()
        self.devices.close()

    def link(self, name: str) -> Link:
        """The device of that name; raises Failure when there is none."""
        found = self.devices.get_link(name)
        if found is None:
            raise Failure(f"{name}: there is no such network device; `ip link` lists those that are there")
        return found

    def layer3(self, name: str) -> Layer3:
        """What a device has now. Raises Failure, KernelError."""
        link = self.link(name)
        neighbours = list_neighbours(self.netlink, link.ifindex)
        return Layer3(
            device=name,
            mac=link.mac.hex(":"),
            mtu=link.mtu,
            up=link.up,
            addresses=list_addresses(self.netlink, link.ifindex),
            routes=self.routes(link.ifindex),
            rules=list_rules(self.netlink, name),
            neighbours=tuple(each for each in neighbours if _worth_keeping(each)),
            proxies=list_neighbours(self.netlink, link.ifindex, proxies=True),
            settings=read_settings(name),
        )

    def routes(self, ifindex: int) -> tuple[Route, ...]:
        """A device's routes but those in the table "local" that come and go with its addresses."""
        return tuple(route for route in list_routes(self.netlink, ifindex) if not _kernels_own(route))


def read_settings(device: str) -> dict[str, str]:
    """The per-device settings of IPv4 and IPv6 (net.ipv4.conf.DEVICE and net.ipv6.conf.DEVICE)."""
    found = {}
    for family in FAMILIES:
        folder = SYSCTL / family / "conf" / device
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.name not in _NOT_COPIED:
                with contextlib.suppress(OSError, UnicodeDecodeError):
                    found[f"{family}/{path.name}"] = path.read_text().strip()
    return found


def write_settings(device: str, wanted: Mapping[str, str]) -> None:
    """Write the settings that differ; those that this kernel does not let one set stay as they are."""
    present = read_settings(device)
    for name, value in wanted.items():
        if present.get(name, value) != value:
            family, _, setting = name.partition("/")
            with contextlib.suppress(OSError):
                (SYSCTL / family / "conf" / device / setting).write_text(value)


def of_device(route: Route, old: int, new: int) -> Route:
    """The same route by another device, in all of its ways that went by the old one."""
    hops = tuple(replace(hop, ifindex=new) if hop.ifindex == old else hop for hop in route.hops)
    return replace(route, hops=hops)


def _kernels_own(route: Route) -> bool:
    return route.table == TABLE_LOCAL and route.protocol == BY_KERNEL


def _worth_keeping(neighbour: Neighbour) -> bool:
    state = neighbour.state
    # NOARP is what multicast addresses have, and no knowledge.
    return bool(neighbour.mac) and bool(state & USABLE) and (state == PERMANENT or state < PERMANENT >> 1)
