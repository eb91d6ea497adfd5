"""The switch as a client of its database: JSON-RPC over a socket (RFC 7047), a replica kept up to date.

It uses nothing of the server but its protocol, so the database may as well be another server's.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from jackfield.reconcile.rows import Snapshot
from jackfield.wire.aio import RemoteError, open_remote
from jackfield.wire.replica import Change, Replica, ReplicaError
from jackfield.wire.stream import JsonStream, StreamError, encode

_CHUNK = 1 << 18
PROBE_SECONDS = 5.0
"""So long may a server on the network be silent before it is asked for an echo, and so long for the echo."""


class DatabaseError(Exception):
    """The database does not do what it was asked, or is gone."""


class Unreachable(DatabaseError):
    """The server cannot be reached, or not at present."""


class DatabaseClient:
    """One connection. `tables` is the replica; `lost` is done when the connection is, with the reason."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        database: str,
        probe_seconds: float | None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._database = database
        self._probe_seconds = probe_seconds
        self._lock: str | None = None
        self._locked = asyncio.Event()
        self._ids = itertools.count(1)
        self._waiting: dict[int, tuple[asyncio.Future[Any], Callable[[Any], Any] | None]] = {}
        self._replica: Replica | None = None
        self._on_change: Callable[[list[Change]], None] = lambda _changes: None
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._listen())
        self.schema_version = ""

    @classmethod
    async def connect(
        cls,
        remote: str,
        database: str,
        columns: Mapping[str, Iterable[str]],
        on_change: Callable[[list[Change]], None],
        tls: ssl.SSLContext | None = None,
    ) -> DatabaseClient:
        """Connect and follow `columns` of `database`; `on_change` is called for what changes later.

        `remote` is as `open_remote` takes it. Raises DatabaseError.
        """
        try:
            reader, writer = await open_remote(remote, tls, _CHUNK)
        except RemoteError as error:
            raise DatabaseError(str(error)) from error
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else error.strerror or "no answer"
            raise Unreachable(f"{remote}: cannot connect ({reason})") from error
        client = cls(reader, writer, database, None if remote.startswith("unix:") else PROBE_SECONDS)
        try:
            schema = await client._call("get_schema", [database])
            client.schema_version = str(schema.get("version", ""))
            replica = Replica(schema, columns)
            client._replica = replica
            client._on_change = on_change
            # Fed as the reply comes in, since the first notification may be right behind it.
            await client._call("monitor_cond", [database, "switch", replica.requests()], replica.feed)
        except (ReplicaError, DatabaseError) as error:
            await client.close()
            kind = Unreachable if isinstance(error, Unreachable) else DatabaseError
            raise kind(f"{remote}: {error}") from error
        return client

    async def lock(self, name: str) -> bool:
        """Ask for a lock, which every transaction asserts from now on; whether it is ours at once."""
        self._lock = name
        if (await self._call("lock", [name])).get("locked"):
            self._locked.set()
        return self._locked.is_set()

    async def locked(self) -> None:
        """Wait until the lock is ours. Raises DatabaseError if the connection is lost first."""
        waiting = asyncio.create_task(self._locked.wait())
        try:
            await asyncio.wait((waiting, self.lost), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if not self._locked.is_set():
            raise Unreachable(self.lost.result())

    @property
    def tables(self) -> Snapshot:
        """The database as it is at present; it changes under the reader's hands: see `snapshot`."""
        assert self._replica is not None
        return cast(Snapshot, self._replica.tables)

    def snapshot(self) -> Snapshot:
        """The database as it is now, for good, for use in any thread."""
        return {table: dict(rows) for table, rows in self.tables.items()}

    async def transact(self, operations: list[dict[str, Any]]) -> list[Any]:
        """Run one transaction; raises DatabaseError when it failed."""
        asserted = [] if self._lock is None else [{"op": "assert", "lock": self._lock}]
        results = await self._call("transact", [self._database, *asserted, *operations])
        for result in results:
            if isinstance(result, dict) and "error" in result:
                raise DatabaseError(f"{result['error']}: {result.get('details', '')}")
        return list(results[len(asserted) :])

    async def close(self) -> None:
        """End the connection."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _call(self, method: str, params: list[Any], receive: Callable[[Any], Any] | None = None) -> Any:
        if self.lost.done():
            raise Unreachable(self.lost.result())
        number = next(self._ids)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer, receive
        try:
            self._send({"id": number, "method": method, "params": params})
            return await answer
        finally:
            self._waiting.pop(number, None)

    def _send(self, message: dict[str, Any]) -> None:
        self._writer.write(encode(message))

    async def _listen(self) -> None:
        stream, reason = JsonStream(), "connection closed by the database server"
        try:
            while data := await self._read():
                for message in stream.feed(data):
                    self._take(message)
                if self.lost.done():
                    break
        except TimeoutError:
            reason = "the database server does not answer any more"
        except (OSError, StreamError, ReplicaError) as error:
            reason = f"connection to the database lost: {error}"
        finally:
            self._writer.close()
            self._lose(reason)

    async def _read(self) -> bytes:
        """What comes next, asking for a sign of life if it takes long. Raises TimeoutError or OSError."""
        try:
            async with asyncio.timeout(self._probe_seconds):
                return await self._reader.read(_CHUNK)
        except TimeoutError:
            self._send({"id": "echo", "method": "echo", "params": []})
        async with asyncio.timeout(self._probe_seconds):
            return await self._reader.read(_CHUNK)

    def _lose(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)
        for answer, _receive in self._waiting.values():
            if not answer.done():
                answer.set_exception(Unreachable(self.lost.result()))

    def _take(self, message: Any) -> None:
        match message:
            case {"method": "echo", "params": params, "id": number} if number is not None:
                self._send({"id": number, "result": params, "error": None})
            case {"method": "update2", "params": [_, updates]}:
                self._feed(updates)
            case {"method": "locked", "params": [name]} if name == self._lock:
                self._locked.set()
            case {"method": "stolen", "params": [name]} if name == self._lock:
                self._lose("another process has taken the lock on the database")
            case {"result": result, "error": error, "id": int(number)}:
                answer, receive = self._waiting.get(number, (None, None))
                if answer is None or answer.done():
                    return
                if error is not None:
                    answer.set_exception(DatabaseError(str(error)))
                    return
                if receive is not None:
                    receive(result)
                answer.set_result(result)

    def _feed(self, updates: Any) -> None:
        assert self._replica is not None
        self._on_change(self._replica.feed(updates))
