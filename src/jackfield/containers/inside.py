"""A container's network namespace seen from outside: its devices, addresses and routes."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from jackfield.net import inet, linkcodec
from jackfield.net.addresses import NODAD, Address, add_address, list_addresses
from jackfield.net.errors import KernelError
from jackfield.net.inside import inside
from jackfield.net.link import Link
from jackfield.net.netlink import Netlink, text
from jackfield.net.netns import open_socket_at
from jackfield.net.routes import Route, add_route, list_routes

T = TypeVar("T")


class Inside:
    """A namespace that a file stands for. Belongs to one thread. Every method raises KernelError."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._netlink = Netlink(open_socket_at(Path(path)))

    def close(self) -> None:
        self._netlink.close()

    def __enter__(self) -> Inside:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def netlink(self) -> Netlink:
        """The socket inside, for what has no method here."""
        return self._netlink

    def device(self, name: str) -> Link | None:
        """The device of that name, None when there is none."""
        wanted = linkcodec.ifinfo() + text(linkcodec.IFLA_IFNAME, name)
        try:
            found = self._netlink.request(f"looking for device {name}", linkcodec.RTM_GETLINK, 0, wanted)
        except KernelError as error:
            if error.errno == errno.ENODEV:
                return None
            raise
        return linkcodec.read_link(found[0]) if found else None

    def set_up(self, device: Link) -> None:
        """Bring a device up."""
        header = linkcodec.ifinfo(device.ifindex, linkcodec.IFF_UP, linkcodec.IFF_UP)
        self._netlink.request(f"bringing up {device.name}", linkcodec.RTM_SETLINK, 0, header)

    def add_address(self, device: Link, given: str) -> None:
        """Give a device an address "A/N". Who gave it out says that nobody else has it: an IPv6 one can be
        used at once (no duplicate address detection). Nothing is changed when the device has it."""
        address = Address.of(device.ifindex, given)
        if address.family == inet.FAMILIES[1]:
            self._allow_ipv6(device.name)
            address = Address(device.ifindex, address.address, address.prefix, flags=NODAD)
        try:
            add_address(self._netlink, address)
        except KernelError as error:
            if error.errno != errno.EEXIST:
                raise

    def addresses(self, device: Link) -> tuple[str, ...]:
        """A device's addresses, each "A/N"."""
        return tuple(
            f"{found.address}/{found.prefix}" for found in list_addresses(self._netlink, device.ifindex)
        )

    def add_route(self, route: Route) -> None:
        """Add a route; one that is there already stays."""
        try:
            add_route(self._netlink, route)
        except KernelError as error:
            if error.errno != errno.EEXIST:
                raise

    def routes(self) -> tuple[Route, ...]:
        """All routes."""
        return list_routes(self._netlink)

    def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, run on a thread of its own inside; its exceptions are raised here."""
        return inside(self._path, work)

    def _allow_ipv6(self, name: str) -> None:
        """Runtimes may have turned IPv6 off in the namespace; whoever gives an address wants it."""
        setting = Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6")

        def allow() -> None:
            if setting.exists() and setting.read_text().strip() != "0":
                setting.write_text("0")

        try:
            self.run(allow)
        except OSError as error:
            raise KernelError(f"allowing IPv6 on {name}", error.errno or errno.EIO) from None
