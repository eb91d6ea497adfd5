"""A replica of monitored tables, without I/O: schema and notifications in, rows out.

It understands the replies and notifications of `monitor` (RFC 7047 section 4.1.5 and 4.1.6) and of
`monitor_cond` and `monitor_cond_since` (ovsdb-server(7)), telling them apart by their own keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from jackfield.wire.notation import (
    NotationError,
    Shape,
    Uuid,
    Value,
    decode,
    default_of,
    is_composite,
    shape_of,
)

Row = Mapping[str, Value]


class Change(NamedTuple):
    """One row's change; `old` is None for a new row, `new` for one that is gone."""

    table: str
    uuid: Uuid
    old: Row | None
    new: Row | None


class ReplicaError(ValueError):
    """An update does not fit the schema or what was received before it."""


class Replica:
    """The monitored tables as they are at the server, as far as its notifications have been fed.

    `tables[table][uuid]` is the row: column name to value, every monitored column present. Rows are never
    changed in place, so a reader may keep one.
    """

    def __init__(
        self, schema: Mapping[str, Any], columns: Mapping[str, Iterable[str] | None] | None = None
    ) -> None:
        """`schema` is the result of `get_schema`; `columns` names what to follow: None means all.

        Raises ReplicaError for a table or column that the schema does not have.
        """
        wanted = dict.fromkeys(schema["tables"]) if columns is None else columns
        self._shapes: dict[str, dict[str, Shape]] = {}
        self._defaults: dict[str, dict[str, Value]] = {}
        self._whole: dict[str, set[str]] = {}
        for table, names in wanted.items():
            try:
                types = {name: c["type"] for name, c in schema["tables"][table]["columns"].items()}
                picked = types if names is None else {name: types[name] for name in names}
            except KeyError as error:
                raise ReplicaError(f"table {table}: schema has no {error.args[0]}") from error
            self._shapes[table] = {name: shape_of(kind) for name, kind in picked.items()}
            self._whole[table] = {name for name, kind in picked.items() if not is_composite(kind)}
            self._defaults[table] = {name: default_of(kind) for name, kind in picked.items()}
        self.tables: dict[str, dict[Uuid, Row]] = {table: {} for table in wanted}

    def requests(self) -> dict[str, list[dict[str, Any]]]:
        """The monitor requests to send: the third parameter of `monitor` or `monitor_cond`."""
        return {table: [{"columns": list(shapes)}] for table, shapes in self._shapes.items()}

    def clear(self) -> None:
        """Forget every row, before the reply of a new monitor is fed."""
        for rows in self.tables.values():
            rows.clear()

    def feed(self, updates: Mapping[str, Mapping[str, Any]]) -> list[Change]:
        """Apply a reply's or a notification's table updates and return what changed.

        Raises ReplicaError when they make no sense; the replica is then to be cleared and monitored anew.
        """
        try:
            return [
                self._row(table, Uuid(uuid), update)
                for table, rows in updates.items()
                for uuid, update in rows.items()
            ]
        except (KeyError, TypeError, AttributeError, NotationError) as error:
            raise ReplicaError(f"cannot follow the server's update: {error!r}") from error

    def _row(self, table: str, uuid: Uuid, update: Mapping[str, Any]) -> Change:
        rows = self.tables[table]
        old = rows.get(uuid)
        new: dict[str, Value] | None
        if "modify" in update:
            if old is None:
                raise ReplicaError(f"change to unknown row {uuid} of table {table}")
            new = self._patched(table, old, update["modify"])
        elif "delete" in update or ("old" in update and "new" not in update):
            new = None
        else:
            shapes = self._shapes[table]
            given = update.get("initial") or update.get("insert") or update.get("new") or {}
            new = dict(old if old is not None and "new" in update else self._defaults[table])
            new.update((name, decode(json, shapes[name])) for name, json in given.items())
        if new is None:
            rows.pop(uuid, None)
        else:
            rows[uuid] = new
        return Change(table, uuid, old, new)

    def _patched(self, table: str, old: Row, modify: Mapping[str, Any]) -> dict[str, Value]:
        shapes = self._shapes[table]
        new = dict(old)
        for name, json in modify.items():
            value = decode(json, shapes[name])
            new[name] = value if name in self._whole[table] else patched(old[name], value)
        return new


def patched(old: Value, difference: Value) -> Value:
    """`old` with a difference of `update2` applied: whole for atoms, by element for sets and maps."""
    if isinstance(old, frozenset) and isinstance(difference, frozenset):
        return old ^ difference
    if isinstance(old, dict) and isinstance(difference, dict):
        new = dict(old)
        for key, value in difference.items():
            if key in new and new[key] == value:
                del new[key]
            else:
                new[key] = value
        return new
    return difference
