"""Small UDP datagrams between two sockets of one process: both stacks and the way between are counted."""

from __future__ import annotations

import ctypes
import os
import socket
from types import TracebackType
from typing import Self

from bench.counts.clock import Count, count
from bench.counts.paths import Path
from bench.netns import BenchError, call_inside
from jackfield.lab.measure.udp import BATCH, PAYLOAD, Batch

WARM_UP = 4
SPELLS = 24
BATCHES, TRIPS = 4, 40  # of one spell: short, so that few spells meet a timer of the kernel
PATIENCE_SECONDS = 5.0

_libc = ctypes.CDLL(None, use_errno=True)


class Talk:
    """The two ends of a path, ready to send."""

    def __init__(self, path: Path) -> None:
        self._near = call_inside(path.near, _socket)
        self._far = call_inside(path.far, _socket)
        self._near.bind((path.near_address, 0))
        self._far.bind((path.far_address, 0))
        self._near.connect(self._far.getsockname())
        self._far.connect(self._near.getsockname())
        self._out, self._in = Batch(PAYLOAD), Batch(PAYLOAD)
        self._name = path.name

    def one_way(self) -> float:
        """Instructions a packet, system calls for 64 packets at a time."""
        return count(self._batches, BATCHES * BATCH)

    def request_response(self) -> float:
        """Instructions a packet when each is answered before the next is sent."""
        return count(self._trips, 2 * TRIPS)

    def _batches(self) -> None:
        send, receive = _libc.sendmmsg, _libc.recvmmsg
        near, far = self._near.fileno(), self._far.fileno()
        for _ in range(BATCHES):
            left = send(near, self._out.messages, BATCH, 0)
            if left != BATCH:
                why = os.strerror(ctypes.get_errno())
                raise BenchError(f"{self._name}: {left} of {BATCH} datagrams could be sent ({why})")
            while left > 0:
                # What is under way arrives while this waits.
                if (came := receive(far, self._in.messages, left, 0, None)) <= 0:
                    raise BenchError(f"{self._name}: {left} of {BATCH} datagrams did not arrive")
                left -= came

    def _trips(self) -> None:
        message = bytes(PAYLOAD)
        near, far = self._near, self._far
        for _ in range(TRIPS):
            near.send(message)
            far.send(far.recv(64))
            near.recv(64)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._near.close()
        self._far.close()


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # As a receive time-out in the kernel, so that the descriptor itself stays blocking.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(PATIENCE_SECONDS))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    return made


def _timeval(seconds: float) -> bytes:
    return int(seconds).to_bytes(8, "little") + bytes(8)


def measure(paths: list[Path]) -> dict[str, dict[str, Count]]:
    """Counts by test and path's name, all paths by turns."""
    talks = {path.name: Talk(path) for path in paths}
    values: dict[str, dict[str, list[float]]] = {
        "one way": {name: [] for name in talks},
        "request and response": {name: [] for name in talks},
    }
    for spell in range(WARM_UP + SPELLS):
        for name, talk in talks.items():
            for test, value in (
                ("one way", talk.one_way()),
                ("request and response", talk.request_response()),
            ):
                if spell >= WARM_UP:
                    values[test][name].append(value)
    for talk in talks.values():
        talk.__exit__(None, None, None)
    return {test: {name: Count.of(each) for name, each in paths.items()} for test, paths in values.items()}
