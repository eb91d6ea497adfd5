"""The database server: databases, their sessions, whose turn it is, and who is told of what."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jackfield.ovsdb.atoms import new_uuid
from jackfield.ovsdb.connection import Connection
from jackfield.ovsdb.convert import converted
from jackfield.ovsdb.database import Change, Database
from jackfield.ovsdb.directory import Directory
from jackfield.ovsdb.errors import OvsdbError
from jackfield.ovsdb.local import LocalSession
from jackfield.ovsdb.locks import Locks
from jackfield.ovsdb.log import LogError
from jackfield.ovsdb.notice import Shared
from jackfield.ovsdb.schema import DatabaseSchema
from jackfield.ovsdb.service import Done, Service
from jackfield.ovsdb.session import ProtocolError, Rights, Session
from jackfield.ovsdb.storage import Storage
from jackfield.ovsdb.unix import bind_unix
from jackfield.wire.stream import MAX_BYTES, MAX_DEPTH

_log = logging.getLogger("ovsdb.server")

BACKLOG = 1024
TURN_SECONDS = 0.002
"""How long sessions are served in a row before the event loop looks for new messages and connections."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may use: size and nesting of a message, unread output in bytes, monitors, locks and
    parked transactions; and what all may use together: sessions at a time, bytes of unfinished messages.
    """

    message_bytes: int = MAX_BYTES
    message_depth: int = MAX_DEPTH
    backlog_bytes: int = 16 << 20
    things: int = 1000
    sessions: int = 500
    unfinished_bytes: int = 256 << 20


class Peer(Protocol):
    """The other end of a session, as the server sees it."""

    def close(self) -> None:
        """End the session at once."""

    def drop(self, why: str) -> None:
        """End the session at once and log why."""

    def disconnect(self, why: str) -> None:
        """End the session after what has been sent to it."""


class Watcher(Protocol):
    """What wants to know of changes inside the process, as soon as they are committed for good."""

    def __call__(self, database: Database, changes: list[Change], /) -> None: ...


class Server:
    """Serves databases to sessions, over sockets and inside the process, all by the same protocol.

    Beside the databases given it serves `_Server` (ovsdb-server(5)), which describes them. Sessions take
    turns: in every round each of them that has sent something gets one message worked off.
    """

    def __init__(self, storages: Iterable[Storage], limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.uuid = new_uuid()
        self.locks: Locks[Session] = Locks()
        self.services: dict[str, Service] = {}
        self.sessions: dict[Session, Peer] = {}
        self.watchers: list[Watcher] = []
        self.unfinished_bytes = 0
        self._directory = Directory()
        for storage in storages:
            self.services[storage.database.name] = Service(storage.database, storage, self._publish)
        self._server_service = Service(self._directory.database, None, self._publish)
        self.services[self._server_service.name] = self._server_service
        self._directory.update(service.database for service in self.services.values())
        self._listeners: list[tuple[asyncio.AbstractServer, Path]] = []
        self._ready: dict[Session, None] = {}
        self._changed: set[Service] = set()
        self._expired = False
        self._turn_due: asyncio.Handle | None = None
        self._settling: dict[Service, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._full = False

    # Databases.

    @property
    def databases(self) -> dict[str, Database]:
        """The databases that are served, by name."""
        return {name: service.database for name, service in self.services.items()}

    @property
    def storages(self) -> dict[str, Storage]:
        """The storages of the databases that have one, by name."""
        return {name: s.storage for name, s in self.services.items() if s.storage is not None}

    def add_storage(self, storage: Storage) -> None:
        """Serve one more database. Raises ValueError if one of that name is served."""
        name = storage.database.name
        if name in self.services:
            raise ValueError(f"{name}: duplicate database name")
        self.disconnect_unaware(f"adding {name} database")
        self.services[name] = Service(storage.database, storage, self._publish)
        self._redirect()

    async def remove_database(self, name: str) -> None:
        """Stop to serve a database and close its storage. Raises KeyError."""
        service = self.services[name]
        if service.storage is None:
            raise KeyError(name)
        async with service.alone():
            if self.services.get(name) is not service:
                raise KeyError(name)
            del self.services[name]
            for session in list(self.sessions):
                session.forget(service)
            self._redirect()
            self.disconnect_unaware(f"removing {name} database")
            service.storage.close()
        self._wake_all()

    async def compact(self, name: str) -> None:
        """Rewrite the file of a database. Raises KeyError, or LogError if the old file had to stay."""
        service = self.services[name]
        if service.storage is None:
            raise KeyError(name)
        try:
            await service.compact()
        finally:
            self._wake_all()

    def convert(self, service: Service, schema: DatabaseSchema) -> None:
        """Put a database into another schema, now. Raises OvsdbError, and all is as before."""
        database = converted(service.database, schema)
        try:
            service.replace(database)
        except LogError as error:
            raise OvsdbError("I/O error", str(error)) from error
        for session in list(self.sessions):
            session.forget(service)
        self._redirect()
        # Not before the reply to the request has been sent.
        asyncio.get_running_loop().call_soon(
            self.disconnect_unaware, f"committed {service.name} database schema conversion"
        )

    def _redirect(self) -> None:
        changes = self._directory.update(service.database for service in self.services.values())
        self._server_service.commit(changes)

    # Sessions.

    async def listen_unix(self, path: Path, rights: Rights | None = None) -> None:
        """Accept sessions on a socket file, taking the place of a stale one. Raises OSError."""
        socket = bind_unix(path)
        loop = asyncio.get_running_loop()
        listener = await loop.create_unix_server(
            lambda: Connection(self, rights=rights), sock=socket, backlog=BACKLOG
        )
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
        for handle in (self._timer, self._turn_due):
            if handle is not None:
                handle.cancel()
        self._timer = self._turn_due = None
        await asyncio.gather(*self._settling.values())
        await asyncio.sleep(0)
        for storage in self.storages.values():
            storage.close()
        self.services.clear()

    def admit(self) -> bool:
        """Whether one more session may begin. When there are too many, one that does nothing gives way."""
        full = len(self.sessions) >= self.limits.sessions
        if full:
            idle = next((each for each in self.sessions if each.idle), None)
            if idle is not None:
                self.sessions[idle].drop("it does nothing, and there are too many connections")
                return True
            if not self._full:
                _log.warning("connections are refused: %d sessions are open", len(self.sessions))
        self._full = full
        return not full

    def end(self, session: Session) -> None:
        """Forget a session that is over."""
        if self.sessions.pop(session, None) is not None:
            self._ready.pop(session, None)
            session.close()

    def disconnect_unaware(self, why: str) -> None:
        """Make the clients connect anew that would not learn of a change of databases otherwise."""
        for session, peer in list(self.sessions.items()):
            if not session.change_aware:
                peer.disconnect(why)

    def reconnect(self, why: str) -> None:
        """Make all clients connect anew."""
        for peer in list(self.sessions.values()):
            peer.disconnect(why)

    def memory(self) -> dict[str, int]:
        """What is held in memory, counted in the words of OVS's `memory/show`."""
        sessions = [each for each, peer in self.sessions.items() if not isinstance(peer, LocalSession)]
        cells = sum(
            len(table.rows) * len(table.schema.by_index)
            for service in self.services.values()
            for table in service.database.tables.values()
        )
        return {
            "cells": cells,
            "monitors": sum(each.monitors for each in sessions),
            "sessions": len(sessions),
            "triggers": sum(len(each.waiting) for each in sessions),
            "txn-history": sum(len(service.history) for service in self.services.values()),
        }

    # Turns.

    def now(self) -> float:
        """The time of the event loop, in seconds."""
        return asyncio.get_running_loop().time()

    def wake(self, session: Session) -> None:
        """Note that a session has something to do."""
        self._ready[session] = None
        self._go_on()

    def _go_on(self) -> None:
        if self._turn_due is None:
            self._turn_due = asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_due = None
        until = self.now() + TURN_SECONDS
        if self._changed or self._expired:
            self._retry()
        while self._ready and self.now() < until:
            for session in list(self._ready):
                if session in self._ready and not self._step(session):
                    self._ready.pop(session, None)
        for service in self.services.values():
            if service.unsettled and service not in self._settling:
                task = asyncio.get_running_loop().create_task(self._settle(service))
                self._settling[service] = task
        if self._ready or self._changed:
            self._go_on()

    def _step(self, session: Session) -> bool:
        try:
            return session.step()
        except ProtocolError as error:
            self._drop(session, str(error))
        except Exception:
            _log.exception("a request could not be handled")
            self._drop(session, "internal error")
        return False

    def _drop(self, session: Session, why: str) -> None:
        peer = self.sessions.get(session)
        if peer is not None:
            peer.drop(why)

    async def _settle(self, service: Service) -> None:
        try:
            await service.settle()
        except Exception:
            _log.exception("%s: commits could not be brought to their end", service.name)
        finally:
            del self._settling[service]
        self._wake_all()

    def _wake_all(self) -> None:
        """Let go on what had to wait for the disk."""
        for session in self.sessions:
            if session.inbox:
                self._ready[session] = None
        self._expired = True
        self._go_on()

    def _publish(self, service: Service, transaction: str, changes: list[Change], done: Done | None) -> None:
        shared: Shared = {}
        others = dict.fromkeys(self.sessions)
        if done is not None:
            # A client learns of a transaction's changes before it learns that the transaction is done.
            if done.origin in others:
                self._deliver(done.origin, service, transaction, changes, shared)
                del others[done.origin]
            done.reply(done.results)
        for session in others:
            self._deliver(session, service, transaction, changes, shared)
        for watcher in self.watchers:
            watcher(service.database, changes)
        self._changed.add(service)
        self._go_on()

    def _deliver(
        self, session: Session, service: Service, transaction: str, changes: list[Change], shared: Shared
    ) -> None:
        try:
            session.deliver(service, transaction, changes, shared)
        except Exception:
            _log.exception("a session could not be told of a change")
            self._drop(session, "internal error")

    # Parked transactions.

    def _retry(self) -> None:
        now, changed = self.now(), self._changed
        self._changed, self._expired = set(), False
        for session in list(self.sessions):
            if session.waiting:
                session.retry(now, changed)
        self.schedule()

    def schedule(self) -> None:
        """Set the timer for the next parked transaction that runs out of time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waits = (waiting for session in self.sessions for waiting in session.waiting.values())
        times = [w.until for w in waits if w.until is not None and not w.service.closed_to("transact")]
        if times:
            self._timer = asyncio.get_running_loop().call_at(min(times), self._timeout)

    def _timeout(self) -> None:
        self._timer = None
        self._expired = True
        self._go_on()
