"""What is compared: ways to join network namespaces, each a context manager that gives both ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bench.counts.names import CONTAINERS, HOST, NIC
from bench.effort import Effort
from bench.netns import inside, namespaces, run
from bench.switch import BRIDGE, OpenVSwitch, Switch, running

NEAR_ADDRESS, FAR_ADDRESS, HOST_ADDRESS, OUTSIDE_ADDRESS = (f"10.18.138.{number}" for number in range(1, 5))
LIMIT = "plain veth pair"
LINUX_BRIDGE = "Linux bridge"
OVS = OpenVSwitch.title
INTERNAL = "Jackfield, internal ports"
SYSTEM = "Jackfield, veth ports"


def many(ports: int) -> str:
    """A Jackfield with so many ports."""
    return f"Jackfield, {ports:,} internal ports"


@dataclass(frozen=True, slots=True)
class Ends:
    """Two namespaces that are joined, and the address of the far one."""

    near: str
    far: str
    far_address: str = FAR_ADDRESS


Peer = Callable[[], AbstractContextManager[Mapping[str, Ends]]]


@contextlib.contextmanager
def _named(label: str, *ends: str) -> Iterator[tuple[str, ...]]:
    names = tuple(f"jft-bench-{label}-{end}" for end in ends)
    with namespaces(*names):
        yield names


def _address(namespace: str, device: str, address: str) -> None:
    run("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", device)
    run("ip", "-n", namespace, "link", "set", device, "up")


def _cable(near: str, near_device: str, far: str, far_device: str) -> None:
    pair = ("type", "veth", "peer", "name", far_device, "netns", far)
    run("ip", "link", "add", near_device, "netns", near, *pair)


def _ways(near: str, far: str, host: str, outside: str) -> Mapping[str, Ends]:
    return {
        CONTAINERS: Ends(near, far),
        HOST: Ends(near, host, HOST_ADDRESS),
        NIC: Ends(host, outside, OUTSIDE_ADDRESS),
    }


@contextlib.contextmanager
def veth_pair() -> Iterator[Mapping[str, Ends]]:
    """The limit: nothing between the two."""
    with _named("veth", "a", "b") as (near, far):
        _cable(near, "jft0", far, "jft0")
        _address(near, "jft0", NEAR_ADDRESS)
        _address(far, "jft0", FAR_ADDRESS)
        yield {CONTAINERS: Ends(near, far)}


@contextlib.contextmanager
def linux_bridge() -> Iterator[Mapping[str, Ends]]:
    """The kernel's own bridge with a veth pair to each namespace; the host's address is on the bridge."""
    with _named("bridge", "a", "b", "o", "host") as (near, far, outside, host):
        run("ip", "-n", host, "link", "add", BRIDGE, "type", "bridge")
        _address(host, BRIDGE, HOST_ADDRESS)
        for namespace, port, address in _cables(near, far, outside):
            _cable(namespace, "jft0", host, port)
            run("ip", "-n", host, "link", "set", port, "master", BRIDGE, "up")
            _address(namespace, "jft0", address)
        yield _ways(near, far, host, outside)


def _cables(near: str, far: str, outside: str) -> tuple[tuple[str, str, str], ...]:
    return (near, "jft-a", NEAR_ADDRESS), (far, "jft-b", FAR_ADDRESS), (outside, "jft-o", OUTSIDE_ADDRESS)


def _plug(switch: Switch, namespace: str, port: str, address: str) -> None:
    """Joins a namespace, or the outside, to a port by a cable."""
    _cable(namespace, "jft0", switch.namespace, port)
    run("ip", "-n", switch.namespace, "link", "set", port, "up")
    switch.vsctl("add-port", BRIDGE, port)
    _without_offload(switch, namespace, "jft0")
    _address(namespace, "jft0", address)


def _without_offload(switch: Switch, namespace: str, device: str) -> None:
    """OVS's user-space datapath does not complete checksums that are left to a device."""
    if isinstance(switch, OpenVSwitch):
        run(*inside(namespace, "ethtool", "-K", device, "tx", "off"))


def _with_cables(label: str, kind: type[Switch]) -> Peer:
    """Containers by veth pairs, and the outside; the host's address is on an internal port."""

    @contextlib.contextmanager
    def peer() -> Iterator[Mapping[str, Ends]]:
        with _named(label, "a", "b", "o") as spaces, running(f"{label}-switch", kind) as switch:
            switch.add_internal_ports(["jft-h"])
            _without_offload(switch, switch.namespace, "jft-h")
            _address(switch.namespace, "jft-h", HOST_ADDRESS)
            for namespace, port, address in _cables(*spaces):
                _plug(switch, namespace, port, address)
            near, far, outside = spaces
            ways = _ways(near, far, switch.namespace, outside)
            yield ways if kind is OpenVSwitch else {CONTAINERS: ways[CONTAINERS]}

    return peer


def jackfield_internal(ports: int, label: str) -> Peer:
    """Jackfield with this many internal ports, of which the first and the last are moved to the containers;
    the host has one more, and the outside is at the end of a cable.
    """

    @contextlib.contextmanager
    def peer() -> Iterator[Mapping[str, Ends]]:
        with _named(label, "a", "b", "o") as (near, far, outside), running(f"{label}-switch") as switch:
            names = [f"jft-p{number}" for number in range(ports)]
            switch.add_internal_ports([*names, "jft-h"])
            for namespace, name, address in ((near, names[0], NEAR_ADDRESS), (far, names[-1], FAR_ADDRESS)):
                run("ip", "-n", switch.namespace, "link", "set", name, "netns", namespace)
                _address(namespace, name, address)
            _address(switch.namespace, "jft-h", HOST_ADDRESS)
            _plug(switch, outside, "jft-o", OUTSIDE_ADDRESS)
            yield _ways(near, far, switch.namespace, outside)

    return peer


def peers(effort: Effort) -> dict[str, Peer]:
    """All that stand side by side."""
    return {
        INTERNAL: jackfield_internal(2, "internal"),
        SYSTEM: _with_cables("system", Switch),
        many(effort.ports): jackfield_internal(effort.ports, "many"),
        LINUX_BRIDGE: linux_bridge,
        OVS: _with_cables("ovs", OpenVSwitch),
        LIMIT: veth_pair,
    }
