"""Traffic of three kinds from one process to another, over sockets as any program uses them.

    python -m jackfield.lab.measure.flows serve KIND ADDRESS PORT
    python -m jackfield.lab.measure.flows KIND ADDRESS PORT SECONDS

KIND is `stream` (TCP, bulk), `echo` (UDP, one byte there and back, one after the other) or `connect` (TCP:
connect, a byte there and back, close). A server prints `ready` when it listens and ends by itself: `stream`
after one connection, with one line of JSON about it; the others when their standard input ends. A client
prints one line of JSON.
"""

from __future__ import annotations

import json
import select
import socket
import statistics
import sys
import time
from collections.abc import Callable

CHUNK = 128 << 10
CONNECT_SECONDS, ECHO_SECONDS = 10.0, 1.0  # after which a connection, or an echo, is not waited for
BACKLOG = 128

Address = tuple[str, int]


def serve_stream(address: Address) -> None:
    """Takes one connection; prints how many bytes came, and in how many seconds from first to last."""
    with socket.create_server(address) as listener:
        print("ready", flush=True)
        connection, _ = listener.accept()
    with connection:
        room, total = bytearray(4 * CHUNK), 0
        begin = time.monotonic()
        while got := connection.recv_into(room):
            total += got
    print(json.dumps({"bytes": total, "seconds": time.monotonic() - begin}))


def stream(address: Address, seconds: float) -> dict[str, float]:
    """Sends as fast as it can; returns how many bytes went."""
    data, sent = memoryview(bytes(CHUNK)), 0
    with socket.create_connection(address, CONNECT_SECONDS) as sock:
        sock.settimeout(None)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sent += sock.send(data)
    return {"sent": sent}


def serve_echo(address: Address) -> None:
    """Sends every datagram back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(address)
        print("ready", flush=True)
        poll = select.poll()
        poll.register(sys.stdin, select.POLLIN | select.POLLHUP)
        poll.register(sock, select.POLLIN)
        sock.setblocking(False)
        while all(descriptor == sock.fileno() for descriptor, _ in poll.poll()):
            try:
                while True:
                    data, sender = sock.recvfrom(2048)
                    sock.sendto(data, sender)
            except BlockingIOError:
                continue


def echo(address: Address, seconds: float) -> dict[str, float]:
    """Sends a byte, waits for it, and so on; returns how often, and the median and 99th percentile of a round
    trip in seconds. A byte that does not come back is sent again and not counted.
    """
    trips: list[float] = []
    clock = time.perf_counter
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        sock.settimeout(ECHO_SECONDS)
        begin = now = clock()
        end = begin + seconds
        while now < end:
            try:
                sock.send(b"x")
                sock.recv(1)
            except (TimeoutError, ConnectionRefusedError):
                now = clock()
                continue
            done = clock()
            trips.append(done - now)
            now = done
    spent = now - begin
    if len(trips) < 2:
        return {"rate": 0.0, "median": spent, "p99": spent}
    return {
        "rate": len(trips) / spent,
        "median": statistics.median(trips),
        "p99": statistics.quantiles(trips, n=100)[98],
    }


def serve_connect(address: Address) -> None:
    """Answers the first byte of each connection and closes it, so that the client's port is free again."""
    with socket.create_server(address, backlog=BACKLOG) as listener:
        print("ready", flush=True)
        poll = select.poll()
        poll.register(sys.stdin, select.POLLIN | select.POLLHUP)
        poll.register(listener, select.POLLIN)
        while all(descriptor == listener.fileno() for descriptor, _ in poll.poll()):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(connection.recv(1))


def connect(address: Address, seconds: float) -> dict[str, float]:
    """Connects, asks, is answered and closed, and so on; returns how often a second."""
    count = 0
    begin = now = time.monotonic()
    while now - begin < seconds:
        with socket.create_connection(address, CONNECT_SECONDS) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(b"x")
            while sock.recv(1):
                pass
        count += 1
        now = time.monotonic()
    return {"rate": count / (now - begin)}


SERVERS: dict[str, Callable[[Address], None]] = {
    "stream": serve_stream,
    "echo": serve_echo,
    "connect": serve_connect,
}
CLIENTS: dict[str, Callable[[Address, float], dict[str, float]]] = {
    "stream": stream,
    "echo": echo,
    "connect": connect,
}


def main() -> int:
    """Runs one end of a flow."""
    words = sys.argv[1:]
    try:
        if words[0] == "serve":
            SERVERS[words[1]]((words[2], int(words[3])))
        else:
            print(json.dumps(CLIENTS[words[0]]((words[1], int(words[2])), float(words[3]))))
    except OSError as error:
        print(f"{words[0]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
