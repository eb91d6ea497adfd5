"""The switch's database: a replica of what is needed of it, and transactions (RFC 7047 section 4.1)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jackfield.client.control import rundir
from jackfield.client.errors import Conflict, Failure
from jackfield.client.operations import Operation, increment
from jackfield.wire.blocking import Connection, ConnectionFailed, RpcError
from jackfield.wire.notation import Uuid, decode_atom
from jackfield.wire.replica import Change, Replica, ReplicaError, Row

DATABASE = "Open_vSwitch"
ROOT = "Open_vSwitch"
ANSWER_SECONDS = 30.0
_FOLLOWED = ("cur_cfg", "next_cfg")

Columns = Mapping[str, Iterable[str] | None]
"""Tables and the columns of each that are wanted, None for all of them."""


class Database:
    """A session with the database. Belongs to one thread. Every method raises Failure.

        with Database.open({"Bridge": ("name", "ports"), "Port": None}) as database:
            for uuid, row in database.tables["Bridge"].items(): …

    `tables[table][uuid]` is a row as `jackfield.wire.replica` gives it, as of the last `refresh`, `wait` or
    `transact`. The root table is always there, with the columns that tell how far the switch has come.
    """

    def __init__(self, connection: Connection, columns: Columns, path: str) -> None:
        self._connection = connection
        self._path = path
        self._untold: list[Change] = []
        root = columns.get(ROOT, ())
        asked = {**columns, ROOT: None if root is None else tuple(dict.fromkeys((*root, *_FOLLOWED)))}
        try:
            self._replica = Replica(self._call("get_schema", [DATABASE]), asked)
            self._feed(self._call("monitor_cond", [DATABASE, None, self._replica.requests()]))
        except ReplicaError as error:
            raise self._unreadable(error) from error
        self.tables: Mapping[str, Mapping[Uuid, Row]] = self._replica.tables

    @classmethod
    def open(cls, tables: Columns | Iterable[str] = (), path: str = "") -> Database:
        """Connect to the switch of this run directory, or to the database's socket at `path`, and read what
        is wanted: `tables` with all columns, or only the columns that a mapping names."""
        path = path or f"{rundir()}/db.sock"
        try:
            connection = Connection.open_unix(path, time.monotonic() + ANSWER_SECONDS)
        except ConnectionFailed as error:
            raise Failure(f"the database at {path} cannot be reached: {error.strerror}") from error
        except TimeoutError as error:
            raise Failure(f"the database at {path} has not answered in {ANSWER_SECONDS:g} seconds") from error
        try:
            return cls(connection, tables if isinstance(tables, Mapping) else dict.fromkeys(tables), path)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """End the session."""
        self._connection.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """For select(2): readable when there may be something for `refresh` to take in."""
        return self._connection.fileno()

    @property
    def root(self) -> Uuid:
        """The row of the table Open_vSwitch."""
        for uuid in self.tables[ROOT]:
            return uuid
        raise Failure("the database has no Open_vSwitch row yet: the switch has not started on it")

    def refresh(self) -> list[Change]:
        """Take in what has changed until now; all that has been taken in since it was last told."""
        # What the server sent before its answer has come before it.
        self._call("echo", [])
        self._take_notices()
        return self._told()

    def wait(self, deadline: float) -> list[Change]:
        """Wait for the next change and take it in; TimeoutError at `deadline`, in time.monotonic(). All that
        has been taken in since it was last told."""
        self._take_next(deadline)
        return self._told()

    def transact(self, operations: Sequence[Operation]) -> list[Any]:
        """One transaction: all of it or nothing; the results of its operations.

        Raises Conflict when a `wait` operation does not hold, Failure when the database refuses.
        """
        results = self._call("transact", [DATABASE, *operations])
        self._take_notices()
        for result in results:
            error = result.get("error") if isinstance(result, dict) else None
            if error == "timed out":
                raise Conflict("the database was changed by somebody else meanwhile")
            if error is not None:
                raise Failure(f"the database refuses: {result.get('details') or error}")
        return list(results)

    def commit(
        self, operations: Sequence[Operation], *, wait: bool = True, seconds: float = ANSWER_SECONDS
    ) -> list[Any]:
        """As `transact`, and have the switch take it up; with `wait` return when the kernel is configured
        and `tables` say what came of it: Failure when that has not happened after so many seconds."""
        told = {"op": "select", "table": ROOT, "where": [], "columns": ["next_cfg"]}
        results = self.transact([*operations, increment(self.root), told])
        if wait:
            self.settle(results[-1]["rows"][0]["next_cfg"], seconds)
        return results[: len(operations)]

    def settle(self, number: int, seconds: float = ANSWER_SECONDS) -> None:
        """Wait until the switch has taken up the configuration with that number (`next_cfg`)."""
        deadline = time.monotonic() + seconds
        while _number(self.tables[ROOT][self.root]["cur_cfg"]) < number:
            try:
                self._take_next(deadline)
            except TimeoutError as error:
                raise Failure(f"the switch has not taken up the change within {seconds:g} seconds") from error

    def _call(self, method: str, params: list[Any]) -> Any:
        try:
            return self._connection.call(method, params, time.monotonic() + ANSWER_SECONDS)
        except ConnectionFailed as error:
            raise self._lost(error) from error
        except TimeoutError as error:
            raise Failure(
                f"the database at {self._path} has not answered in {ANSWER_SECONDS:g} seconds"
            ) from error
        except RpcError as error:
            raise Failure(f"the database at {self._path} refuses: {error}") from error

    def _take_next(self, deadline: float) -> None:
        try:
            method, params = self._connection.notice(deadline)
        except ConnectionFailed as error:
            raise self._lost(error) from error
        self._noticed(method, params)
        self._take_notices()

    def _take_notices(self) -> None:
        for method, params in self._connection.pending_notices():
            self._noticed(method, params)

    def _noticed(self, method: str, params: list[Any]) -> None:
        if method in ("update", "update2") and len(params) == 2:
            self._untold += self._feed(params[1])

    def _told(self) -> list[Change]:
        told, self._untold = self._untold, []
        return told

    def _feed(self, updates: Mapping[str, Mapping[str, Any]]) -> list[Change]:
        try:
            return self._replica.feed(updates)
        except ReplicaError as error:
            raise self._unreadable(error) from error

    def _lost(self, error: ConnectionFailed) -> Failure:
        return Failure(f"the database at {self._path} went away: {error.strerror}")

    def _unreadable(self, error: ReplicaError) -> Failure:
        return Failure(f"the database at {self._path} cannot be read: {error}")


def inserted(result: Any) -> Uuid:
    """The UUID in the result of an insert."""
    return Uuid(str(decode_atom(result["uuid"])))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
