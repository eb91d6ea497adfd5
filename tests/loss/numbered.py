"""Frames with numbers, so that not one can be lost, doubled or overtaken unseen.

    python -m tests.loss.numbered send MARK DEVICE FLOW TO FROM RATE STATIONS
    python -m tests.loss.numbered receive MARK DEVICE

Both print `ready` when they are at work, and on SIGTERM one line of JSON: the sender how many frames went,
the receiver what became of each flow. The frames have an ethertype for experiments (IEEE 802, 0x88b6), the
mark (8 hexadecimal digits), the number of the flow and that of the frame. With STATIONS above 1 the source
address changes with each frame.
"""

from __future__ import annotations

import json
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

ETHERTYPE = 0x88B6
PAYLOAD = struct.Struct("!4sHQ")
LONGEST_SECONDS = 3600.0
IDLE_SECONDS = 0.2
RECEIVE_BUFFER = 64 << 20
SO_RCVBUFFORCE, SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 33, 263, 6, 23


@dataclass
class Flow:
    """What arrived of a flow: its numbers begin with 0. `longest` is the longest silence, in seconds."""

    expected: int = 0
    arrived: int = 0
    doubled: int = 0
    overtaken: int = 0
    missing: set[int] = field(default_factory=set)
    last: float = 0.0
    longest: float = 0.0

    def take(self, number: int, now: float) -> None:
        """A frame arrived at `now`, in seconds."""
        self.arrived += 1
        if self.last:
            self.longest = max(self.longest, now - self.last)
        self.last = now
        if number >= self.expected:
            self.missing.update(range(self.expected, number))
            self.expected = number + 1
        elif number in self.missing:
            self.missing.remove(number)
            self.overtaken += 1
        else:
            self.doubled += 1


def send(
    mark: bytes, device: str, flow: int, to: bytes, source: bytes, rate: float, stations: int
) -> dict[str, int]:
    """Send until told to stop."""
    sent = refused = 0
    base = int.from_bytes(source)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((device, 0))
        stopped = stop_signs()
        print("ready", flush=True)
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < LONGEST_SECONDS and not stopped:
            while sent < elapsed * rate:
                address = (base + sent % stations).to_bytes(6)
                frame = to + address + ETHERTYPE.to_bytes(2) + PAYLOAD.pack(mark, flow, sent)
                try:
                    sock.send(frame.ljust(60, b"\0"))
                except OSError:
                    refused += 1
                    continue  # its number is given to the next one: what did not leave cannot be lost
                sent += 1
            time.sleep(0.001)
    return {"flow": flow, "sent": sent, "refused": refused}


def receive(mark: bytes, device: str) -> dict[str, object]:
    """Receive until told to stop."""
    flows: dict[int, Flow] = {}
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        sock.bind((device, ETHERTYPE))
        stopped = stop_signs()
        sock.settimeout(IDLE_SECONDS)
        print("ready", flush=True)
        while True:
            try:
                frame = sock.recv(2048)
            except TimeoutError:
                if stopped:  # and all that had arrived by then is read
                    break
                continue
            found, flow, number = PAYLOAD.unpack_from(frame, 14)
            if found == mark:
                flows.setdefault(flow, Flow()).take(number, time.monotonic())
        _seen, overrun = struct.unpack("II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    return {"overrun": overrun, "flows": {number: _report(flow) for number, flow in flows.items()}}


def _report(flow: Flow) -> dict[str, object]:
    return {
        "expected": flow.expected,
        "arrived": flow.arrived,
        "missing": sorted(flow.missing),
        "doubled": flow.doubled,
        "overtaken": flow.overtaken,
        "longest_ms": round(flow.longest * 1000, 1),
    }


def stop_signs() -> list[int]:
    """Not empty once SIGTERM came. It is no exception: a frame that was sent or received is to be counted."""
    signs: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: signs.append(number))
    return signs


def main(words: list[str]) -> int:
    mark, device = bytes.fromhex(words[1]), words[2]
    if words[0] == "receive":
        print(json.dumps(receive(mark, device)))
    else:
        flow, to, source, rate, stations = words[3:]
        addresses = [bytes.fromhex(address.replace(":", "")) for address in (to, source)]
        print(json.dumps(send(mark, device, int(flow), *addresses, float(rate), int(stations))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
