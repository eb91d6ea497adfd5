"""Frames onto a station's device, a batch in one system call, and what has come to the stations."""

from __future__ import annotations

import ctypes
import json
import os
import select
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.netns import call_inside, run
from jackfield.lab.measure.udp import BATCH, Batch

MINIMUM, MAXIMUM = 60, 1514  # bytes; the frame check sequence of RFC 2544's 64 and 1518 is left to a wire
ETHERTYPE = b"\x88\xb5"  # IEEE 802 local experimental: no stack takes it
QUIET_SECONDS = 0.1
DRAIN_SECONDS = 5.0

_SOL_PACKET, _PACKET_QDISC_BYPASS = 263, 20
_libc = ctypes.CDLL(None, use_errno=True)


def frame(source: bytes, destination: bytes, size: int = MINIMUM) -> bytes:
    """A frame of so many bytes."""
    return (destination + source + ETHERTYPE).ljust(size, b"\0")


class Frames:
    """Frames of one size, ready to be sent."""

    def __init__(self, frames: Iterable[bytes]) -> None:
        pieces = list(frames)
        self.size, self.count = len(pieces[0]), len(pieces)
        self._data = ctypes.create_string_buffer(b"".join(pieces), self.size * self.count)
        self._batch = Batch(self.size)

    def send(self, descriptor: int, first: int, most: int = BATCH) -> int:
        """Sends frames from that one on, in one system call: how many were taken from the list.

        One that a device refuses is lost, as on a wire.
        """
        number = min(most, BATCH, self.count - first)
        start = ctypes.addressof(self._data) + first * self.size
        ctypes.memmove(self._batch.messages[0].iov.contents.base, start, number * self.size)
        return max(int(_libc.sendmmsg(descriptor, self._batch.messages, number, 0)), 1)


def opened(namespace: str, device: str) -> socket.socket:
    """A raw socket on a device, which sends past queueing disciplines and hears nothing."""
    made = call_inside(namespace, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    made.bind((device, 0))
    made.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
    return made


def received(namespace: str) -> dict[str, int]:
    """Frames that have come to each device of a namespace."""
    links = json.loads(run("ip", "-n", namespace, "-j", "-s", "link", "show"))
    return {link["ifname"]: int(link["stats64"]["rx"]["packets"]) for link in links}


def settled(namespace: str) -> dict[str, int]:
    """The same, as soon as nothing more comes."""
    before, end = received(namespace), time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < end:
        select.select([], [], [], QUIET_SECONDS)
        now = received(namespace)
        if sum(now.values()) - sum(before.values()) < 10:  # protocols of the switch itself go on
            return now
        before = now
    return before


@dataclass(frozen=True, slots=True)
class Flow:
    """What one station sends, over and over."""

    socket: socket.socket
    frames: Frames


def pour(flow: Flow, a_second: float | None = None) -> float:
    """Sends every frame once, no faster than so many a second: the seconds that took."""
    started, sent = time.monotonic(), 0
    while sent < flow.frames.count:
        if a_second is not None:
            ahead = started + sent / a_second - time.monotonic()
            if ahead > 0:
                select.select([], [], [], ahead)
        sent += flow.frames.send(flow.socket.fileno(), sent)
    return time.monotonic() - started


def _repeat(flows: Sequence[Flow], cpu: int, until: float, sent: list[int]) -> None:
    os.sched_setaffinity(0, {cpu})
    total = 0
    while True:  # at least once, however late this thread gets its processor
        for flow in flows:
            total += flow.frames.send(flow.socket.fileno(), 0)
        if time.monotonic() >= until:
            break
    sent.append(total)


def repeat(flows: Sequence[Flow], seconds: float) -> tuple[int, float]:
    """Sends all flows for a time as fast as it goes, on all processors: frames sent and seconds taken."""
    cpus = sorted(os.sched_getaffinity(0))
    sent: list[int] = []
    started = time.monotonic()
    threads = [
        threading.Thread(target=_repeat, args=(mine, cpu, started + seconds, sent))
        for number, cpu in enumerate(cpus)
        if (mine := flows[number :: len(cpus)])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(sent), time.monotonic() - started
