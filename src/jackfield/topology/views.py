"""What the kernel has in one network namespace: devices, addresses, routes, and the marks of those that files
have made."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jackfield.client.control import rundir
from jackfield.client.errors import Failure
from jackfield.net.addresses import Address, list_addresses
from jackfield.net.errors import KernelError
from jackfield.net.inside import inside
from jackfield.net.link import Link
from jackfield.net.netdev import Devices
from jackfield.net.netlink import Netlink
from jackfield.net.routes import Route, list_routes

NAMED = Path("/run/netns")
FORWARDING = (Path("/proc/sys/net/ipv4/ip_forward"), Path("/proc/sys/net/ipv6/conf/all/forwarding"))


@dataclass(frozen=True, slots=True)
class View:
    """A namespace at one moment."""

    links: tuple[Link, ...] = ()
    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()
    forwarding: bool = False

    def link(self, name: str) -> Link | None:
        """The device of that name."""
        return next((link for link in self.links if link.name == name), None)


def namespace_path(name: str) -> str:
    """The file that stands for a namespace."""
    return str(NAMED / name)


def namespace_mark() -> str:
    """The alias of the loopback device of a namespace that a file of this switch has made: it lives and dies
    with the namespace."""
    return f"jackfield {_instance()}"


def link_mark(name: str, end: int) -> str:
    """The alias of an end of a cable that a file of this switch has made."""
    return f"jackfield {_instance()} cable {end} {name}"


def marked_link(alias: str) -> tuple[str, int] | None:
    """Name and end of the cable that an alias marks."""
    start = f"jackfield {_instance()} cable "
    if not alias.startswith(start):
        return None
    end, _, name = alias.removeprefix(start).partition(" ")
    return (name, int(end)) if end in ("0", "1") else None


def all_views() -> dict[str, View]:
    """The switch's own namespace as "", and every named one. Raises Failure."""
    found = {"": view()}
    for name in namespaces():
        try:
            found[name] = inside(namespace_path(name), view)
        except KernelError:
            continue  # not a namespace (any more)
    return found


def container_views(paths: Mapping[str, str]) -> dict[str, View]:
    """The same for namespaces that stand behind files elsewhere; those that are gone are left out."""
    found = {}
    for name, path in paths.items():
        try:
            found[name] = inside(path, view)
        except KernelError:
            continue
    return found


def namespaces() -> list[str]:
    """The names of the namespaces that are there, as `ip netns list` has them."""
    return sorted(path.name for path in NAMED.iterdir()) if NAMED.is_dir() else []


def view() -> View:
    """What there is in the namespace of this thread. Raises Failure."""
    with told("looking at devices"), Devices.open() as devices, sockets() as requests:
        return View(
            devices.list_links(),
            list_addresses(requests),
            list_routes(requests),
            FORWARDING[0].read_text().strip() == "1",
        )


@contextmanager
def sockets() -> Iterator[Netlink]:
    """A netlink socket in the namespace of this thread."""
    requests = Netlink()
    try:
        yield requests
    finally:
        requests.close()


@contextmanager
def told(what: str) -> Iterator[None]:
    """The kernel's refusals, for the user."""
    try:
        yield
    except KernelError as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(f"{what}: {error.strerror}") from error


def shown(views: Mapping[str, View], namespace: str) -> View:
    """A namespace's view, an empty one when it is not there."""
    return views.get(namespace, View())


def _instance() -> str:
    """A short name for the switch of this run directory: two of them do not take each other's things away."""
    return hashlib.sha256(os.path.realpath(rundir()).encode()).hexdigest()[:12]
