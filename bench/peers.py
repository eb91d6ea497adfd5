"""What is compared: ways to join two network namespaces. Each is a context manager that gives both ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bench.netns import inside, namespaces, run
from bench.switch import BRIDGE, OpenVSwitch, Switch, running

NEAR_ADDRESS, FAR_ADDRESS = "10.18.138.1", "10.18.138.2"
ADDRESSES = (NEAR_ADDRESS, FAR_ADDRESS)
LIMIT = "plain veth pair"
LINUX_BRIDGE = "Linux bridge"
OVS = OpenVSwitch.title
INTERNAL = "Jackfield, internal ports"
SYSTEM = "Jackfield, veth ports"
MANY = "Jackfield, 500 internal ports"
MANY_PORTS = 500


@dataclass(frozen=True, slots=True)
class Ends:
    """The namespaces that are joined: the near one has NEAR_ADDRESS, the far one FAR_ADDRESS."""

    near: str
    far: str


Peer = Callable[[], AbstractContextManager[Ends]]


@contextlib.contextmanager
def _ends(label: str) -> Iterator[Ends]:
    ends = Ends(f"jft-bench-{label}-a", f"jft-bench-{label}-b")
    with namespaces(ends.near, ends.far):
        yield ends


def _address(ends: Ends, devices: tuple[str, str]) -> None:
    for namespace, device, address in zip((ends.near, ends.far), devices, ADDRESSES, strict=True):
        run("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", device)
        run("ip", "-n", namespace, "link", "set", device, "up")


def _cable(near: str, near_device: str, far: str, far_device: str) -> None:
    pair = ("type", "veth", "peer", "name", far_device, "netns", far)
    run("ip", "link", "add", near_device, "netns", near, *pair)


@contextlib.contextmanager
def veth_pair() -> Iterator[Ends]:
    """The limit: nothing between the two."""
    with _ends("veth") as ends:
        _cable(ends.near, "jft0", ends.far, "jft0")
        _address(ends, ("jft0", "jft0"))
        yield ends


@contextlib.contextmanager
def linux_bridge() -> Iterator[Ends]:
    """The kernel's own bridge with a veth pair to each namespace."""
    middle = "jft-bench-bridge"
    with _ends("bridge") as ends, namespaces(middle):
        run("ip", "-n", middle, "link", "add", BRIDGE, "type", "bridge")
        run("ip", "-n", middle, "link", "set", BRIDGE, "up")
        for namespace, port in ((ends.near, "jft-a"), (ends.far, "jft-b")):
            _cable(namespace, "jft0", middle, port)
            run("ip", "-n", middle, "link", "set", port, "master", BRIDGE, "up")
        _address(ends, ("jft0", "jft0"))
        yield ends


def _switched(label: str, kind: type[Switch]) -> Peer:
    @contextlib.contextmanager
    def peer() -> Iterator[Ends]:
        with _ends(label) as ends, running(f"{label}-switch", kind) as switch:
            for namespace, port in ((ends.near, "jft-a"), (ends.far, "jft-b")):
                _cable(namespace, "jft0", switch.namespace, port)
                run("ip", "-n", switch.namespace, "link", "set", port, "up")
                if kind is OpenVSwitch:  # its datapath does not complete checksums that are left to a device
                    run(*inside(namespace, "ethtool", "-K", "jft0", "tx", "off"))
            switch.vsctl("add-port", BRIDGE, "jft-a", "--", "add-port", BRIDGE, "jft-b")
            _address(ends, ("jft0", "jft0"))
            yield ends

    return peer


def jackfield_internal(ports: int) -> Peer:
    """Jackfield with this many internal ports; the first and the last are moved to the namespaces."""

    @contextlib.contextmanager
    def peer() -> Iterator[Ends]:
        with _ends(f"internal{ports}") as ends, running(f"internal{ports}-switch") as switch:
            names = [f"jft-p{number}" for number in range(ports)]
            switch.add_internal_ports(names)
            for namespace, name in ((ends.near, names[0]), (ends.far, names[-1])):
                run("ip", "-n", switch.namespace, "link", "set", name, "netns", namespace)
            _address(ends, (names[0], names[-1]))
            yield ends

    return peer


PEERS: dict[str, Peer] = {
    INTERNAL: jackfield_internal(2),
    SYSTEM: _switched("system", Switch),
    MANY: jackfield_internal(MANY_PORTS),
    LINUX_BRIDGE: linux_bridge,
    OVS: _switched("ovs", OpenVSwitch),
    LIMIT: veth_pair,
}
