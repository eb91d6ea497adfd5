"""Small UDP datagrams from one process to another, as fast as the sender can: packets a second.

    python -m jackfield.lab.measure.udp receive ADDRESS PORT
    python -m jackfield.lab.measure.udp send ADDRESS PORT SECONDS

Both hand the kernel a batch of datagrams in one system call (sendmmsg(2), recvmmsg(2)), so that the time goes
into the path of each packet and not into Python. The payload of 18 bytes makes frames of 64 bytes, check
sequence included, the smallest of RFC 2544. The receiver counts what arrives: it prints `ready` when it
listens and, when nothing has come for a while, one line of JSON.
"""

from __future__ import annotations

import ctypes
import json
import socket
import sys
import time

PAYLOAD = 18
BATCH = 64
QUIET_SECONDS = 0.3
RECEIVE_BUFFER = 8 << 20
MSG_WAITFORONE = 0x10000
SO_RCVBUFFORCE = 33

_libc = ctypes.CDLL(None, use_errno=True)


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """`struct mmsghdr` of recvmmsg(2)."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("iov", ctypes.POINTER(_Iovec)),
        ("iov_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("hole", ctypes.c_uint),  # `struct msghdr` ends on a boundary of 8 bytes
        ("length", ctypes.c_uint),
    )


class Batch:
    """Room for a batch of datagrams, laid out as the system calls want it."""

    def __init__(self, size: int) -> None:
        self._room = ctypes.create_string_buffer(BATCH * size)
        start = ctypes.addressof(self._room)
        self._iovecs = (_Iovec * BATCH)(*(_Iovec(start + i * size, size) for i in range(BATCH)))
        self.messages = (_Message * BATCH)()
        for message, iovec in zip(self.messages, self._iovecs, strict=True):
            message.iov = ctypes.pointer(iovec)
            message.iov_count = 1


def send(address: str, port: int, seconds: float) -> int:
    """Sends for a time; returns how many datagrams went."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))
        batch, sent = Batch(PAYLOAD), 0
        call, number = _libc.sendmmsg, sock.fileno()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sent += max(call(number, batch.messages, BATCH, 0), 0)
        return sent


def receive(address: str, port: int) -> tuple[int, float]:
    """Receives until it is quiet; returns how many came and the seconds from the first to the last."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        sock.bind((address, port))
        print("ready", flush=True)
        sock.recv(PAYLOAD)
        first = last = time.monotonic()
        sock.settimeout(QUIET_SECONDS)  # makes the socket non-blocking: the calls below return at once
        batch, count = Batch(PAYLOAD), 0
        call, number = _libc.recvmmsg, sock.fileno()
        while True:
            came = call(number, batch.messages, BATCH, 0, None)
            now = time.monotonic()
            if came > 0:
                count += came
                last = now
            elif now - last > QUIET_SECONDS:
                return count, last - first


def main() -> int:
    role, address, port, *rest = sys.argv[1:]
    if role == "send":
        print(json.dumps({"sent": send(address, int(port), float(rest[0]))}))
    else:
        count, seconds = receive(address, int(port))
        print(json.dumps({"packets": count, "seconds": seconds}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
