"""The control plane: the same steps on each switch, from its first start to 1,000 ports and a restart."""

from __future__ import annotations

import fcntl
import shutil
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

from bench.database.client import Client
from bench.database.measures import DURABLE
from bench.effort import Effort
from bench.measure import LESS, Found, Measure, Tell
from bench.netns import BenchError, call_inside, run
from bench.switch import BRIDGE, JACKFIELD, OpenVSwitch, Switch, place

SOME_PORTS = 100
ONE_BY_ONE_ROUNDS = 2  # it takes about as long as so many lives
FORWARDING_SECONDS = 5.0
SEND_EVERY = 0.0005
ETHERTYPE = 0x88B5  # for local experiments
BROADCAST = b"\xff" * 6 + bytes.fromhex("020000000001") + struct.pack(">H", ETHERTYPE) + bytes(46)
SOURCE = "jft-source"
# OVS's own client adds the port that is timed, where it is installed: a process as light for both.
CLIENT = ("ovs-vsctl", "--timeout=100") if shutil.which("ovs-vsctl") else (JACKFIELD, "vsctl")
SUBJECTS: tuple[type[Switch], ...] = (Switch, OpenVSwitch)

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_IFREQ = struct.Struct("16sH22x")


READY, VSCTL, APPCTL, ADD_PORT, FEW_WEIGH = "ready", "vsctl", "appctl", "add-port", "rss-few"
SOME_ADDED, SOME_WEIGH = "some-ports", "rss"
MANY_ADDED, MANY_WEIGH, MANY_IDLE, ONE_MORE, RESTART = "many", "rss-many", "idle", "one-more", "restart"
COMMITS, ONE_BY_ONE = "commits", "one-by-one"


def measures(effort: Effort) -> dict[str, Measure]:
    """What is measured, by name."""

    def less(title: str, unit: str) -> Measure:
        return Measure(title, unit, better=LESS)

    return {
        READY: less("from nothing to ready", "ms"),
        VSCTL: less("`vsctl show`, its own client", "ms"),
        APPCTL: less("`appctl fdb/show`, its own client", "ms"),
        COMMITS: Measure("durable commits, one after the other", "a second"),
        ADD_PORT: less("`ovs-vsctl add-port` to the first frame forwarded", "ms"),
        FEW_WEIGH: less("resident memory with 2 ports", "MB"),
        SOME_ADDED: less(f"{SOME_PORTS} internal ports in one transaction", "s"),
        SOME_WEIGH: less(f"resident memory with {SOME_PORTS} ports", "MB"),
        MANY_ADDED: less(f"{effort.ports:,} more in one transaction", "s"),
        MANY_WEIGH: less("resident memory with all of them", "MB"),
        MANY_IDLE: less("processor time while idle, all ports there", "ms a second"),
        ONE_MORE: less("`ovs-vsctl add-port` to the first frame, all ports there", "ms"),
        RESTART: less("ended and ready again, all ports there", "s"),
        ONE_BY_ONE: less(f"{effort.ports:,} internal ports, an `ovs-vsctl add-port` each", "s"),
    }


def _timed(step: Callable[[], object]) -> float:
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def _add(switch: Switch, label: str, ports: int) -> float:
    return _timed(lambda: switch.add_internal_ports([f"jft-{label}{number}" for number in range(ports)]))


def _restart(switch: Switch) -> None:
    switch.end()
    switch.start()


def life(kind: type[Switch], effort: Effort) -> Iterator[tuple[str, float]]:
    """One life of a switch, step by step: the measure's name and its value, in the measure's unit."""
    with place("control", kind) as switch:
        yield READY, _timed(switch.start) * 1e3
        switch.add_bridge()
        yield VSCTL, _timed(lambda: switch.vsctl("show")) * 1e3
        yield APPCTL, _timed(lambda: switch.appctl("fdb/show", BRIDGE)) * 1e3
        yield COMMITS, _commits(switch, effort.commits)
        switch.add_internal_ports([SOURCE])
        with call_inside(
            switch.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ) as control:
            _up(control, SOURCE)
            yield ADD_PORT, _first_frame(switch, control, "jft-first") * 1e3
            yield FEW_WEIGH, switch.resident_kilobytes() / 1e3
            yield SOME_ADDED, _add(switch, "s", SOME_PORTS)
            yield SOME_WEIGH, switch.resident_kilobytes() / 1e3
            yield MANY_ADDED, _add(switch, "m", effort.ports)
            yield MANY_WEIGH, switch.resident_kilobytes() / 1e3
            time.sleep(effort.idle_seconds)  # what the change left to do is done
            before = switch.processor_seconds()
            time.sleep(effort.idle_seconds)
            yield MANY_IDLE, (switch.processor_seconds() - before) / effort.idle_seconds * 1e3
            yield ONE_MORE, _first_frame(switch, control, "jft-last") * 1e3
        yield RESTART, _timed(lambda: _restart(switch))


def one_by_one(kind: type[Switch], effort: Effort) -> float:
    """Seconds for many ports, each by a command of its own."""
    with place("control", kind) as switch:
        switch.start()
        switch.add_bridge()

        def add() -> None:
            for number in range(effort.ports):
                run(*CLIENT, *_port(f"jft-o{number}"), env=switch.environment)

        return _timed(add)


def measure(effort: Effort, tell: Tell) -> Found:
    """Lives of all switches by turns: the measure's name, the switch's title, a value."""
    steps = effort.control_rounds + ONE_BY_ONE_ROUNDS
    for number in range(effort.control_rounds):
        tell(number / steps, f"life {number + 1} of {effort.control_rounds}")
        for kind in SUBJECTS:
            for name, value in life(kind, effort):
                yield name, kind.title, value
    tell(effort.control_rounds / steps, "ports one by one")
    for kind in SUBJECTS:
        yield ONE_BY_ONE, kind.title, one_by_one(kind, effort)


def _port(name: str) -> tuple[str, ...]:
    """The words that add an internal port."""
    return ("add-port", BRIDGE, name, "--", "set", "Interface", name, "type=internal")


def _commits(switch: Switch, count: int) -> float:
    """Commits a second, each on disk before it is answered."""
    client = Client(switch.directory / "db.sock")
    try:
        begin = time.perf_counter()
        for number in range(count):
            row = {"external_ids": ["map", [["number", str(number)]]]}
            client.transact({"op": "update", "table": "Open_vSwitch", "where": [], "row": row}, DURABLE)
        return count / (time.perf_counter() - begin)
    finally:
        client.close()


def _up(control: socket.socket, device: str) -> None:
    request = _IFREQ.pack(device.encode(), 0)
    flags = _IFREQ.unpack(fcntl.ioctl(control, _SIOCGIFFLAGS, request))[1]
    fcntl.ioctl(control, _SIOCSIFFLAGS, _IFREQ.pack(device.encode(), flags | _IFF_UP))


def _packet_socket() -> socket.socket:
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)


def _first_frame(switch: Switch, control: socket.socket, port: str) -> float:
    """Seconds from the start of `ovs-vsctl add-port` to the first of the broadcasts another port sends."""
    stop = threading.Event()
    sender = call_inside(switch.namespace, _packet_socket)
    receiver = call_inside(switch.namespace, _packet_socket)

    def send() -> None:
        while not stop.wait(SEND_EVERY):
            sender.send(BROADCAST)

    with sender, receiver:
        sender.bind((SOURCE, 0))
        thread = threading.Thread(target=send)
        thread.start()
        try:
            begin = time.perf_counter()
            run(*CLIENT, *_port(port), env=switch.environment)
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
