"""Stations: raw sockets at the far ends of the cables."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType

from bench.attacks.subjects import PORTS, STATIONS
from bench.netns import call_inside

ETH_P_ALL = 0x0003
PACKET_IGNORE_OUTGOING, SOL_PACKET = 23, 263
ETHERTYPE = b"\x88\xb5"  # IEEE 802 local experimental
BROADCAST = b"\xff" * 6
QUIET_SECONDS = 1.0
SO_RCVBUFFORCE = 33
RECEIVE_BYTES = 8 << 20


def mac(group: int, number: int) -> bytes:
    """A station's address."""
    return bytes((2, group)) + number.to_bytes(4, "big")


def frame(source: bytes, destination: bytes, mark: bytes = b"") -> bytes:
    """An untagged frame of 60 bytes."""
    return (destination + source + ETHERTYPE + mark).ljust(60, b"\0")


class Station(AbstractContextManager["Station"]):
    """What is plugged into a port."""

    def __init__(self, device: str, namespace: str = STATIONS) -> None:
        self._socket = call_inside(namespace, lambda: _open(device))

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, *frames: bytes) -> None:
        """Send frames; what does not fit into a queue is lost, as on a wire."""
        for each in frames:
            with contextlib.suppress(BlockingIOError, OSError):
                self._socket.send(each)

    def pour(self, frames: Iterable[bytes], a_second: int) -> None:
        """Send frames no faster than so many a second, in bursts of 64."""
        started = time.monotonic()
        for number, each in enumerate(frames):
            if number % 64 == 0:
                ahead = started + number / a_second - time.monotonic()
                if ahead > 0:
                    select.select([], [], [], ahead)
            self.send(each)

    def heard(self, quiet: float = QUIET_SECONDS, most: float = 30.0) -> list[bytes]:
        """What comes from other stations until nothing has come for a while."""
        return [each for each in self.everything(quiet, most) if ETHERTYPE in each[12:26]]

    def everything(self, quiet: float = QUIET_SECONDS, most: float = 30.0) -> list[bytes]:
        """The same with all that others say."""
        found = []
        end = time.monotonic() + most
        while time.monotonic() < end and select.select([self._socket], [], [], quiet)[0]:
            found.append(self._socket.recv(1 << 16))
        return found

    def forget(self) -> None:
        """Throw away what has come up to now."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(1 << 16, socket.MSG_DONTWAIT)


def _open(device: str) -> socket.socket:
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    opened.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
    opened.bind((device, 0))
    opened.setblocking(False)
    return opened


@contextlib.contextmanager
def plugged_in() -> Iterator[tuple[Station, Station, Station]]:
    """The three stations."""
    with contextlib.ExitStack() as stack:
        one, two, three = (stack.enter_context(Station(port.replace("p", "s"))) for port in PORTS)
        yield one, two, three
