"""Monitors: what a client is told of changes.

Version 1 is `monitor` (RFC 7047 section 4.1.5), 2 is `monitor_cond` and 3 `monitor_cond_since`, both of
ovsdb-server(7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from jackfield.ovsdb.condition import Condition, matches_any, parse_condition
from jackfield.ovsdb.database import Change, Database, Fields, Table
from jackfield.ovsdb.errors import OvsdbError, syntax_error
from jackfield.ovsdb.members import Members, is_array, is_boolean, is_object
from jackfield.ovsdb.schema import UUID, Column
from jackfield.wire.stream import encode

Updates = dict[str, dict[str, Any]]
RowUpdate = dict[str, Any]

INITIAL, INSERT, DELETE, MODIFY = "initial", "insert", "delete", "modify"
_KINDS = (INITIAL, INSERT, DELETE, MODIFY)


@dataclass(slots=True)
class Watched:
    """What a monitor wants of one table: columns by kind of change, and which rows."""

    table: Table
    columns: dict[str, list[Column]] = field(default_factory=lambda: {kind: [] for kind in _KINDS})
    kinds: set[str] = field(default_factory=set)
    where: Condition = ()
    everywhere: bool = False

    def kind_of(self, old: Fields | None, new: Fields | None) -> str | None:
        """What a change is for this client, who sees the rows that fit `where` only."""
        was = old is not None and matches_any(self.where, old)
        now = new is not None and matches_any(self.where, new)
        if was:
            return MODIFY if now else DELETE
        return INSERT if now else None


class Monitor:
    """One monitor of one session; `updates` returns a `<table-updates>` or `<table-updates2>`.

    Monitors of one database that have the same `key` always show the same.
    """

    def __init__(self, database: Database, version: int, watched: dict[str, Watched], key: bytes) -> None:
        self.database = database
        self.version = version
        self.key = key
        self._watched = watched

    def initial(self) -> Updates:
        """The rows there are, for the reply."""
        updates: Updates = {}
        for name, watched in self._watched.items():
            if INITIAL not in watched.kinds:
                continue
            rows = {
                uuid: self._row(watched, INITIAL, None, fields)
                for uuid, fields in watched.table.rows.items()
                if matches_any(watched.where, fields)
            }
            if rows:
                updates[name] = rows
        return updates

    def updates(self, changes: Iterable[Change]) -> Updates:
        """What to tell of a transaction's changes; empty if nothing."""
        updates: Updates = {}
        for table, uuid, old, new in changes:
            watched = self._watched.get(table.schema.name)
            if watched is None:
                continue
            kind = watched.kind_of(old, new)
            if kind is None or kind not in watched.kinds:
                continue
            row = self._row(watched, kind, old, new)
            if row is not None:
                updates.setdefault(table.schema.name, {})[uuid] = row
        return updates

    def change(self, requests: Any) -> Updates:
        """Take new conditions (`monitor_cond_change`); returns the rows that come and go by it."""
        if not isinstance(requests, dict):
            raise OvsdbError("syntax error", "monitor-cond-change-requests must be object")
        conditions = {name: self._new_condition(name, request) for name, request in requests.items()}
        self.key = _digest([self.key.hex(), requests])
        updates: Updates = {}
        for name, condition in conditions.items():
            watched = self._watched[name]
            old_condition, watched.where = watched.where, condition
            for uuid, fields in watched.table.rows.items():
                was, now = matches_any(old_condition, fields), matches_any(condition, fields)
                kind = INSERT if now else DELETE
                if was != now and kind in watched.kinds:
                    updates.setdefault(name, {})[uuid] = self._row(watched, kind, fields, fields)
        return updates

    def _new_condition(self, name: str, requests: Any) -> Condition:
        if name not in self.database.tables:
            raise OvsdbError("syntax error", f"no table named {name}")
        watched = self._watched.get(name)
        if watched is None:
            raise OvsdbError("syntax error", f"no table named {name} in monitor session")
        if not isinstance(requests, list):
            raise OvsdbError("syntax error", f"table {name} no monitor-cond-change JSON array")
        condition = watched.where
        for request in requests:
            members = Members(request, f"table {name}")
            where = members.get("where", is_array, default=[])
            columns = members.get("columns", is_array)
            members.end()
            if columns is not None:
                raise syntax_error(request, "changing columns is unsupported")
            if self.version > 1:
                condition = parse_condition(watched.table.schema, where)
        return condition

    def _row(
        self, watched: Watched, kind: str, old: Fields | None, new: Fields | None
    ) -> dict[str, Any] | None:
        columns = watched.columns[kind]
        if self.version == 1:
            return _row_update(columns, kind, old, new)
        return _row_update2(columns, kind, old, new)


