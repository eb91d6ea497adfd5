"""The monitors of one session, under the ids that the peer gave them (RFC 7047 section 4.1.5 to 4.1.7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from jackfield.ovsdb.atoms import is_uuid
from jackfield.ovsdb.database import Change
from jackfield.ovsdb.errors import Refused, syntax_error, to_text
from jackfield.ovsdb.monitor import Monitor, parse_monitor
from jackfield.ovsdb.notice import News, Notice, Shared
from jackfield.ovsdb.service import Service

_VERSIONS = {"monitor": 1, "monitor_cond": 2, "monitor_cond_since": 3}
_NOTIFICATIONS = {1: "update", 2: "update2", 3: "update3"}


@dataclass(frozen=True, slots=True)
class _Watch:
    id: Any
    service: Service
    monitor: Monitor

    def notice(self, news: News, transaction: str) -> Notice:
        """How the peer is told of that."""
        version = self.monitor.version
        about = [self.id, transaction] if version == 3 else [self.id]
        return Notice(_NOTIFICATIONS[version], about, news)


class Watches:
    """The monitors; `send` passes a notification to the peer, which may end the session."""

    def __init__(self, send: Callable[[Notice], None]) -> None:
        self._send = send
        self._watches: dict[str, _Watch] = {}

    def __len__(self) -> int:
        return len(self._watches)

    def service_of(self, id_: Any) -> Service | None:
        """What the monitor of that id looks at, None if there is no such monitor."""
        watch = self._watches.get(to_text(id_))
        return None if watch is None else watch.service

    def add(self, service: Service, method: str, params: list[Any]) -> Any:
        """`monitor`, `monitor_cond` and `monitor_cond_since`; the result. Raises OvsdbError."""
        version = _VERSIONS[method]
        if len(params) != (4 if version == 3 else 3):
            raise syntax_error(params, "invalid parameters")
        key = to_text(params[1])
        if key in self._watches:
            raise syntax_error(params[1], "duplicate monitor ID")
        if version == 3 and not is_uuid(params[3]):
            raise syntax_error(params[3], "last-txn-id must be UUID format.")
        monitor = parse_monitor(service.database, version, params[2])
        self._watches[key] = _Watch(params[1], service, monitor)
        if version < 3:
            return monitor.initial()
        missed = service.history.since(params[3].lower())
        if missed is None:
            return [False, service.history.last, monitor.initial()]
        return [True, service.history.last, monitor.updates(missed)]

    def change(self, params: list[Any]) -> Any:
        """`monitor_cond_change`; the peer is told of rows that come and go. Raises OvsdbError."""
        if len(params) != 3:
            raise syntax_error(params, "invalid parameters")
        old, new = to_text(params[0]), to_text(params[1])
        if old not in self._watches:
            raise syntax_error(params[0], "unknown monitor session")
        if new != old and new in self._watches:
            raise syntax_error(params[1], "duplicate monitor ID")
        watch = self._watches[old]
        news = News(watch.monitor.change(params[2]))
        del self._watches[old]
        watch = self._watches[new] = replace(watch, id=params[1])
        if news.updates:
            self._send(watch.notice(news, watch.service.history.last))
        return {}

    def cancel(self, params: list[Any]) -> Any:
        """`monitor_cancel`. Raises Refused."""
        if len(params) != 1:
            raise Refused("invalid parameters")
        if self._watches.pop(to_text(params[0]), None) is None:
            raise Refused("unknown monitor")
        return {}

    def deliver(self, service: Service, transaction: str, changes: list[Change], shared: Shared) -> None:
        """Tell the peer what it monitors of a transaction's changes; `shared` is what others were told."""
        for text, watch in list(self._watches.items()):
            if watch.service is not service:
                continue
            key = watch.monitor.key
            news = shared.get(key)
            if news is None:
                news = shared[key] = News(watch.monitor.updates(changes))
            if news.updates:
                notice = news.notices.get(text)
                if notice is None:
                    notice = news.notices[text] = watch.notice(news, transaction)
                self._send(notice)

    def forget(self, service: Service) -> list[Any]:
        """Give up the monitors of a database; returns their ids."""
        gone = [key for key, watch in self._watches.items() if watch.service is service]
        return [self._watches.pop(key).id for key in gone]

    def clear(self) -> None:
        """Give up all monitors."""
        self._watches.clear()
