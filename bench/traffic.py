"""Traffic between two namespaces. A workload takes the ends and its time, and gives values by name."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.counts.names import CONTAINERS, HOST, NIC
from bench.measure import LESS, Measure
from bench.netns import BenchError, inside, run
from bench.peers import Ends
from jackfield.lab.errors import LabError
from jackfield.lab.measure import workloads

PORT = 5201
SENDER_CPU, RECEIVER_CPU = "0", "1"
STREAMS = 8
SLACK_SECONDS = 20.0

TCP, TCP_MANY, UDP, TRIP, TRIP_TAIL, CONNECT = "tcp", "tcp-8", "udp-64", "trip", "trip-99", "connect"
Workload = Callable[[Ends, float], Mapping[str, float]]


def _pinned(namespace: str, cpu: str, *argv: str) -> tuple[str, ...]:
    return inside(namespace, "taskset", "--cpu-list", cpu, *argv)


def reach(ends: Ends) -> None:
    """Makes sure that the ends reach each other and know each other's MAC. Raises BenchError if not."""
    run(*inside(ends.near, "ping", "-q", "-c", "3", "-i", "0.2", "-W", "1", ends.far_address))


def _iperf(ends: Ends, seconds: float, streams: int) -> float:
    """TCP streams: bits a second that arrived (iperf3)."""
    listen = ("iperf3", "--server", "--one-off", "--forceflush", "--port", str(PORT))
    receiver = subprocess.Popen(
        _pinned(ends.far, RECEIVER_CPU, *listen), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert receiver.stdout is not None
        if not any("listening" in line for line in receiver.stdout):
            raise BenchError(f"iperf3 does not receive: exit {receiver.wait()}")
        send = (
            "iperf3",
            "--client",
            ends.far_address,
            "--port",
            str(PORT),
            "--time",
            f"{max(seconds, 1):.0f}",
        )
        command = _pinned(ends.near, SENDER_CPU, *send, "--parallel", str(streams), "--json")
        text = run(*command, seconds=seconds + SLACK_SECONDS)
    finally:
        receiver.kill()
        receiver.communicate()
    return float(json.loads(text)["end"]["sum_received"]["bits_per_second"])


def _sample(
    measure: Callable[[workloads.Ends, float], workloads.Sample], ends: Ends, seconds: float
) -> workloads.Sample:
    near, far = (Path("/run/netns", name) for name in (ends.near, ends.far))
    try:
        return measure(workloads.Ends(near, far, ends.far_address), seconds)
    except LabError as error:
        raise BenchError(str(error)) from error


def tcp(ends: Ends, seconds: float) -> Mapping[str, float]:
    """One TCP stream."""
    return {TCP: _iperf(ends, seconds, 1)}


def tcp_many(ends: Ends, seconds: float) -> Mapping[str, float]:
    """Several TCP streams at once."""
    return {TCP_MANY: _iperf(ends, seconds, STREAMS)}


def udp(ends: Ends, seconds: float) -> Mapping[str, float]:
    """UDP in 64-byte frames from one sender: packets a second that arrived."""
    return {UDP: _sample(workloads.datagrams, ends, seconds).rate}


def trips(ends: Ends, seconds: float) -> Mapping[str, float]:
    """A UDP datagram and its answer, one after the other: microseconds there and back."""
    details = _sample(workloads.echo, ends, seconds).details
    return {TRIP: details["median"], TRIP_TAIL: details["p99"]}


def connections(ends: Ends, seconds: float) -> Mapping[str, float]:
    """TCP connections, one after the other: connect, ask, be answered, close; so many a second."""
    return {CONNECT: _sample(workloads.connect, ends, seconds).rate}


KINDS: dict[str, tuple[Workload, ...]] = {
    CONTAINERS: (tcp, tcp_many, udp, trips, connections),
    HOST: (tcp, udp, trips),
    NIC: (tcp, udp, trips),
}
"""Which workloads are measured on which way."""

_MEASURES = {
    TCP: Measure("TCP, one stream", "Gb/s", 1e9),
    TCP_MANY: Measure(f"TCP, {STREAMS} streams", "Gb/s", 1e9),
    UDP: Measure("UDP, 64-byte frames", "kpackets/s", 1e3),
    TRIP: Measure("UDP round trip, median", "µs", better=LESS),
    TRIP_TAIL: Measure("UDP round trip, 99th percentile", "µs", better=LESS),
    CONNECT: Measure("TCP connect, ask, close", "k/s", 1e3),
}
_OF: dict[Workload, tuple[str, ...]] = {
    tcp: (TCP,),
    tcp_many: (TCP_MANY,),
    udp: (UDP,),
    trips: (TRIP, TRIP_TAIL),
    connections: (CONNECT,),
}


def key(kind: str, name: str) -> str:
    """The name of a measure on a way of a kind."""
    return f"{kind}: {name}"


MEASURES: dict[str, Measure] = {
    key(kind, name): _MEASURES[name]
    for kind, each in KINDS.items()
    for workload in each
    for name in _OF[workload]
}
