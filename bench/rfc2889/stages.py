"""What is tested: switches with a cable from each port to a station, and cables alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bench.netns import namespaces, run
from bench.peers import LIMIT, LINUX_BRIDGE
from bench.switch import BRIDGE, OpenVSwitch, Switch, running

PORTS = 8
TABLE_SIZE = 1_048_576  # asked for; OVS takes 1,000,000 at most


@dataclass(frozen=True, slots=True)
class Stage:
    """A switch: where its stations s1 to s8 and its ports p1 to p8 are, and how it forgets addresses."""

    title: str
    stations: str
    host: str
    forget: Callable[[], object] | None
    """None when it is no switch."""


def station(number: int) -> str:
    """A station's device, counted from 1."""
    return f"s{number}"


def address(number: int) -> bytes:
    """A station's address."""
    return bytes((2, 0x28, 0x89, 0, 0, number))


def _cable(near: str, near_device: str, far: str, far_device: str) -> None:
    pair = ("type", "veth", "peer", "name", far_device, "netns", far)
    run("ip", "-n", near, "link", "add", near_device, *pair)
    for where, device in ((near, near_device), (far, far_device)):
        run("ip", "-n", where, "link", "set", device, "addrgenmode", "none", "up")


def _plug(stations: str, host: str) -> list[str]:
    ports = [f"p{number}" for number in range(1, PORTS + 1)]
    for number, port in enumerate(ports, 1):
        _cable(host, port, stations, station(number))
    return ports


def switched(kind: type[Switch], label: str) -> Callable[[], AbstractContextManager[Stage]]:
    """A switch with daemons."""

    @contextlib.contextmanager
    def stage() -> Iterator[Stage]:
        stations = f"jft-bench-{label}-s"
        with namespaces(stations), running(label, kind) as switch:
            size = f"other_config:mac-table-size={TABLE_SIZE}"
            words = ["set", "Bridge", BRIDGE, size]
            for port in _plug(stations, switch.namespace):
                words += ["--", "add-port", BRIDGE, port]
            switch.vsctl(*words)
            yield Stage(kind.title, stations, switch.namespace, lambda: switch.appctl("fdb/flush", BRIDGE))

    return stage


@contextlib.contextmanager
def linux_bridge() -> Iterator[Stage]:
    """The kernel's own bridge."""
    stations, host = "jft-bench-rfcl-s", "jft-bench-rfcl"
    with namespaces(stations, host):
        words = ("type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        run("ip", "-n", host, "link", "add", BRIDGE, *words)
        run("ip", "-n", host, "link", "set", BRIDGE, "addrgenmode", "none", "up")
        for port in _plug(stations, host):
            run("ip", "-n", host, "link", "set", port, "master", BRIDGE)
        flush = ("ip", "-n", host, "link", "set", BRIDGE, "type", "bridge", "fdb_flush")
        yield Stage(LINUX_BRIDGE, stations, host, lambda: run(*flush))


@contextlib.contextmanager
def cables() -> Iterator[Stage]:
    """The limit: a cable from each station of the first half to one of the second."""
    stations = "jft-bench-rfcp-s"
    with namespaces(stations):
        for number in range(1, PORTS // 2 + 1):
            _cable(stations, station(number), stations, station(number + PORTS // 2))
        yield Stage(LIMIT, stations, stations, None)


STAGES = (switched(Switch, "rfcj"), linux_bridge, switched(OpenVSwitch, "rfco"), cables)
