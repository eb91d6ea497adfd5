"""`python -m bench.failover`, as root: for how long a bond is interrupted when its active cable is pulled.

A stream of numbered datagrams crosses the bond, 10,000 a second by default, one way at a time. The cable is
pulled at its far end, so that the bond loses carrier. What is missing is counted: at that rate, a tenth of a
millisecond each. On the far side both cables end in a Linux bridge. A line of JSON is printed for each bond.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from bench.netns import BenchError, call_inside, inside, namespaces, run
from bench.switch import BRIDGE, Switch, place

HERE, THERE = "10.18.139.1", "10.18.139.2"
PORT = 5201
MEMBERS = ("jft-e0", "jft-e1")
FAR, STATION, HOST = "jft-fail-far", "jft-fail-station", "jft-bench-failover"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
REST_SECONDS = 1.0
SILENCE_SECONDS = 1.5
GONE_SECONDS = 10.0
UNWATCHED_SECONDS = 3.5  # after so long the data plane looks after members itself, and a little
DRIVER = "bonding driver"


@dataclass
class Bond:
    """A bond that stands: whose address is THERE, how it says which member is active."""

    active: Callable[[], str]
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None


def _cables() -> None:
    """Two cables from the host to a bridge on the far side, which has the address HERE."""
    run("ip", "-n", FAR, "link", "add", "up0", "type", "bridge", "forward_delay", "0")
    for member in MEMBERS:
        pair = ("type", "veth", "peer", "name", member, "netns", FAR)
        run("ip", "-n", HOST, "link", "add", member, *pair)
        run("ip", "-n", FAR, "link", "set", member, "master", "up0", "up")
        run("ip", "-n", HOST, "link", "set", member, "up")
    run("ip", "-n", FAR, "addr", "add", f"{HERE}/24", "dev", "up0")
    run("ip", "-n", FAR, "link", "set", "up0", "up")


def _station(device: str) -> None:
    """The device, which is in the host, becomes that of a station with the address THERE."""
    run("ip", "-n", HOST, "link", "set", device, "netns", STATION)
    run("ip", "-n", STATION, "addr", "add", f"{THERE}/24", "dev", device)
    run("ip", "-n", STATION, "link", "set", device, "up")


@contextlib.contextmanager
def jackfield(dead: bool) -> Iterator[Bond]:
    """Ours, with its daemon alive or killed before the cable is pulled."""
    with place("failover") as switch, namespaces(FAR, STATION):
        _cables()
        switch.start()
        switch.vsctl("add-br", BRIDGE, "--", "add-bond", BRIDGE, "jft-bond", *MEMBERS)
        switch.add_internal_ports(["jft-p0"])
        _station("jft-p0")

        def active() -> str:
            return _active(run(*_appctl(switch), "bond/show", env=switch.environment))

        if dead:
            yield Bond(active, before=lambda: _kill(switch), after=switch.start)
        else:
            yield Bond(active)


def _appctl(switch: Switch) -> tuple[str, ...]:
    return inside(switch.namespace, str(Path(sys.executable).parent / "jackfield"), "appctl")


def _kill(switch: Switch) -> None:
    pid = int((switch.directory / "ovs-vswitchd.pid").read_text(encoding="ascii"))
    descriptor = os.pidfd_open(pid)
    os.kill(pid, 9)
    select.select([descriptor], [], [], GONE_SECONDS)
    os.close(descriptor)
    time.sleep(UNWATCHED_SECONDS)


@contextlib.contextmanager
def ovs() -> Iterator[Bond]:
    """Open vSwitch with its user-space datapath."""
    quiet = ("--no-chdir", "--detach", "--pidfile", "--log-file", "-vconsole:off", "-vsyslog:off")
    with tempfile.TemporaryDirectory(prefix="jft-bench-") as directory, namespaces(HOST, FAR, STATION):
        environment = {**os.environ, **dict.fromkeys(("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR"), directory)}

        def there(*argv: str) -> str:
            return run(*inside(HOST, *argv), env=environment)

        _cables()
        for member in MEMBERS:
            there("ethtool", "-K", member, "tx", "off")
        run(*inside(FAR, "ethtool", "-K", "up0", "tx", "off"))  # it does not finish partial checksums
        run("ovsdb-tool", "create", f"{directory}/conf.db", SCHEMA)
        try:
            there("ovsdb-server", *quiet, f"--remote=punix:{directory}/db.sock", f"{directory}/conf.db")
            there("ovs-vsctl", "--no-wait", "init")
            there("ovs-vswitchd", *quiet, "--disable-system", f"unix:{directory}/db.sock")
            netdev = ("--", "set", "Bridge", BRIDGE, "datapath_type=netdev")
            there("ovs-vsctl", "add-br", BRIDGE, *netdev, "--", "add-bond", BRIDGE, "jft-bond", *MEMBERS)
            there("ip", "link", "add", "jft-p0", "type", "veth", "peer", "name", "jft-p1")
            there("ip", "link", "set", "jft-p1", "up")
            there("ovs-vsctl", "add-port", BRIDGE, "jft-p1")
            there("ethtool", "-K", "jft-p0", "tx", "off")
            _station("jft-p0")
            yield Bond(lambda: _active(there("ovs-appctl", "bond/show")))
        finally:
            for name in ("ovs-vswitchd", "ovsdb-server"):
                with contextlib.suppress(OSError, ValueError):
                    os.kill(int(Path(directory, f"{name}.pid").read_text(encoding="ascii")), 9)


@contextlib.contextmanager
def driver() -> Iterator[Bond]:
    """The kernel's bonding driver in mode active-backup; MII monitoring every 100 ms, as is usual."""
    with namespaces(HOST, FAR, STATION):
        _cables()
        run("modprobe", "bonding")
        settings = ("mode", "active-backup", "miimon", "100")
        run("ip", "-n", HOST, "link", "add", "jft-bond", "type", "bond", *settings)
        for member in MEMBERS:
            run("ip", "-n", HOST, "link", "set", member, "down")
            run("ip", "-n", HOST, "link", "set", member, "master", "jft-bond")
        run("ip", "-n", HOST, "link", "set", "jft-bond", "up")
        run("ip", "-n", HOST, "link", "add", "br0", "type", "bridge", "forward_delay", "0")
        run("ip", "-n", HOST, "link", "set", "jft-bond", "master", "br0")
        run("ip", "-n", HOST, "link", "add", "jft-p0", "type", "veth", "peer", "name", "jft-p1")
        run("ip", "-n", HOST, "link", "set", "jft-p1", "master", "br0", "up")
        run("ip", "-n", HOST, "link", "set", "br0", "up")
        _station("jft-p0")

        def active() -> str:
            text = run("ip", "netns", "exec", HOST, "cat", "/proc/net/bonding/jft-bond")
            return text.split("Currently Active Slave: ")[1].split()[0]

        yield Bond(active)


