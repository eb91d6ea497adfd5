"""Traffic between two namespaces. A workload is a function of the ends and of its time that gives a rate."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from bench.netns import BenchError, inside, run
from bench.peers import FAR_ADDRESS, Ends

PORT = 5201
SENDER_CPU, RECEIVER_CPU = "0", "1"


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of traffic: what it measures, in which unit, by how much to divide for people, and how."""

    title: str
    unit: str
    scale: float
    measure: Callable[[Ends, int], float]


def _pinned(namespace: str, cpu: str, *argv: str) -> tuple[str, ...]:
    return inside(namespace, "taskset", "--cpu-list", cpu, *argv)


def _receiver(ends: Ends, ready: str, *argv: str) -> subprocess.Popen[str]:
    """Starts a receiver at the far end and waits for the line that says it listens."""
    process = subprocess.Popen(
        _pinned(ends.far, RECEIVER_CPU, *argv), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if ready in line:
            return process
    raise BenchError(f"{argv[0]} does not receive: exit {process.wait()}")


def reach(ends: Ends) -> None:
    """Makes sure that the ends reach each other and know each other's MAC. Raises BenchError if not."""
    run(*inside(ends.near, "ping", "-q", "-c", "3", "-i", "0.2", "-W", "1", FAR_ADDRESS))


def tcp(ends: Ends, seconds: int) -> float:
    """One TCP stream: bits a second that arrived (iperf3)."""
    receiver = _receiver(
        ends, "listening", "iperf3", "--server", "--one-off", "--forceflush", "--port", str(PORT)
    )
    try:
        sender = ("iperf3", "--client", FAR_ADDRESS, "--port", str(PORT), "--time", str(seconds), "--json")
        text = run(*_pinned(ends.near, SENDER_CPU, *sender))
    finally:
        receiver.kill()
        receiver.communicate()
    return float(json.loads(text)["end"]["sum_received"]["bits_per_second"])


def udp(ends: Ends, seconds: int) -> float:
    """UDP in 64-byte frames from one sender: packets a second that arrived."""
    program = (sys.executable, "-m", "jackfield.lab.measure.udp")
    receiver = _receiver(ends, "ready", *program, "receive", FAR_ADDRESS, str(PORT))
    try:
        run(*_pinned(ends.near, SENDER_CPU, *program, "send", FAR_ADDRESS, str(PORT), str(seconds)))
        text = receiver.communicate(timeout=10)[0]
    finally:
        receiver.kill()
        receiver.communicate()
    arrived = json.loads(text)
    return float(arrived["packets"] / arrived["seconds"])


TCP = "tcp"
UDP = "udp64"
WORKLOADS = {
    TCP: Workload("TCP, one stream", "Gb/s", 1e9, tcp),
    UDP: Workload("UDP, 64-byte frames", "kpackets/s", 1e3, udp),
}
