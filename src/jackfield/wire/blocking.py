"""A blocking JSON-RPC connection, for command line clients (RFC 7047 section 4)."""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from jackfield.wire.framing import MessageStream, StreamError

_READ_SIZE = 1 << 18


class ConnectionFailed(OSError):
    """The peer cannot be reached, or went away: `strerror` says why, in OVS's words."""


class RpcError(Exception):
    """The peer answered a request with an error; `error` is its JSON value."""

    def __init__(self, error: Any) -> None:
        super().__init__(error if isinstance(error, str) else json.dumps(error))
        self.error = error


class Connection:
    """One JSON-RPC session. It answers the peer's echo requests and keeps its notifications in order.

    Every waiting method takes `deadline`, a time of time.monotonic() or None for "forever", and raises
    TimeoutError when it passes and ConnectionFailed when the peer is gone or talks nonsense.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._stream = MessageStream(json.loads)
        self._received: deque[dict[str, Any]] = deque()
        self._notices: deque[tuple[str, list[Any]]] = deque()
        self._ids = count()

    @classmethod
    def open_unix(cls, path: str, deadline: float | None = None) -> Connection:
        """Connect to the Unix socket at `path`; raises ConnectionFailed or TimeoutError."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(_remaining(deadline))
            with _short_name(path) as address:
                sock.connect(address)
        except OSError as error:
            sock.close()
            raise error if isinstance(error, TimeoutError) else _failure(error) from error
        return cls(sock)

    def close(self) -> None:
        """End the session."""
        self._socket.close()

    def fileno(self) -> int:
        """For select(2)."""
        return self._socket.fileno()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, method: str, params: list[Any], deadline: float | None = None) -> Any:
        """Send a request and return its result; raises RpcError when the peer answers with an error."""
        request_id = next(self._ids)
        self._send({"id": request_id, "method": method, "params": params}, deadline)
        while True:
            message = self._receive(deadline)
            if "method" in message:
                self._notices.append((message["method"], message.get("params") or []))
            elif message.get("id") == request_id:
                if message.get("error") is not None:
                    raise RpcError(message["error"])
                return message.get("result")

    def notice(self, deadline: float | None = None) -> tuple[str, list[Any]]:
        """The next notification's method and parameters, waiting for it."""
        while not self._notices:
            message = self._receive(deadline)
            if "method" in message:
                self._notices.append((message["method"], message.get("params") or []))
        return self._notices.popleft()

    def pending_notices(self) -> list[tuple[str, list[Any]]]:
        """The notifications that came while waiting for replies, without waiting for more."""
        while (message := self._next_received(None)) is not None:
            if "method" in message:
                self._notices.append((message["method"], message.get("params") or []))
        notices = list(self._notices)
        self._notices.clear()
        return notices

    def _send(self, message: dict[str, Any], deadline: float | None) -> None:
        try:
            self._socket.settimeout(_remaining(deadline))
            self._socket.sendall(_encode(message))
        except TimeoutError:
            raise
        except OSError as error:
            raise _failure(error) from error

    def _receive(self, deadline: float | None) -> dict[str, Any]:
        while True:
            message = self._next_received(deadline)
            if message is not None:
                return message
            try:
                self._socket.settimeout(_remaining(deadline))
                data = self._socket.recv(_READ_SIZE)
            except TimeoutError:
                raise
            except OSError as error:
                raise _failure(error) from error
            if not data:
                raise ConnectionFailed(errno.ECONNRESET, "End of file")
            try:
                self._received.extend(self._stream.feed(data))
            except StreamError as error:
                raise ConnectionFailed(errno.EPROTO, os.strerror(errno.EPROTO)) from error

    def _next_received(self, deadline: float | None) -> dict[str, Any] | None:
        """The next message of those that have come already; echo requests among them are answered."""
        while self._received:
            message = self._received.popleft()
            if message.get("method") != "echo":
                return message
            self._send({"id": message.get("id"), "result": message.get("params"), "error": None}, deadline)
        return None


def _encode(message: object) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _remaining(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    return left


def _failure(error: OSError) -> ConnectionFailed:
    if hasattr(error, "library"):
        # An error of TLS, which not everybody imports; its numbers are not those of errno.
        return ConnectionFailed(errno.EPROTO, os.strerror(errno.EPROTO))
    return ConnectionFailed(error.errno or errno.EIO, error.strerror or str(error))


@contextmanager
def _short_name(path: str) -> Iterator[str]:
    """A name for `path` that fits a socket address (107 bytes), by way of its directory if need be."""
    if len(os.fsencode(path)) < 108:
        yield path
        return
    directory, name = os.path.split(path)
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)
