"""The database server: databases, their sessions, and who is told of what. It listens by `listen_unix`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jackfield.ovsdb.atoms import new_uuid
from jackfield.ovsdb.database import Change, Database
from jackfield.ovsdb.errors import to_text
from jackfield.ovsdb.local import LocalSession
from jackfield.ovsdb.locks import Locks
from jackfield.ovsdb.operations import Write
from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.session import Session
from jackfield.ovsdb.storage import Storage
from jackfield.ovsdb.transaction import Transaction, blank_row
from jackfield.ovsdb.unix import SocketSession, bind_unix
from jackfield.wire.stream import MAX_BYTES, MAX_DEPTH

_log = logging.getLogger("ovsdb.server")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may use: size and nesting of a message, sessions at a time, unread output in bytes."""

    message_bytes: int = MAX_BYTES
    message_depth: int = MAX_DEPTH
    sessions: int = 500
    backlog_bytes: int = 16 << 20


class Server:
    """Serves databases to sessions, over sockets and inside the process, all by the same protocol.

    Beside the databases given it serves `_Server` (ovsdb-server(5)), which describes them.
    """

    def __init__(self, storages: Iterable[Storage], limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.uuid = new_uuid()
        self.locks: Locks[Session] = Locks()
        self.databases: dict[str, Database] = {}
        self.sessions: dict[Session, SocketSession | LocalSession] = {}
        self._writers: dict[Database, Storage] = {}
        for storage in storages:
            self.databases[storage.database.name] = storage.database
            self._writers[storage.database] = storage
        directory = _directory(self.databases.values())
        self.databases[directory.name] = directory
        self._listeners: list[tuple[asyncio.AbstractServer, Path]] = []
        self._changed: list[Database] = []
        self._timer: asyncio.TimerHandle | None = None
        self._full = False

    async def listen_unix(self, path: Path) -> None:
        """Accept sessions on a socket file, taking the place of a stale one. Raises OSError."""
        socket = bind_unix(path)
        loop = asyncio.get_running_loop()
        listener = await loop.create_unix_server(lambda: SocketSession(self), sock=socket, backlog=64)
        self._listeners.append((listener, path))

    def connect_local(self) -> LocalSession:
        """A session inside the process."""
        local = LocalSession(self)
        self.sessions[local.session] = local
        return local

    async def close(self) -> None:
        """Stop listening, end all sessions, remove the socket files and close the database files."""
        for listener, path in self._listeners:
            listener.close()
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        self._listeners.clear()
        for peer in list(self.sessions.values()):
            peer.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await asyncio.sleep(0)
        for storage in self._writers.values():
            storage.close()
        self._writers.clear()

    def has_room(self) -> bool:
        """Whether one more session may begin; the first refusal of a row of them is logged."""
        full = len(self.sessions) >= self.limits.sessions
        if full and not self._full:
            _log.warning("connections are refused: %d sessions are open", len(self.sessions))
        self._full = full
        return not full

    def end(self, session: Session) -> None:
        """Forget a session that is over."""
        if self.sessions.pop(session, None) is not None:
            session.close()

    def now(self) -> float:
        """The time of the event loop, in seconds."""
        return asyncio.get_running_loop().time()

    def writer(self, database: Database) -> Write:
        """How transactions on a database get to its file."""
        storage = self._writers.get(database)
        return _discard if storage is None else storage.write

    def publish(self, database: Database, changes: list[Change]) -> None:
        """Tell all sessions of a committed transaction and try the transactions that wait for a change."""
        if not changes:
            return
        for session in list(self.sessions):
            session.deliver(database, changes)
        storage = self._writers.get(database)
        if storage is not None:
            storage.compact_now_if_grown()
        self._changed.append(database)
        if len(self._changed) > 1:
            # A parked transaction has just been committed by the loop below, which goes on with this one.
            return
        try:
            for changed in self._changed:
                self._retry(changed)  # which may append to the list
        finally:
            self._changed.clear()
        self.schedule()

    def _retry(self, database: Database | None) -> None:
        now = self.now()
        for session in list(self.sessions):
            if database is None or any(w.database is database for w in session.waiting.values()):
                session.retry(now)

    def schedule(self) -> None:
        """Set the timer for the next parked transaction that runs out of time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        times = [w.until for s in self.sessions for w in s.waiting.values() if w.until is not None]
        if times:
            self._timer = asyncio.get_running_loop().call_at(min(times), self._timeout)

    def _timeout(self) -> None:
        self._timer = None
        self._retry(None)
        self.schedule()


def _discard(_changes: list[Change], _comment: str | None) -> None:
    """Where the transactions on a database without a file go."""


_SERVER_SCHEMA: dict[str, Any] = {
    "name": "_Server",
    "version": "1.2.0",
    "tables": {
        "Database": {
            "isRoot": True,
            "columns": {
                "name": {"type": "string"},
                "model": {
                    "type": {"key": {"type": "string", "enum": ["set", ["standalone", "clustered", "relay"]]}}
                },
                "connected": {"type": "boolean"},
                "leader": {"type": "boolean"},
                "schema": {"type": {"key": "string", "min": 0, "max": 1}},
                "cid": {"type": {"key": "uuid", "min": 0, "max": 1}},
                "sid": {"type": {"key": "uuid", "min": 0, "max": 1}},
                "index": {"type": {"key": "integer", "min": 0, "max": 1}},
            },
        }
    },
}


def _directory(databases: Iterable[Database]) -> Database:
    """The `_Server` database: a row for each database, its own among them."""
    directory = Database(parse_schema(_SERVER_SCHEMA))
    table = directory.tables["Database"]
    transaction = Transaction(directory)
    for database in (*databases, directory):
        values = {
            "name": database.name,
            "model": "standalone",
            "connected": True,
            "leader": True,
            "schema": to_text(database.schema.to_json()),
        }
        row = {table.schema.columns[name].index: (value,) for name, value in values.items()}
        transaction.put(table, new_uuid(), blank_row(table.schema, row))
    transaction.commit()
    return directory
