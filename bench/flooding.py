"""Flooding: copies a second to more and more ports of one VLAN, on switches that stand side by side.

Each port has a cable to a station, where the copies end: what a kernel does with a frame that nobody listens
for is part of the cost of all switches alike.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.effort import Effort
from bench.measure import Found, Measure, Tell
from bench.netns import BenchError, namespaces, run
from bench.peers import LINUX_BRIDGE
from bench.rfc2889.wire import Flow, Frames, frame, opened, received, repeat, settled
from bench.switch import BRIDGE, OpenVSwitch, Switch, running
from jackfield.lab.measure.udp import BATCH

BROADCAST, SENDER = b"\xff" * 6, bytes.fromhex("020000000001")


@dataclass(frozen=True, slots=True)
class Site:
    """A switch with a sender's cable, and how ports are plugged in."""

    title: str
    host: str
    stations: str
    sender: Flow
    plug: Callable[[list[str]], object]

    def grow(self, first: int, last: int) -> None:
        """Ports of these numbers get cables to the stations."""
        names = [f"p{number}" for number in range(first, last + 1)]
        batch(
            self.host, [f"link add {name} type veth peer name {name} netns {self.stations}" for name in names]
        )
        for namespace in (self.host, self.stations):
            batch(namespace, [f"link set {name} addrgenmode none up" for name in names])
        self.plug(names)

    def rate(self, seconds: float) -> float:
        """Copies a second that come to all stations."""
        before = sum(received(self.stations).values())
        _, took = repeat([self.sender], seconds)
        return (sum(settled(self.stations).values()) - before) / took


def batch(namespace: str, lines: list[str]) -> None:
    """Many commands of ip(8) in one process. Raises BenchError when one fails."""
    words = ["ip", "-n", namespace, "-batch", "-"]
    done = subprocess.run(words, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"ip -batch in {namespace}: {done.stderr.strip()}")


@contextlib.contextmanager
def _sender(label: str, host: str) -> Iterator[Flow]:
    """The station that sends, with a cable to the device `in` of the host."""
    station = f"jft-bench-{label}-t"
    with namespaces(station):
        run("ip", "-n", host, "link", "add", "in", "type", "veth", "peer", "name", "out", "netns", station)
        for namespace, device in ((host, "in"), (station, "out")):
            run("ip", "-n", namespace, "link", "set", device, "addrgenmode", "none", "up")
        with opened(station, "out") as made:
            yield Flow(made, Frames([frame(SENDER, BROADCAST)] * BATCH))


@contextlib.contextmanager
def linux_bridge() -> Iterator[Site]:
    """The kernel's own bridge."""
    host, stations = "jft-bench-floodl", "jft-bench-floodl-s"
    with namespaces(host, stations), _sender("floodl", host) as sender:
        run("ip", "-n", host, "link", "add", BRIDGE, "type", "bridge", "mcast_snooping", "0")
        run("ip", "-n", host, "link", "set", BRIDGE, "addrgenmode", "none", "up")

        def plug(names: list[str]) -> None:
            batch(host, [f"link set {name} master {BRIDGE}" for name in names])

        plug(["in"])
        yield Site(LINUX_BRIDGE, host, stations, sender, plug)


@contextlib.contextmanager
def switched(kind: type[Switch], label: str) -> Iterator[Site]:
    """A switch with daemons."""
    stations = f"jft-bench-{label}-s"
    with (
        running(label, kind) as switch,
        namespaces(stations),
        _sender(label, switch.namespace) as sender,
    ):

        def plug(names: list[str]) -> None:
            words = [word for name in names for word in ("--", "add-port", BRIDGE, name)]
            switch.vsctl(*words[1:])

        plug(["in"])
        yield Site(kind.title, switch.namespace, stations, sender, plug)


def measures(effort: Effort) -> dict[str, Measure]:
    """What is measured, by name."""
    return {name_of(ports): Measure(f"to {ports:,} ports", "kcopies/s", 1e3) for ports in effort.flooded}


def name_of(ports: int) -> str:
    """The name of the measure with so many ports."""
    return f"flood-{ports}"


def measure(effort: Effort, tell: Tell) -> Found:
    """All switches with the same ports, by turns: the measure's name, the switch's title, a value."""
    with contextlib.ExitStack() as stack:
        makers = (switched(Switch, "floodj"), linux_bridge(), switched(OpenVSwitch, "floodo"))
        sites = [stack.enter_context(maker) for maker in makers]
        there = 0
        for step, ports in enumerate(effort.flooded):
            tell(step / len(effort.flooded), f"{ports:,} ports")
            for site in sites:
                site.grow(there + 1, ports)
                site.rate(effort.trial_seconds)  # warms up, and what the change left to do is done
            there = ports
            for _ in range(effort.rounds):
                for site in sites:
                    yield name_of(ports), site.title, site.rate(effort.trial_seconds)
