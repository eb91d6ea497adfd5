"""Kinds of traffic between two network namespaces, and how each is measured."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from jackfield.lab import namespaces
from jackfield.lab.errors import LabError

PORT = 5201
FLOWS, DATAGRAMS = "jackfield.lab.measure.flows", "jackfield.lab.measure.udp"
READY_SECONDS = 30.0
SLACK_SECONDS = 60.0  # beyond the time of the measurement itself


@dataclass(frozen=True, slots=True)
class Ends:
    """Two network namespaces that are joined, and the address by which the near one reaches the far one."""

    near: Path
    far: Path
    far_address: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What one turn gave: a rate a second, and further figures by name."""

    rate: float
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of traffic: what it measures, in which unit, by how much to divide for people, and how."""

    title: str
    unit: str
    scale: float
    measure: Callable[[Ends, float], Sample]


def stream(ends: Ends, seconds: float) -> Sample:
    """One TCP stream: bits a second that arrived."""
    with _server(ends, FLOWS, "serve", "stream") as server:
        _client(ends, seconds, FLOWS, "stream")
        arrived = json.loads(server.result())
    return Sample(8 * arrived["bytes"] / arrived["seconds"])


def datagrams(ends: Ends, seconds: float) -> Sample:
    """UDP in 64-byte frames from one sender: packets a second that arrived, and the share that did."""
    with _server(ends, DATAGRAMS, "receive") as server:
        sent = _client(ends, seconds, DATAGRAMS, "send")["sent"]
        arrived = json.loads(server.result())
    rate = arrived["packets"] / arrived["seconds"] if arrived["seconds"] else 0.0
    return Sample(rate, {"arrived": arrived["packets"] / sent if sent else 0.0})


def echo(ends: Ends, seconds: float) -> Sample:
    """Round trips a second, one after the other; `median` and `p99` of one in microseconds."""
    with _server(ends, FLOWS, "serve", "echo"):
        got = _client(ends, seconds, FLOWS, "echo")
    return Sample(got["rate"], {"median": got["median"] * 1e6, "p99": got["p99"] * 1e6})


def connect(ends: Ends, seconds: float) -> Sample:
    """Connections a second, one after the other: connect, ask, be answered, close."""
    with _server(ends, FLOWS, "serve", "connect"):
        return Sample(_client(ends, seconds, FLOWS, "connect")["rate"])


STREAM, DATAGRAM, ECHO, CONNECT = "tcp-stream", "udp64", "udp-rr", "tcp-crr"
WORKLOADS = {
    STREAM: Workload("TCP, one stream", "Gb/s", 1e9, stream),
    DATAGRAM: Workload("UDP, 64-byte frames", "kpackets/s", 1e3, datagrams),
    ECHO: Workload("Request and response", "k/s", 1e3, echo),
    CONNECT: Workload("TCP connect, ask, close", "k/s", 1e3, connect),
}


class _Server:
    """The far end's process, from when it listens; it ends with the block."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __enter__(self) -> _Server:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def result(self) -> str:
        """The line that it prints at its end. Raises LabError when there is none."""
        assert self._process.stdout is not None
        if line := _line(self._process.stdout, SLACK_SECONDS):
            return line
        raise LabError("the receiver ended without a result")


def _server(ends: Ends, module: str, *words: str) -> _Server:
    argv = _command(ends.far, -1, module, *words, ends.far_address, str(PORT))
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    server = _Server(process)
    assert process.stdout is not None and process.stderr is not None
    if _line(process.stdout, READY_SECONDS).strip() != "ready":
        process.kill()
        said = process.stderr.read().strip()
        server.__exit__()
        raise LabError(f"the receiver of {words[-1]} does not listen: {said or 'no word from it'}")
    return server


def _client(ends: Ends, seconds: float, module: str, kind: str) -> dict[str, float]:
    argv = _command(ends.near, 0, module, kind, ends.far_address, str(PORT), str(seconds))
    text = namespaces.quiet(*argv, seconds=seconds + SLACK_SECONDS)
    return dict(json.loads(text))


def _command(netns: Path, place: int, module: str, *words: str) -> tuple[str, ...]:
    """A program of ours in a namespace, on the first (0) or last (-1) of the CPUs that we may use."""
    cpu = sorted(os.sched_getaffinity(0))[place]
    return namespaces.inside(netns, "taskset", "--cpu-list", str(cpu), sys.executable, "-m", module, *words)


def _line(stream: IO[str], seconds: float) -> str:
    """The next line, or "" when the stream has ended or none comes in time."""
    ready, _, _ = select.select([stream], [], [], seconds)
    return stream.readline() if ready else ""