def _row_update(
    columns: list[Column], kind: str, old: Fields | None, new: Fields | None
) -> dict[str, Any] | None:
    update: dict[str, Any] = {}
    if old is not None and kind == DELETE:
        update["old"] = {c.name: c.type.to_json(old[c.index]) for c in columns}
    elif old is not None and new is not None and kind == MODIFY:
        changed = [c for c in columns if old[c.index] != new[c.index]]
        if not changed:
            return None
        update["old"] = {c.name: c.type.to_json(old[c.index]) for c in changed}
    if new is not None and kind != DELETE:
        update["new"] = {c.name: c.type.to_json(new[c.index]) for c in columns}
    return update


def _row_update2(
    columns: list[Column], kind: str, old: Fields | None, new: Fields | None
) -> dict[str, Any] | None:
    if new is None or kind == DELETE:
        return {"delete": None}
    row: dict[str, Any] = {}
    if kind == MODIFY and old is not None:
        for column in columns:
            before, after = old[column.index], new[column.index]
            if before is not after and before != after:
                row[column.name] = column.type.to_json(column.type.difference(before, after))
        return {kind: row} if row else None
    for column in columns:
        datum = new[column.index]
        if datum is not column.default and datum != column.default:
            row[column.name] = column.type.to_json(datum)
    return {kind: row}


def parse_monitor(database: Database, version: int, requests: Any) -> Monitor:
    """The monitor that `<monitor-requests>` or `<monitor-cond-requests>` ask for. Raises OvsdbError."""
    if not isinstance(requests, dict):
        raise syntax_error(requests, "monitor-requests must be object")
    watched: dict[str, Watched] = {}
    for name, wishes in requests.items():
        table = database.tables.get(name)
        if table is None:
            raise OvsdbError("syntax error", f"no table named {name}")
        watched[name] = Watched(table)
        for wish in wishes if isinstance(wishes, list) else [wishes]:
            _add_request(watched[name], wish, version)
    return Monitor(database, version, watched, _digest([version, requests]))


def _digest(json: Any) -> bytes:
    return sha256(encode(json)).digest()


def _add_request(watched: Watched, json: Any, version: int) -> None:
    schema = watched.table.schema
    members = Members(json, f"table {schema.name}")
    where = members.get("where", is_array) if version > 1 else None
    names = members.get("columns", is_array)
    select = members.get("select", is_object, default={})
    members.end()
    chosen = Members(select, f"table {schema.name} select")
    kinds = [kind for kind in _KINDS if chosen.get(kind, is_boolean, default=True)]
    chosen.end()
    for column in _columns(watched.table, names):
        if any(column in columns for columns in watched.columns.values()):
            raise syntax_error(names, f"column {column.name} mentioned more than once")
        for kind in kinds:
            watched.columns[kind].append(column)
    watched.kinds.update(kinds)
    # A monitor shows a row that any clause of any request wants; a request without clauses wants every row.
    watched.everywhere = watched.everywhere or not where
    more = parse_condition(schema, where or [])
    watched.where = () if watched.everywhere else watched.where + more


def _columns(table: Table, names: list[Any] | None) -> list[Column]:
    if names is None:
        return [column for column in table.schema.by_index if column.index != UUID]
    columns: list[Column] = []
    for name in names:
        if not isinstance(name, str):
            raise syntax_error(names, "array of column names expected")
        column = table.schema.columns.get(name)
        if column is None:
            raise syntax_error(names, f"{name} is not a valid column name")
        if column in columns:
            raise syntax_error(names, f"column {name} mentioned more than once")
        columns.append(column)
    return columns
