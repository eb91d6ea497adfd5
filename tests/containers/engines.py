"""A container engine for tests, with one container, which falls silent or drips when it is told to."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

DRIP_SECONDS = 0.05


class FakeEngine:
    """An engine's API at `path`. `mood` is "well", "ignorant" (it knows no container), "silent" (it accepts
    and says nothing) or "dripping" (it answers a byte at a time, without end)."""

    def __init__(self, path: Path, container: str, pid: int) -> None:
        self.path = path
        self.mood = "well"
        self.asked = 0
        self._container = {
            "Id": "c0ffee" * 10 + "abcd",
            "Name": f"/{container}",
            "State": {"Pid": pid, "Running": True, "Status": "running"},
        }
        self._ended = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            question = connection.recv(4096)
            if b" /events?" in question:
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
                self._ended.wait()
                return
            self.asked += 1
            if self.mood == "well":
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(self._container).encode())
                return
            if self.mood == "ignorant":
                connection.sendall(b"HTTP/1.0 404 Not Found\r\n\r\n{}")
                return
            if self.mood == "dripping":
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            while not self._ended.wait(DRIP_SECONDS):
                if self.mood == "dripping":
                    connection.sendall(b" ")
