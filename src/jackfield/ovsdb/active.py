"""Remotes that we connect to: `unix:`, `tcp:` and `ssl:`. The peer is the client all the same."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from jackfield.ovsdb.connection import Connection
from jackfield.ovsdb.remote import Status, mark, probe_seconds
from jackfield.ovsdb.remote_config import MIN_BACKOFF, Options
from jackfield.ovsdb.target import Target
from jackfield.ovsdb.tls import Tls, TlsError
from jackfield.wire.address import address_of

if TYPE_CHECKING:
    from jackfield.ovsdb.server import Server

_log = logging.getLogger("ovsdb.remotes")

CONNECT_SECONDS = 10.0


class ActiveRemote:
    """Keeps up a connection to a target, with pauses that grow while it fails.

    `changed` is called whenever the connection comes or goes.
    """

    def __init__(
        self, server: Server, target: Target, options: Options, tls: Tls, changed: Callable[[], None]
    ) -> None:
        self.options = options
        self._server = server
        self._target = target
        self._tls = tls
        self._changed = changed
        self._state = "VOID"
        self._error = ""
        self._connected_at: float | None = None
        self._lost_at: float | None = None
        self._connection: Connection | None = None
        self._lost: asyncio.Future[str | None] | None = None
        self._task = asyncio.get_running_loop().create_task(self._keep_connected())

    async def _keep_connected(self) -> None:
        backoff = 0.0
        while True:
            started = self._server.now()
            self._enter("CONNECTING")
            error = await self._attempt()
            if self._connected_at is not None and self._connected_at >= started:
                self._lost_at = self._server.now()
                _log.info("%s: connection lost: %s", self._target.text, error or "closed by peer")
                lasted = self._lost_at - self._connected_at
                backoff = MIN_BACKOFF if lasted >= backoff else self._longer(backoff)
            else:
                if backoff < self.options.max_backoff:
                    _log.info("%s: connection attempt failed: %s", self._target.text, error)
                backoff = self._longer(backoff)
            self._error = error or "End of file"
            self._enter("BACKOFF")
            await asyncio.sleep(backoff)

    def _longer(self, backoff: float) -> float:
        return min(max(MIN_BACKOFF, 2 * backoff), self.options.max_backoff)

    async def _attempt(self) -> str | None:
        """Connect and wait for the end of the connection; why it ended or could not be made, if known."""
        self._lost = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await self._connect()
        except TimeoutError:
            return os.strerror(errno.ETIMEDOUT)
        except TlsError as error:
            if self._error != str(error):
                _log.warning("%s: %s", self._target.text, error)
            return str(error)
        except ssl.SSLError as error:
            return str(error)
        except OSError as error:
            return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        if connection.session is None:
            return "too many sessions"
        self._connection = connection
        self._connected_at = self._server.now()
        self._error = ""
        self._enter("ACTIVE")
        _log.info("%s: connected", self._target.text)
        try:
            return await self._lost
        finally:
            self._connection = None
            connection.close()

    async def _connect(self) -> Connection:
        loop, target = asyncio.get_running_loop(), self._target
        if target.path is not None:
            with address_of(target.path) as address:
                _, connection = await loop.create_unix_connection(self._make, address)
            return connection
        tls = self._tls.connecting() if target.secure else None
        transport, connection = await loop.create_connection(
            self._make, target.host, target.port, ssl=tls, happy_eyeballs_delay=0.25
        )
        sock = transport.get_extra_info("socket")
        if sock is not None:
            mark(sock, self.options.dscp)
        return connection

    def _make(self) -> Connection:
        return Connection(
            self._server,
            name=self._target.text,
            rights=self.options.rights,
            probe=probe_seconds(self._target, self.options),
            expendable=False,
            closed=self._closed,
        )

    def _closed(self, _connection: Connection, why: str | None) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(why)

    def _enter(self, state: str) -> None:
        self._state = state
        self._changed()

    def configure(self, options: Options) -> None:
        """Treat the connection like this from now on."""
        self.options = options
        if self._connection is not None:
            self._connection.set_probe(probe_seconds(self._target, options))
            self._connection.set_rights(options.rights)

    def status(self) -> Status:
        """How it stands."""
        connection, now = self._connection, self._server.now()
        session = None if connection is None else connection.session
        return Status(
            connected=session is not None,
            state="IDLE" if connection is not None and connection.probing else self._state,
            since_connect=None if self._connected_at is None else int(now - self._connected_at),
            since_disconnect=None if self._lost_at is None else int(now - self._lost_at),
            last_error=self._error,
            locks={} if session is None else session.lock_names(),
            connections=1,
        )

    async def close(self) -> None:
        """End the connection and make no other."""
        self._changed = lambda: None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
