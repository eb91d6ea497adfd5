"""A plain OVSDB client, and many that only listen, in a process of their own."""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.netns import BenchError
from jackfield.wire.stream import JsonStream, encode

TIMEOUT = 60.0
MARK = "end of the reply"
DATABASE = "Open_vSwitch"


class Client:
    """One connection, used by one caller who waits for each answer."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT)
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise
        self._stream = JsonStream()

    def close(self) -> None:
        """End the connection."""
        self.socket.close()

    def ask(self, request: bytes) -> Any:
        """Send a whole message and return the reply's result, if it is the only thing that comes."""
        self.socket.sendall(request)
        return self.answer()

    def answer(self) -> Any:
        """Wait for a reply and return its result."""
        while True:
            for message in self._stream.feed(self._receive()):
                if message["error"] is not None:
                    raise BenchError(f"the server refused: {message['error']}")
                return message["result"]

    def transact(self, *operations: Any) -> list[Any]:
        """Run a transaction, which must not fail."""
        results: list[Any] = self.ask(message("transact", DATABASE, *operations))
        for result in results:
            if result and "error" in result:
                raise BenchError(f"a transaction failed: {result}")
        return results

    def swallow(self, request: bytes) -> int:
        """Send a request with a large reply, and let the reply pass by unread; its size in bytes."""
        self.socket.sendall(request + message("echo", MARK))
        size, tail = 0, b""
        mark = encode([MARK])
        while mark not in tail:
            data = self._receive()
            size += len(data)
            tail = (tail + data)[-200:]
        return size

    def _receive(self) -> bytes:
        data = self.socket.recv(1 << 18)
        if not data:
            raise BenchError("the server closed the connection")
        return data


def message(method: str, *params: Any) -> bytes:
    """A request, ready to send."""
    return encode({"method": method, "params": list(params), "id": 0})


@contextmanager
def listeners(path: Path, tables: list[str], count: int) -> Iterator[None]:
    """So many clients who monitor all of these tables; it is an error if one misses a change."""
    if not count:
        yield
        return
    argv = [sys.executable, "-m", "bench.database.client", str(path), str(count), *tables]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        if process.stdout.readline() != b"ready\n":
            raise BenchError("the monitoring clients did not start")
        yield
        process.stdin.close()
        heard = process.stdout.read().split()
    if process.returncode or len(set(heard)) != 1:
        raise BenchError(f"the monitoring clients did not hear the same: {heard}")


def listen(path: Path, count: int, tables: list[str]) -> None:
    """Be `count` clients until standard input ends, then print how many updates each has heard."""
    quietly = {"select": {"initial": False}}
    clients = []
    heard = {}
    with selectors.DefaultSelector() as selector:
        for number in range(count):
            client = Client(path)
            client.ask(message("monitor_cond", DATABASE, number, {table: [quietly] for table in tables}))
            selector.register(client.socket, selectors.EVENT_READ)
            heard[client.socket] = 0
            clients.append(client)
        selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        print("ready", flush=True)
        going = True
        while ready := selector.select(None if going else 0.5):
            for key, _ in ready:
                if key.fileobj is sys.stdin.buffer:
                    selector.unregister(sys.stdin.buffer)
                    going = False
                else:
                    assert isinstance(key.fileobj, socket.socket)
                    heard[key.fileobj] += key.fileobj.recv(1 << 18).count(b'"update2"')
    print(*heard.values())


if __name__ == "__main__":
    listen(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
