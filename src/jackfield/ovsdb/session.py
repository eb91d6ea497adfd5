"""One client's conversation with the server, apart from how its messages travel (RFC 7047 section 4)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Sized
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jackfield.ovsdb.database import Change
from jackfield.ovsdb.errors import OvsdbError, Refused, syntax_error, to_text
from jackfield.ovsdb.members import is_id
from jackfield.ovsdb.notice import Message, Notice, Shared
from jackfield.ovsdb.operations import Execution, Parked
from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.service import Service
from jackfield.ovsdb.watches import Watches

if TYPE_CHECKING:
    from jackfield.ovsdb.server import Server


@dataclass(frozen=True, slots=True)
class _End:
    """In an inbox: the peer sends nothing more, for this reason (None: it left)."""

    why: str | None


_ON_DATABASE = frozenset(
    {"convert", "get_schema", "monitor", "monitor_cond", "monitor_cond_since", "transact"}
)


class ProtocolError(Exception):
    """The peer sent something that is not a JSON-RPC message of OVSDB; the session must end."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What the sessions of a remote may do."""

    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A `transact` request that is parked by a `wait`, since `since` and at most until `until` (seconds).

    It is `stale` when it is to be tried again as soon as the database can be used.
    """

    id: Any
    service: Service
    operations: list[Any]
    since: float
    until: float | None = None
    stale: bool = False


class Session:
    """The server's side of one connection; `send` passes a message to the peer.

    What the peer sends is taken in by `receive` and worked off by `step`, when the session has its turn.
    `own`: the peer is a part of this very process. `drained` is called when all of its messages are worked
    off, `end` with the reason (None if it left) when the session is over.
    """

    def __init__(
        self,
        server: Server,
        name: str,
        send: Callable[[Message | Notice], None],
        *,
        rights: Rights | None = None,
        expendable: bool = True,
        own: bool = False,
        drained: Callable[[], None] = lambda: None,
        end: Callable[[str | None], None] = lambda _why: None,
    ) -> None:
        self.name = name
        self.own = own
        self.rights = rights or Rights()
        self.waiting: dict[str, Waiting] = {}
        self.inbox: deque[Any] = deque()
        self.change_aware = False
        self._server = server
        self._send = send
        self._expendable = expendable
        self._drained = drained
        self._end = end
        self._unanswered = 0
        self._watches = Watches(send)
        self._methods: dict[str, Callable[[str, list[Any]], Any]] = {
            "convert": self._convert,
            "echo": lambda _method, params: params,
            "get_schema": self._get_schema,
            "get_server_id": lambda _method, _params: server.uuid,
            "list_dbs": lambda _method, _params: list(server.services),
            "lock": self._lock,
            "monitor": self._monitor,
            "monitor_cancel": lambda _method, params: self._watches.cancel(params),
            "monitor_cond": self._monitor,
            "monitor_cond_change": lambda _method, params: self._watches.change(params),
            "monitor_cond_since": self._monitor,
            "set_db_change_aware": self._set_db_change_aware,
            "steal": self._lock,
            "unlock": self._unlock,
        }

    @property
    def idle(self) -> bool:
        """Whether the peer may be spared: it has no monitor, no lock and no request here."""
        busy = len(self._watches) or self.waiting or self.inbox or self._unanswered
        return self._expendable and not (busy or self._server.locks.asked_by(self))

    @property
    def monitors(self) -> int:
        """How many monitors there are."""
        return len(self._watches)

    def receive(self, message: Any) -> None:
        """Take in one message of the peer."""
        self.inbox.append(message)
        self._server.wake(self)

    def finish(self, why: str | None) -> None:
        """Take in that nothing more will come; the session ends when all that came is worked off."""
        self.receive(_End(why))

    def step(self) -> bool:
        """Act on one message; whether there is another one to act on. Raises ProtocolError."""
        if not self.inbox:
            return False
        message = self.inbox[0]
        if self._must_wait(message):
            return False
        self.inbox.popleft()
        if isinstance(message, _End):
            self._end(message.why)
            return False
        self._act(message)
        if self.inbox:
            return True
        self._drained()
        return False

    def _must_wait(self, message: Any) -> bool:
        """Whether a request has to wait until its database is on disk, or the end until all is answered."""
        if isinstance(message, _End):
            return self._unanswered > 0
        if not isinstance(message, dict):
            return False
        method, params = message.get("method"), message.get("params")
        if not isinstance(params, list) or not params or not isinstance(method, str):
            return False
        if method == "monitor_cond_change":
            service = self._watches.service_of(params[0])
            return service is not None and service.closed_to(method)
        service = self._server.services.get(params[0]) if isinstance(params[0], str) else None
        return service is not None and method in _ON_DATABASE and service.closed_to(method)

    def _act(self, message: Any) -> None:
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
                self._cancel(waiting)

    def _cancel(self, waiting: Waiting) -> None:
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

    def _check_room(self, what: str, those: Sized) -> None:
        if len(those) >= self._server.limits.things:
            raise OvsdbError("resources exhausted", f"this session has {len(those)} {what} already")

    def notify(self, method: str, *params: Any) -> None:
        """Send a notification."""
        self._send({"id": None, "method": method, "params": list(params)})

    def _service(self, method: str, params: list[Any]) -> Service:
        if not params or not isinstance(params[0], str):
            raise syntax_error(params, f"{method} request params must begin with <db-name>")
        service = self._server.services.get(params[0])
        if service is None:
            text = f"{method} request specifies unknown database {params[0]}"
            raise syntax_error(params, text, "unknown database")
        return service

    def _get_schema(self, method: str, params: list[Any]) -> Any:
        return self._service(method, params).database.schema.to_json()

    # Databases that come, go and change (ovsdb-server(7)).

    def _set_db_change_aware(self, method: str, params: list[Any]) -> Any:
        if len(params) != 1 or not isinstance(params[0], bool):
            raise syntax_error(params, f"{method}: true or false parameter expected")
        self.change_aware = params[0]
        return {}

    def _convert(self, method: str, params: list[Any]) -> Any:
        service = self._service(method, params)
        if self.rights.read_only or service.database.read_only:
            raise OvsdbError(
                "not allowed", f"conversion is not allowed for read-only database {service.name}"
            )
        if len(params) != 2:
            raise syntax_error(params, "array expected")
        schema = parse_schema(params[1])
        if schema.name != service.name:
            raise OvsdbError(
                "invalid parameters",
                f"new schema name ({schema.name}) does not match database name ({service.name})",
            )
        self._server.convert(service, schema)
        return {}

    def forget(self, service: Service) -> None:
        """Give up monitors of and parked transactions on a database that goes or is replaced."""
        for key, waiting in list(self.waiting.items()):
            if waiting.service is service:
                del self.waiting[key]
                self._cancel(waiting)
        for id_ in self._watches.forget(service):
            if self.change_aware:
                self.notify("monitor_canceled", id_)

    # Monitors.

    def _monitor(self, method: str, params: list[Any]) -> Any:
        service = self._service(method, params)
        self._check_room("monitors", self._watches)
        return self._watches.add(service, method, params)

    def deliver(self, service: Service, transaction: str, changes: list[Change], shared: Shared) -> None:
        """Tell the peer what it monitors of a transaction's changes; `shared` is what others were told."""
        self._watches.deliver(service, transaction, changes, shared)

    # Transactions.

    def _transact(self, params: list[Any], id_: Any) -> None:
        service = self._service("transact", params)
        if self.waiting and to_text(id_) in self.waiting:
            raise syntax_error(params, "transact: duplicate request ID")
        self._check_room("waiting transactions", self.waiting)
        now = self._server.now()
        if not self._try(Waiting(id_, service, params[1:], now), now):
            self._server.schedule()

    def retry(self, now: float, changed: Container[Service]) -> None:
        """Try the parked transactions again whose database has changed, or whose time is over."""
        for key, waiting in list(self.waiting.items()):
            over = waiting.until is not None and waiting.until <= now
            if not (over or waiting.stale or waiting.service in changed):
                continue
            if waiting.service.closed_to("transact"):
                self.waiting[key] = replace(waiting, stale=True)
            else:
                del self.waiting[key]
                self._try(waiting, now)

    def _try(self, waiting: Waiting, now: float) -> bool:
        """Run a transaction; False if it is parked now."""
        waited_ms = int((now - waiting.since) * 1000)
        service = waiting.service
        execution = Execution(service.database, self._owns, waited_ms, read_only=self.rights.read_only)

        def reply(results: list[Any]) -> None:
            self._unanswered -= 1
            self._send({"id": waiting.id, "result": results, "error": None})

        self._unanswered += 1
        try:
            service.run(execution, waiting.operations, self, reply)
        except Parked as parked:
            self._unanswered -= 1
            until = None if parked.timeout_ms is None else waiting.since + parked.timeout_ms / 1000
            self.waiting[to_text(waiting.id)] = replace(waiting, until=until, stale=False)
            return False
        return True

    def _owns(self, lock: str) -> bool:
        return self._server.locks.owns(self, lock)

    # Locks.

    def _lock_name(self, method: str, params: list[Any]) -> str:
        if self.rights.read_only:
            raise Refused("lock and unlock methods not allowed, DB server is read only.")
        if len(params) != 1 or not is_id(params[0]):
            raise syntax_error(params, f"{method} request params must be <id>")
        return str(params[0])

    def _lock(self, method: str, params: list[Any]) -> Any:
        name = self._lock_name(method, params)
        locks = self._server.locks
        if locks.asked(self, name):
            raise syntax_error(params, f'must issue "unlock" before new "{method}"')
        self._check_room("locks", locks.asked_by(self))
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

    def lock_names(self) -> dict[str, list[str]]:
        """The locks that the session has asked for, by how it stands with them, in the words of OVS."""
        return self._server.locks.names(self)

    def close(self) -> None:
        """Give up locks, monitors and parked transactions; nothing is sent from now on."""
        self.inbox.clear()
        self._watches.clear()
        self.waiting.clear()
        for name, owner in self._server.locks.release_all(self):
            owner.notify("locked", name)


def _unknown(_method: str, _params: list[Any]) -> Any:
    raise Refused("unknown method")
