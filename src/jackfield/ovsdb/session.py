"""One client's conversation with the server, apart from how its messages travel (RFC 7047 section 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jackfield.ovsdb.atoms import ZERO_UUID, is_uuid
from jackfield.ovsdb.database import Change, Database
from jackfield.ovsdb.errors import OvsdbError, syntax_error, to_text
from jackfield.ovsdb.members import is_id
from jackfield.ovsdb.monitor import Monitor, Updates, parse_monitor
from jackfield.ovsdb.operations import Execution, Parked

if TYPE_CHECKING:
    from jackfield.ovsdb.server import Server

Message = dict[str, Any]

_VERSIONS = {"monitor": 1, "monitor_cond": 2, "monitor_cond_since": 3}
_NOTIFICATIONS = {1: "update", 2: "update2", 3: "update3"}


class ProtocolError(Exception):
    """The peer sent something that is not a JSON-RPC message of OVSDB; the session must end."""


class Refused(Exception):
    """A request fails with a plain text as its error, as RFC 7047 has it for a few."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A `transact` request that is parked by a `wait`, since `since` and at most until `until` (seconds)."""

    id: Any
    database: Database
    operations: list[Any]
    since: float
    until: float | None


class Session:
    """The server's side of one connection; `send` passes a message to the peer."""

    def __init__(self, server: Server, name: str, send: Callable[[Message], None]) -> None:
        self.name = name
        self.waiting: dict[str, Waiting] = {}
        self._server = server
        self._send = send
        self._monitors: dict[str, tuple[Any, Monitor]] = {}
        self._methods: dict[str, Callable[[str, list[Any]], Any]] = {
            "echo": lambda _method, params: params,
            "get_schema": self._get_schema,
            "get_server_id": lambda _method, _params: server.uuid,
            "list_dbs": lambda _method, _params: list(server.databases),
            "lock": self._lock,
            "monitor": self._monitor,
            "monitor_cancel": self._monitor_cancel,
            "monitor_cond": self._monitor,
            "monitor_cond_change": self._monitor_cond_change,
            "monitor_cond_since": self._monitor,
            "set_db_change_aware": self._set_db_change_aware,
            "steal": self._lock,
            "unlock": self._unlock,
        }

    def receive(self, message: Any) -> None:
        """Act on one message of the peer. Raises ProtocolError."""
        match message:
            case {"method": str(method), "params": list(params), "id": id_} if len(message) == 3:
                if id_ is None:
                    self._notified(method, params)
                else:
                    self._requested(method, params, id_)
            case {"result": _, "error": _, "id": _} if len(message) == 3:
                pass
            case _:
                raise ProtocolError("a message that is neither request, notification nor reply")

    def _notified(self, method: str, params: list[Any]) -> None:
        if method == "cancel" and len(params) == 1:
            waiting = self.waiting.pop(to_text(params[0]), None)
            if waiting is not None:
                self._send({"id": waiting.id, "result": None, "error": "canceled"})

    def _requested(self, method: str, params: list[Any], id_: Any) -> None:
        try:
            if method == "transact":
                self._transact(params, id_)
                return
            result = self._methods.get(method, _unknown)(method, params)
        except OvsdbError as error:
            self._send({"id": id_, "result": None, "error": error.to_json()})
        except Refused as refusal:
            self._send({"id": id_, "result": None, "error": str(refusal)})
        else:
            self._send({"id": id_, "result": result, "error": None})

    def notify(self, method: str, *params: Any) -> None:
        """Send a notification."""
        self._send({"id": None, "method": method, "params": list(params)})

    def _database(self, method: str, params: list[Any]) -> Database:
        if not params or not isinstance(params[0], str):
            raise syntax_error(params, f"{method} request params must begin with <db-name>")
        database = self._server.databases.get(params[0])
        if database is None:
            text = f"{method} request specifies unknown database {params[0]}"
            raise syntax_error(params, text, "unknown database")
        return database

    def _get_schema(self, method: str, params: list[Any]) -> Any:
        return self._database(method, params).schema.to_json()

    def _set_db_change_aware(self, method: str, params: list[Any]) -> Any:
        if len(params) != 1 or not isinstance(params[0], bool):
            raise syntax_error(params, f"{method}: true or false parameter expected")
        # The databases that are served never change, so there is nothing to be aware of.
        return {}

    # Transactions.

    def _transact(self, params: list[Any], id_: Any) -> None:
        database = self._database("transact", params)
        key = to_text(id_)
        if key in self.waiting:
            raise syntax_error(params, "transact: duplicate request ID")
        now = self._server.now()
        if not self._try(Waiting(id_, database, params[1:], now, None), now):
            self._server.schedule()

    def retry(self, now: float) -> None:
        """Try the parked transactions again, as something has changed or a timeout is over."""
        for key, waiting in list(self.waiting.items()):
            if self.waiting.get(key) is waiting:
                del self.waiting[key]
                self._try(waiting, now)

    def _try(self, waiting: Waiting, now: float) -> bool:
        """Run a transaction; False if it is parked now."""
        waited_ms = int((now - waiting.since) * 1000)
        execution = Execution(waiting.database, self._owns, waited_ms)
        try:
            results, changes = execution.run(waiting.operations, self._server.writer(waiting.database))
        except Parked as parked:
            until = None if parked.timeout_ms is None else waiting.since + parked.timeout_ms / 1000
            self.waiting[to_text(waiting.id)] = Waiting(
                waiting.id, waiting.database, waiting.operations, waiting.since, until
            )
            return False
        # A client learns of a transaction's changes before it learns that the transaction is done.
        self._server.publish(waiting.database, changes)
        self._send({"id": waiting.id, "result": results, "error": None})
        return True

    def _owns(self, lock: str) -> bool:
        return self._server.locks.owns(self, lock)

    # Monitors.

    def _monitor(self, method: str, params: list[Any]) -> Any:
        database = self._database(method, params)
        version = _VERSIONS[method]
        if len(params) != (4 if version == 3 else 3):
            raise syntax_error(params, "invalid parameters")
        key = to_text(params[1])
        if key in self._monitors:
            raise syntax_error(params[1], "duplicate monitor ID")
        if version == 3 and not is_uuid(params[3]):
            raise syntax_error(params[3], "last-txn-id must be UUID format.")
        monitor = parse_monitor(database, version, params[2])
        self._monitors[key] = (params[1], monitor)
        initial = monitor.initial()
        return [False, ZERO_UUID, initial] if version == 3 else initial

    def _monitor_cond_change(self, _method: str, params: list[Any]) -> Any:
        if len(params) != 3:
            raise syntax_error(params, "invalid parameters")
        old, new = to_text(params[0]), to_text(params[1])
        if old not in self._monitors:
            raise syntax_error(params[0], "unknown monitor session")
        if new != old and new in self._monitors:
            raise syntax_error(params[1], "duplicate monitor ID")
        monitor = self._monitors[old][1]
        updates = monitor.change(params[2])
        del self._monitors[old]
        self._monitors[new] = (params[1], monitor)
        self._tell(params[1], monitor, updates)
        return {}

    def _monitor_cancel(self, _method: str, params: list[Any]) -> Any:
        if len(params) != 1:
            raise Refused("invalid parameters")
        if self._monitors.pop(to_text(params[0]), None) is None:
            raise Refused("unknown monitor")
        return {}

    def deliver(self, database: Database, changes: list[Change]) -> None:
        """Tell the peer what it monitors of a transaction's changes."""
        for id_, monitor in self._monitors.values():
            if monitor.database is database:
                self._tell(id_, monitor, monitor.updates(changes))

    def _tell(self, id_: Any, monitor: Monitor, updates: Updates) -> None:
        if updates:
            extra = [ZERO_UUID] if monitor.version == 3 else []
            self.notify(_NOTIFICATIONS[monitor.version], id_, *extra, updates)

    # Locks.

    def _lock_name(self, method: str, params: list[Any]) -> str:
        if len(params) != 1 or not is_id(params[0]):
            raise syntax_error(params, f"{method} request params must be <id>")
        return str(params[0])

    def _lock(self, method: str, params: list[Any]) -> Any:
        name = self._lock_name(method, params)
        locks = self._server.locks
        if locks.asked(self, name):
            raise syntax_error(params, f'must issue "unlock" before new "{method}"')
        if method == "lock":
            return {"locked": locks.lock(self, name)}
        victim = locks.steal(self, name)
        if victim is not None:
            victim.notify("stolen", name)
        return {"locked": True}

    def _unlock(self, method: str, params: list[Any]) -> Any:
        name = self._lock_name(method, params)
        if not self._server.locks.asked(self, name):
            raise syntax_error(params, f'{method}: "unlock" without "lock" or "steal"')
        owner = self._server.locks.unlock(self, name)
        if owner is not None:
            owner.notify("locked", name)
        return {}

    def close(self) -> None:
        """Give up locks, monitors and parked transactions; nothing is sent from now on."""
        self._monitors.clear()
        self.waiting.clear()
        for name, owner in self._server.locks.release_all(self):
            owner.notify("locked", name)


def _unknown(_method: str, _params: list[Any]) -> Any:
    raise Refused("unknown method")
