"""The session of `vsctl` with the database: fetch a snapshot, commit, and see that the switch followed."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from jackfield.cli.vsctl.errors import ControlError
from jackfield.cli.vsctl.remotes import Dialer
from jackfield.cli.vsctl.schema import Schema
from jackfield.cli.vsctl.tables import dump
from jackfield.wire.blocking import Connection, ConnectionFailed, RpcError
from jackfield.wire.notation import Uuid
from jackfield.wire.replica import Replica, ReplicaError

DATABASE = "Open_vSwitch"
_FIRST_BACKOFF, _MAX_BACKOFF = 1.0, 8.0


class Outcome(Enum):
    """What became of a transaction."""

    DONE = "done"
    TRY_AGAIN = "try again"


class Commit(NamedTuple):
    """A transaction's outcome and, when it is done, the result of each of its operations."""

    outcome: Outcome
    results: list[Any]

    def inserted(self, index: int) -> Uuid:
        """The UUID that the insert with that index got."""
        return Uuid(self.results[index]["uuid"][1])


class Session:
    """A connection to the database, which messages call `remote`, with a replica of what is needed.

    `updates` counts how often the replica has changed.

    Raises ControlError when the database cannot be reached, or goes away.
    """

    def __init__(self, remote: str, dialer: Dialer, retry: bool) -> None:
        self._remote = remote
        self._dialer = dialer
        self._connection = self._connect(retry)
        try:
            self.schema = Schema(self._connection.call("get_schema", [DATABASE]))
        except (ConnectionFailed, RpcError) as error:
            self._connection.close()
            raise self._lost(error) from error
        self.replica: Replica
        self.updates = 0

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def monitor(self, columns: dict[str, set[str]]) -> None:
        """Fetch and follow these columns of these tables."""
        self.replica = Replica(self.schema.json, {table: sorted(names) for table, names in columns.items()})
        try:
            self._subscribe()
        except (ConnectionFailed, RpcError, ReplicaError) as error:
            raise self._lost(error) from error

    def follow(self) -> None:
        """Wait for the next change."""
        try:
            self._feed([self._connection.notice()])
        except (ConnectionFailed, ReplicaError) as error:
            raise self._lost(error) from error

    def follow_through(self) -> None:
        """Wait for the next change; if the connection is lost, make a new one, for as long as it takes."""
        try:
            self._feed([self._connection.notice()])
        except (ConnectionFailed, ReplicaError):
            self._connection.close()
            self._resume()

    def commit(self, operations: list[dict[str, Any]], warn: Callable[[str], None]) -> Commit:
        """Send a transaction and take in what it changed; ControlError with the database's own error."""
        try:
            results = self._connection.call("transact", [DATABASE, *operations])
            self._feed(self._connection.pending_notices())
        except RpcError as error:
            if error.error == "canceled":
                return Commit(Outcome.TRY_AGAIN, [])
            raise ControlError(f"transaction error: {dump(error.error)}") from error
        except (ConnectionFailed, ReplicaError) as error:
            raise self._lost(error) from error
        return _judged(results, warn)

    def _connect(self, retry: bool) -> Connection:
        backoff = _FIRST_BACKOFF
        while True:
            try:
                return self._dialer.connect()
            except ConnectionFailed as error:
                if not retry:
                    raise self._lost(error) from error
            time.sleep(backoff)
            backoff = min(2 * backoff, _MAX_BACKOFF)

    def _resume(self) -> None:
        while True:
            self._connection = self._connect(retry=True)
            try:
                self._subscribe()
                return
            except (ConnectionFailed, RpcError, ReplicaError):
                self._connection.close()
                time.sleep(_FIRST_BACKOFF)

    def _subscribe(self) -> None:
        self.replica.clear()
        rows = self._connection.call("monitor_cond", [DATABASE, None, self.replica.requests()])
        self.replica.feed(rows)
        self._feed(self._connection.pending_notices())

    def _feed(self, notices: list[tuple[str, list[Any]]]) -> None:
        for method, params in notices:
            if method in ("update", "update2") and len(params) == 2:
                self.replica.feed(params[1])
                self.updates += 1

    def _lost(self, error: Exception) -> ControlError:
        reason = error.strerror if isinstance(error, ConnectionFailed) else str(error)
        return ControlError(f"{self._remote}: database connection failed ({reason})")


def _judged(results: Any, warn: Callable[[str], None]) -> Commit:
    """The outcome that the results of a transaction's operations amount to."""
    soft = False
    hard: str | None = None
    for result in results if isinstance(results, list) else []:
        error = result.get("error") if isinstance(result, dict) else None
        if result is None or error in ("timed out", "unknown database"):
            soft = True
        elif error is not None and error != "aborted":
            hard = dump(result)
            warn(f"transaction error: {hard}")
    if hard is not None:
        raise ControlError(f"transaction error: {hard}")
    return Commit(Outcome.TRY_AGAIN if soft else Outcome.DONE, results)
