"""What is compared: ways from one network namespace to another, side by side in one kernel."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from bench.counts.names import CONTAINERS, HOST, LINUX_BRIDGE, NIC, VETH, path_name
from bench.netns import BenchError, inside, namespaces, run
from bench.switch import JACKFIELD, place

Vsctl = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Path:
    """From a namespace to another, which has an address there."""

    peer: str
    kind: str
    near: str
    near_address: str
    far: str
    far_address: str

    @property
    def name(self) -> str:
        return path_name(self.peer, self.kind)


@dataclass(frozen=True, slots=True)
class Station:
    """A namespace with a device that has an address."""

    namespace: str
    address: str


class Maker:
    """Makes stations with addresses in a subnet of their own."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._numbers = itertools.count()

    def namespace(self) -> str:
        name = f"jft-count-{next(self._numbers)}"
        self._stack.enter_context(namespaces(name))
        for group in ("all", "default"):
            run(*inside(name, "sysctl", "-qw", f"net.ipv6.conf.{group}.disable_ipv6=1"))
        return name

    def station(self, namespace: str, device: str, net: int, host: int) -> Station:
        """Gives a device an address and brings it up."""
        address = f"10.18.{net}.{host}"
        run("ip", "-n", namespace, "address", "add", f"{address}/24", "dev", device)
        run("ip", "-n", namespace, "link", "set", device, "up")
        return Station(namespace, address)

    def cable(self, near: str, near_device: str, far: str, far_device: str) -> None:
        """A veth pair between two namespaces, the far end up."""
        pair = ("type", "veth", "peer", "name", far_device, "netns", far)
        run("ip", "-n", near, "link", "add", near_device, *pair)
        run("ip", "-n", far, "link", "set", far_device, "up")


def _path(peer: str, kind: str, near: Station, far: Station) -> Path:
    return Path(peer, kind, near.namespace, near.address, far.namespace, far.address)


def plain(maker: Maker) -> Iterator[Path]:
    """The limit: nothing between the two."""
    near, far = maker.namespace(), maker.namespace()
    maker.cable(near, "e0", far, "e0")
    yield _path(VETH, CONTAINERS, maker.station(near, "e0", 0, 1), maker.station(far, "e0", 0, 2))


def linux_bridge(maker: Maker) -> Iterator[Path]:
    """The kernel's own bridge; the host's address is on the bridge."""
    host, outside = maker.namespace(), maker.namespace()
    run("ip", "-n", host, "link", "add", "br0", "type", "bridge")
    stations = [maker.station(host, "br0", 1, 1)]
    for number, namespace in enumerate((maker.namespace(), maker.namespace(), outside), start=2):
        port = f"p{number}"
        maker.cable(namespace, "e0", host, port)
        run("ip", "-n", host, "link", "set", port, "master", "br0")
        stations.append(maker.station(namespace, "e0", 1, number))
    yield from _three(LINUX_BRIDGE, stations)


def _three(peer: str, stations: list[Station]) -> Iterator[Path]:
    host, one, two, nic = stations
    yield _path(peer, CONTAINERS, one, two)
    yield _path(peer, HOST, one, host)
    yield _path(peer, NIC, host, nic)


def switch(
    maker: Maker,
    vsctl: Vsctl,
    host: str,
    net: int,
    peer: str,
    *,
    internal: bool,
    settings: Sequence[str] = (),
) -> Iterator[Path]:
    """A bridge driven by ovs-vsctl, all ports in VLAN 10. The host's address is on an internal port; the NIC
    is a cable to another namespace. `settings` are what internal ports get besides.
    """
    bridge = f"b{net}"
    vsctl("add-br", bridge)
    vsctl(
        "add-port",
        bridge,
        f"h{net}",
        "tag=10",
        "--",
        "set",
        "Interface",
        f"h{net}",
        "type=internal",
        *settings,
    )
    stations = [maker.station(host, f"h{net}", net, 1)]
    for number in (2, 3, 4):
        namespace, port = maker.namespace(), f"p{net}-{number}"
        device = "e0"
        if internal and number < 4:
            kind = ("type=internal", *settings)
            vsctl("add-port", bridge, port, "tag=10", "--", "set", "Interface", port, *kind)
            run("ip", "-n", host, "link", "set", port, "netns", namespace)
            device = port
        else:
            maker.cable(namespace, device, host, port)
            vsctl("add-port", bridge, port, "tag=10")
        stations.append(maker.station(namespace, device, net, number))
    yield from _three(peer, stations)


@contextlib.contextmanager
def jackfield() -> Iterator[tuple[Vsctl, str]]:
    """A Jackfield in a namespace of its own: its ovs-vsctl and the namespace."""
    with place("count") as place_:
        place_.start()

        def vsctl(*words: str) -> str:
            return run(JACKFIELD, "vsctl", *words, env=place_.environment)

        yield vsctl, place_.namespace


def has_ovs() -> bool:
    """Whether OVS's daemons are installed and this kernel has its datapath."""
    there = shutil.which("ovs-vswitchd") and shutil.which("ovsdb-server")
    return (
        bool(there)
        and subprocess.run(["modprobe", "openvswitch"], check=False, capture_output=True).returncode == 0
    )


@contextlib.contextmanager
def ovs() -> Iterator[tuple[Vsctl, str]]:
    """OVS with its kernel datapath, in a namespace and directories of its own."""
    namespace = "jft-count-ovs"
    with tempfile.TemporaryDirectory(prefix="jft-count-") as folder, namespaces(namespace):
        names = ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR")
        environment = {**os.environ, **dict.fromkeys(names, folder)}
        database = f"{folder}/conf.db"
        run("ovsdb-tool", "create", database, "/usr/share/openvswitch/vswitch.ovsschema", env=environment)
        daemon = ("--detach", "--no-chdir", "--pidfile", "--log-file", "-vconsole:off")
        run("ovsdb-server", f"--remote=punix:{folder}/db.sock", *daemon, database, env=environment)

        def vsctl(*words: str) -> str:
            return run("ovs-vsctl", "--timeout=100", *words, env=environment)

        try:
            vsctl("--no-wait", "init")
            run(*inside(namespace, "ovs-vswitchd", *daemon, f"unix:{folder}/db.sock"), env=environment)
            yield vsctl, namespace
        finally:
            for program in ("ovs-vswitchd", "ovsdb-server"):
                if FilePath(folder, f"{program}.pid").exists():
                    run("ovs-appctl", "--target", program, "exit", env=environment)


def reach(path: Path) -> None:
    """Makes both ends know each other. Raises BenchError if they cannot."""
    try:
        run(*inside(path.near, "ping", "-q", "-c", "3", "-i", "0.2", "-W", "5", path.far_address))
    except BenchError as error:
        raise BenchError(f"{path.name}: no answer: {error}") from None