def _active(text: str) -> str:
    """The active member that `bond/show` tells."""
    return text.split("active member mac: ")[1].split("(")[1].split(")")[0]


def _has_driver() -> bool:
    """Whether this kernel has the bonding driver, loaded or not."""
    return subprocess.run(["modprobe", "--quiet", "bonding"], check=False).returncode == 0


BONDS: dict[str, Callable[[], AbstractContextManager[Bond]]] = {
    "Jackfield": lambda: jackfield(dead=False),
    "Jackfield, daemon dead": lambda: jackfield(dead=True),
    "OVS, user space": ovs,
    DRIVER: driver,
}


@dataclass
class Received:
    """The numbers that came, in order; `sent` are all that left."""

    numbers: list[int] = field(default_factory=list)
    sent: int = 0

    def lost(self) -> int:
        return self.sent - len(set(self.numbers))

    def twice(self) -> int:
        return len(self.numbers) - len(set(self.numbers))


def stream(
    source: str, sink: str, address: str, rate: int, seconds: float, pull: Callable[[], None]
) -> Received:
    """Send numbered datagrams for so long; half-way `pull` is called."""
    received = Received()
    out = call_inside(source, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    into = call_inside(sink, lambda: _bound(address))

    def take() -> None:
        with contextlib.suppress(TimeoutError):
            while True:
                received.numbers.append(int.from_bytes(into.recv(64)))

    with out, into:
        out.connect((address, PORT))
        taker = threading.Thread(target=take)
        taker.start()
        puller = threading.Timer(seconds / 2, pull)
        puller.start()
        begun, total = time.perf_counter(), int(rate * seconds)
        while received.sent < total:
            due = min(total, int((time.perf_counter() - begun) * rate))
            for number in range(received.sent, due):
                with contextlib.suppress(OSError):
                    out.send(number.to_bytes(8))
            received.sent = max(received.sent, due)
            time.sleep(0.5 / rate)
        puller.join()
        taker.join()
    return received


def _bound(address: str) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    opened.bind((address, PORT))
    opened.settimeout(SILENCE_SECONDS)
    return opened


def measure(bond: Bond, rate: int, seconds: float, outward: bool) -> Received:
    """One pull of the active cable."""
    ends = ((STATION, FAR, HERE), (FAR, STATION, THERE))
    source, sink, address = ends[0 if outward else 1]
    subprocess.run(
        inside(STATION, "ping", "-c", "3", "-i", "0.2", "-q", HERE), capture_output=True, check=False
    )
    active = bond.active()
    bond.before()
    try:
        return stream(
            *(source, sink, address, rate, seconds),
            lambda: _set(active, "down"),
        )
    finally:
        bond.after()
        _set(active, "up")
        time.sleep(REST_SECONDS)


def _set(member: str, state: str) -> None:
    run("ip", "-n", FAR, "link", "set", member, state)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.failover", description=__doc__)
    parser.add_argument("--rate", type=int, default=10_000, help="datagrams a second (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of a stream (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="pulls each way (default %(default)s)")
    there = [name for name in BONDS if name != DRIVER or _has_driver()]
    names = "; ".join(BONDS)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=BONDS,
        default=there,
        metavar="BOND",
        help=f"some of: {names} (default: all that can be had here)",
    )
    options = parser.parse_args()
    try:
        for name in options.only:
            with BONDS[name]() as bond:
                for way, outward in (("out", True), ("in", False)):
                    found = [
                        measure(bond, options.rate, options.seconds, outward) for _ in range(options.rounds)
                    ]
                    lost = [each.lost() * 1000 / options.rate for each in found]
                    line = {"bond": name, "way": way, "lost_ms": lost, "median_ms": statistics.median(lost)}
                    print(json.dumps(line | {"twice": [each.twice() for each in found]}), flush=True)
    except BenchError as error:
        print(f"bench.failover: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
