"""Remotes that others connect to: `punix:`, `ptcp:` and `pssl:`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from jackfield.ovsdb.connection import Connection
from jackfield.ovsdb.remote import Status, mark, probe_seconds
from jackfield.ovsdb.remote_config import Options
from jackfield.ovsdb.target import Target
from jackfield.ovsdb.tls import Tls, TlsError
from jackfield.ovsdb.unix import bind_unix

if TYPE_CHECKING:
    from jackfield.ovsdb.server import Server

_log = logging.getLogger("ovsdb.remotes")

BACKLOG = 1024
ACCEPTS = 32
HANDSHAKES = 64
"""So many connections are accepted in one turn, and so many may be in their TLS handshake at a time."""
HANDSHAKE_SECONDS = 10.0
PAUSE_SECONDS = 1.0
"""How long nothing is accepted after the system has refused to, for want of file descriptors or memory."""


class Listener:
    """Accepts sessions for a target; `changed` is called when one comes or goes."""

    def __init__(
        self, server: Server, target: Target, options: Options, tls: Tls, changed: Callable[[], None]
    ) -> None:
        """Listen. Raises OSError or TlsError."""
        self.options = options
        self._server = server
        self._target = target
        self._tls = tls
        self._changed = changed
        self._connections: set[Connection] = set()
        self._handshakes: dict[asyncio.Task[None], None] = {}
        if target.secure:
            tls.accepting()
        self._socket = self._listen()
        self._pause: asyncio.TimerHandle | None = None
        asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def _listen(self) -> socket.socket:
        target = self._target
        sock = bind_unix(target.path) if target.path is not None else _bind(target, self.options.dscp)
        try:
            sock.setblocking(False)
            sock.listen(BACKLOG)
        except OSError:
            sock.close()
            raise
        return sock

    def _accept(self) -> None:
        """Take in those who wait, as many as one turn may have."""
        loop = asyncio.get_running_loop()
        for _ in range(ACCEPTS):
            try:
                sock, _address = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                _log.warning("%s: accept failed: %s", self._target.text, error.strerror)
                loop.remove_reader(self._socket)
                self._pause = loop.call_later(PAUSE_SECONDS, loop.add_reader, self._socket, self._accept)
                return
            sock.setblocking(False)
            if self._target.secure and len(self._handshakes) >= HANDSHAKES:
                next(iter(self._handshakes)).cancel()  # the one that has had most time
            task = loop.create_task(self._welcome(sock))
            self._handshakes[task] = None
            task.add_done_callback(self._handshakes.pop)

    async def _welcome(self, sock: socket.socket) -> None:
        try:
            tls = self._tls.accepting() if self._target.secure else None
            _transport, connection = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(
                    self._server,
                    rights=self.options.rights,
                    probe=probe_seconds(self._target, self.options),
                    closed=self._closed,
                ),
                sock,
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else HANDSHAKE_SECONDS,
            )
        except (OSError, TlsError) as error:
            _log.info("%s: connection refused: %s", self._target.text, error)
            sock.close()
            return
        except asyncio.CancelledError:
            sock.close()
            raise
        if connection.session is not None:
            self._connections.add(connection)
            self._changed()

    def _closed(self, connection: Connection, _why: str | None) -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            self._changed()

    def configure(self, options: Options) -> None:
        """Treat the connections like this from now on."""
        self.options = options
        for connection in self._connections:
            connection.set_probe(probe_seconds(self._target, options))
            connection.set_rights(options.rights)

    @property
    def port(self) -> int:
        """The port that is listened on, 0 for a socket file."""
        return 0 if self._target.path is not None else int(self._socket.getsockname()[1])

    def status(self) -> Status:
        """How it stands."""
        count = len(self._connections)
        return Status(connected=count > 0, connections=count, bound_port=self.port)

    async def close(self) -> None:
        """Stop to listen, end all connections and remove the socket file."""
        self._changed = lambda: None
        if self._pause is not None:
            self._pause.cancel()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        tasks = list(self._handshakes)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._target.path is not None:
            with contextlib.suppress(FileNotFoundError):
                self._target.path.unlink()
        for connection in list(self._connections):
            connection.close()


def _bind(target: Target, dscp: int) -> socket.socket:
    """A TCP socket bound to the target's address: that of a host, or all of IPv4 as OVS does."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        target.host or "0.0.0.0",
        target.port,
        type=socket.SOCK_STREAM,
        flags=socket.AI_PASSIVE | socket.AI_NUMERICHOST,
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        mark(sock, dscp)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock
