"""The control plane: how long commands, start-up and changes take, and what the daemon weighs."""

from __future__ import annotations

import fcntl
import shutil
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.netns import BenchError, call_inside, run
from bench.peers import MANY_PORTS
from bench.switch import BRIDGE, JACKFIELD, Switch, place, running

RESIDENT_PORTS = 100
FORWARDING_SECONDS = 5.0
SEND_EVERY = 0.0005
ETHERTYPE = 0x88B5  # for local experiments
BROADCAST = b"\xff" * 6 + bytes.fromhex("020000000001") + struct.pack(">H", ETHERTYPE) + bytes(46)

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_IFREQ = struct.Struct("16sH22x")


@dataclass(frozen=True, slots=True)
class Measure:
    """Something measured once a round: what, in which unit, and how (one value for each round)."""

    title: str
    unit: str
    values: Callable[[int], Iterator[float]]


def _seconds(*argv: str, env: dict[str, str]) -> float:
    begin = time.perf_counter()
    run(*argv, env=env)
    return time.perf_counter() - begin


def ready(rounds: int) -> Iterator[float]:
    """From the start of `jackfield daemon --detach`, with no database yet, to its return: milliseconds."""
    for _ in range(rounds):
        with place("ready") as switch:
            begin = time.perf_counter()
            switch.start()
            yield (time.perf_counter() - begin) * 1e3


def vsctl(rounds: int) -> Iterator[float]:
    """A `jackfield vsctl` command that changes nothing, from start to end: milliseconds."""
    with running("vsctl") as switch:
        for _ in range(rounds):
            yield _seconds(JACKFIELD, "vsctl", "show", env=switch.environment) * 1e3


def appctl(rounds: int) -> Iterator[float]:
    """A `jackfield appctl` command, from start to end: milliseconds."""
    with running("appctl") as switch:
        for _ in range(rounds):
            yield _seconds(JACKFIELD, "appctl", "fdb/show", BRIDGE, env=switch.environment) * 1e3


def many_ports(rounds: int) -> Iterator[float]:
    """Internal ports added in one transaction, until all are in the kernel: seconds."""
    for _ in range(rounds):
        with running("many") as switch:
            begin = time.perf_counter()
            switch.add_internal_ports([f"jft-p{number}" for number in range(MANY_PORTS)])
            yield time.perf_counter() - begin


def resident(rounds: int) -> Iterator[float]:
    """The daemon's resident memory with internal ports, after it has been asked about them: megabytes."""
    for _ in range(rounds):
        with running("resident") as switch:
            switch.add_internal_ports([f"jft-p{number}" for number in range(RESIDENT_PORTS)])
            run(JACKFIELD, "ports", "--json", env=switch.environment)
            yield switch.resident_kilobytes() / 1e3


def add_port(rounds: int) -> Iterator[float]:
    """From the start of `ovs-vsctl add-port` for an internal port to the first frame on it: milliseconds.

    Another port sends a broadcast every half millisecond all the while. ovs-vsctl is OVS's own where it is
    installed, else `jackfield vsctl`.
    """
    client = shutil.which("ovs-vsctl")
    argv = [client] if client else [JACKFIELD, "vsctl"]
    with running("addport") as switch:
        switch.add_internal_ports(["jft-source"])
        control = call_inside(switch.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        with control:
            _up(control, "jft-source")
            for number in range(rounds):
                yield _first_frame(switch, control, argv, f"jft-new{number}") * 1e3


def _up(control: socket.socket, device: str) -> None:
    request = _IFREQ.pack(device.encode(), 0)
    flags = _IFREQ.unpack(fcntl.ioctl(control, _SIOCGIFFLAGS, request))[1]
    fcntl.ioctl(control, _SIOCSIFFLAGS, _IFREQ.pack(device.encode(), flags | _IFF_UP))


def _packet_socket() -> socket.socket:
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)


def _first_frame(switch: Switch, control: socket.socket, client: list[str], port: str) -> float:
    stop = threading.Event()
    sender = call_inside(switch.namespace, _packet_socket)
    receiver = call_inside(switch.namespace, _packet_socket)

    def send() -> None:
        while not stop.wait(SEND_EVERY):
            sender.send(BROADCAST)

    with sender, receiver:
        sender.bind(("jft-source", 0))
        thread = threading.Thread(target=send)
        thread.start()
        try:
            words = ("add-port", BRIDGE, port, "--", "set", "Interface", port, "type=internal")
            begin = time.perf_counter()
            run(*client, *words, env=switch.environment)
            _up(control, port)
            receiver.bind((port, ETHERTYPE))
            receiver.settimeout(FORWARDING_SECONDS)
            receiver.recv(64)
            return time.perf_counter() - begin
        except TimeoutError as error:
            raise BenchError(f"{port} got no frame within {FORWARDING_SECONDS} s") from error
        finally:
            stop.set()
            thread.join()


READY, VSCTL, APPCTL, ADD_PORT, MANY_ADDED, RESIDENT = (
    "ready",
    "vsctl",
    "appctl",
    "add-port",
    "500-ports",
    "rss",
)
MEASURES = {
    READY: Measure("daemon ready", "ms", ready),
    VSCTL: Measure("`jackfield vsctl show`", "ms", vsctl),
    APPCTL: Measure("`jackfield appctl fdb/show`", "ms", appctl),
    ADD_PORT: Measure("add-port to first frame forwarded", "ms", add_port),
    MANY_ADDED: Measure(f"{MANY_PORTS} internal ports in one transaction", "s", many_ports),
    RESIDENT: Measure(f"resident memory with {RESIDENT_PORTS} ports", "MB", resident),
}
