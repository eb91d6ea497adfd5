"""The socket by which Docker finds and asks the driver: HTTP on a Unix socket in its folder of plugins."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from jackfield.client.errors import Failure
from jackfield.containers.docker_network.driver import Driver
from jackfield.containers.docker_network.errors import Malformed
from jackfield.wire.address import address_of

FOLDER = Path("/run/docker/plugins")
MOST_REQUEST = 1 << 20
MOST_CONNECTIONS = 64
IDLE_SECONDS = 300.0
CONTENT_TYPE = "application/vnd.docker.plugins.v1.2+json"


class PluginServer:
    """Serves a driver under a name; the name is that of the driver in `docker network create -d`."""

    def __init__(
        self, name: str, driver: Driver, folder: Path = FOLDER, heard: Callable[[], None] = lambda: None
    ) -> None:
        """`heard` is called, by any thread, when Docker has asked for something."""
        self.path = folder / f"{name}.sock"
        self._driver = driver
        self._heard = heard
        self._one_at_a_time = Lock()
        self._listener: socket.socket | None = None
        self._thread: Thread | None = None
        self._connections: set[socket.socket] = set()

    def start(self) -> None:
        """Begin to serve; raises Failure when the socket cannot be had."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _clear(self.path)
            with address_of(self.path) as address:
                listener.bind(address)
            self.path.chmod(0o600)
            listener.listen(MOST_CONNECTIONS)
        except OSError as error:
            listener.close()
            raise Failure(f"Docker's plugin socket {self.path} cannot be made: {error.strerror}") from error
        except Failure:
            listener.close()
            raise
        self._listener = listener
        self._thread = Thread(target=self._accept, args=(listener,), name="docker-network", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End serving: no request is begun any more, one that is being served is finished."""
        if self._listener is None or self._thread is None:
            return
        with suppress(OSError):
            self.path.unlink()
        # This wakes up accept(2), which close(2) would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        with self._one_at_a_time:
            for connection in list(self._connections):
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._listener = self._thread = None

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """HTTP status and object for a request."""
        self._heard()
        if not self._driver.knows(path):
            return 404, {"Err": f"there is no method {path}"}
        try:
            request = json.loads(body) if body.strip() else {}
            if not isinstance(request, dict):
                raise Malformed("the request is not a JSON object")
            with self._one_at_a_time:
                return 200, self._driver.answer(path, request)
        except (ValueError, RecursionError, Malformed) as error:
            return 400, {"Err": f"{path}: {error}"}
        except Exception as error:
            return 500, {"Err": f"{path}: internal error: {error!r}"}

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if len(self._connections) >= MOST_CONNECTIONS:
                connection.close()
                continue
            self._connections.add(connection)
            Thread(target=self._serve, args=(connection,), name="docker-network-call", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                connection.settimeout(IDLE_SECONDS)
                _Handler(connection, self)
        finally:
            self._connections.discard(connection)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def __init__(self, connection: socket.socket, plugin: PluginServer) -> None:
        self._plugin = plugin
        super().__init__(connection, "", plugin)  # type: ignore[arg-type]  # it only keeps it

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        is_number = length.isascii() and length.isdecimal() and len(length) <= len(str(MOST_REQUEST))
        if not is_number or int(length) > MOST_REQUEST or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._write(400, {"Err": "the length of the request is missing or too large"})
            return
        self._write(*self._plugin.answer(self.path, self.rfile.read(int(length))))

    def _write(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Docker logs what it asks."""


def _clear(path: Path) -> None:
    """Remove a socket that a process left which is gone; raises Failure when one serves it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            with address_of(path) as address:
                probe.connect(address)
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            path.unlink()
            return
    raise Failure(f"Docker's plugin socket {path} is served by another process; choose another name")
