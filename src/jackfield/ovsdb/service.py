"""One database as sessions use it: commits in groups, what waits for them, and what has been committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from jackfield.ovsdb import audit
from jackfield.ovsdb.database import Change, Database
from jackfield.ovsdb.errors import OvsdbError
from jackfield.ovsdb.history import History
from jackfield.ovsdb.operations import Execution
from jackfield.ovsdb.storage import Storage

if TYPE_CHECKING:
    from jackfield.ovsdb.session import Session

Reply = Callable[[list[Any]], None]


@dataclass(frozen=True, slots=True)
class Done:
    """A transaction that `origin` has run and is to be told of, by `reply`, once it is on disk."""

    results: list[Any]
    changes: list[Change]
    origin: Session
    reply: Reply
    comments: list[str]

    @property
    def failed(self) -> bool:
        """Whether an operation went wrong, or the commit."""
        return any(isinstance(result, dict) and "error" in result for result in self.results)


class Publish(Protocol):
    """Tells all sessions of a transaction: first its origin, which gets its reply then, then all others."""

    def __call__(
        self, service: Service, transaction: str, changes: list[Change], done: Done | None
    ) -> None: ...


class Service:
    """Runs the transactions on one database. Without a storage, nothing is kept on disk.

    Transactions run at once, many in a row; `settle` puts them on disk together. Their changes are
    published and their replies sent only then, in their order. Nothing else may look at the database in
    between, because what it would see may still be undone: see `closed_to`.
    """

    def __init__(self, database: Database, storage: Storage | None, publish: Publish) -> None:
        self.database = database
        self.storage = storage
        self.history = History()
        self._publish = publish
        self._done: list[Done] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._claims = 0

    @property
    def name(self) -> str:
        """The database's name."""
        return self.database.name

    @property
    def unsettled(self) -> bool:
        """Whether transactions have run that are not known to be on disk."""
        return bool(self._done)

    def closed_to(self, method: str) -> bool:
        """Whether a request must wait: any while the disk is written to, some while it is about to be."""
        busy = self._claims > 0 or (self.storage is not None and self.storage.busy)
        return busy or (bool(self._done) and method != "transact")

    def run(self, execution: Execution, operations: list[Any], origin: Session, reply: Reply) -> None:
        """Run a transaction; `reply` gets its results when they are true for good. Raises Parked."""
        storage = self.storage
        results, changes = execution.run(operations, _discard if storage is None else storage.stage)
        if storage is None or not (changes or self._done):
            self._tell(Done(results, changes, origin, reply, execution.comments))
        else:
            self._done.append(Done(results, changes, origin, reply, execution.comments))

    async def settle(self) -> None:
        """Put what has run on disk and tell of it."""
        done, storage = self._done, self.storage
        assert storage is not None
        try:
            if any(each.changes for each in done):
                await storage.flush()
        except OvsdbError as error:
            self._done = []
            for each in done:
                each.reply(each.results if each.failed else [*each.results, error.to_json()])
        else:
            self._done = []
            for each in done:
                self._tell(each)
            await storage.compact_if_grown()
        self._wake()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Let what is under way come to its end, and nothing begin until the block is left."""
        self._claims += 1
        try:
            while self._done or (self.storage is not None and self.storage.busy):
                future = asyncio.get_running_loop().create_future()
                self._waiting.append(future)
                await future
            yield
        finally:
            self._claims -= 1
            self._wake()

    async def compact(self) -> None:
        """Rewrite the file. Raises LogError, and the old one stays."""
        async with self.alone():
            if self.storage is not None:
                await self.storage.compact()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def commit(self, changes: list[Change]) -> None:
        """Note and publish changes that were made to a database without a storage."""
        if changes:
            self._publish(self, self.history.add(changes), changes, None)

    def _tell(self, done: Done) -> None:
        if done.changes:
            if not done.origin.own:
                audit.note(done.origin.name, self.name, done.changes, done.comments)
            self._publish(self, self.history.add(done.changes), done.changes, done)
        else:
            done.reply(done.results)

    def replace(self, database: Database) -> None:
        """Go on with another database, that holds the same in another schema. Raises LogError."""
        if self.storage is not None:
            self.storage.replace_database(database)
        self.database = database
        self.history = History()


def _discard(_changes: list[Change], _comment: str | None) -> None:
    """Where the transactions on a database without a file go."""
