"""The switch as a client of its database: JSON-RPC over a Unix socket (RFC 7047), a replica kept up to date.

It uses nothing of the server but its protocol, so the database may as well be another server's.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from jackfield.reconcile.rows import Snapshot
from jackfield.wire.address import address_of
from jackfield.wire.replica import Change, Replica, ReplicaError
from jackfield.wire.stream import JsonStream, StreamError, encode

_CHUNK = 1 << 18


class DatabaseError(Exception):
    """The database does not do what it was asked, or is gone."""


class DatabaseClient:
    """One connection. `tables` is the replica; `lost` is done when the connection is, with the reason."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, database: str) -> None:
        self._reader = reader
        self._writer = writer
        self._database = database
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
        path: Path,
        database: str,
        columns: Mapping[str, Iterable[str]],
        on_change: Callable[[list[Change]], None],
    ) -> DatabaseClient:
        """Connect and follow `columns` of `database`; `on_change` is called for what changes later.

        Raises DatabaseError.
        """
        try:
            with address_of(path) as address:
                reader, writer = await asyncio.open_unix_connection(address, limit=_CHUNK)
        except OSError as error:
            raise DatabaseError(f"{path}: {error.strerror}") from error
        client = cls(reader, writer, database)
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
            raise DatabaseError(str(error)) from error
        return client

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
        results = await self._call("transact", [self._database, *operations])
        for result in results:
            if isinstance(result, dict) and "error" in result:
                raise DatabaseError(f"{result['error']}: {result.get('details', '')}")
        return list(results)

    async def close(self) -> None:
        """End the connection."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _call(self, method: str, params: list[Any], receive: Callable[[Any], Any] | None = None) -> Any:
        if self.lost.done():
            raise DatabaseError(self.lost.result())
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
            while data := await self._reader.read(_CHUNK):
                for message in stream.feed(data):
                    self._take(message)
        except (OSError, StreamError, ReplicaError) as error:
            reason = f"connection to the database lost: {error}"
        finally:
            self._writer.close()
            if not self.lost.done():
                self.lost.set_result(reason)
            for answer, _receive in self._waiting.values():
                if not answer.done():
                    answer.set_exception(DatabaseError(reason))

    def _take(self, message: Any) -> None:
        match message:
            case {"method": "echo", "params": params, "id": number} if number is not None:
                self._send({"id": number, "result": params, "error": None})
            case {"method": "update2", "params": [_, updates]}:
                self._feed(updates)
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
