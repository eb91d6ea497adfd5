"""A transaction over a snapshot: reads see its own writes, and what was read is verified at commit.

Pure: the result is a list of operations of RFC 7047 section 5.2. A column that a command's answer depends on
is compared by a `wait` operation, so that a change by somebody else makes the whole transaction fail softly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jackfield.cli.vsctl.schema import Schema
from jackfield.cli.vsctl.symbols import new_uuid
from jackfield.wire.notation import Atom, NamedUuid, Uuid, Value, encode

Tables = Mapping[str, Mapping[Uuid, Mapping[str, Value]]]


class Record:
    """A row as this transaction sees it."""

    __slots__ = ("before", "inserted", "is_deleted", "removed", "table", "uuid", "verified", "written")

    def __init__(self, table: str, uuid: Uuid, before: Mapping[str, Value] | None) -> None:
        self.table = table
        self.uuid = uuid
        self.before = before
        self.is_deleted = False
        self.verified: set[str] = set()
        self.written: dict[str, Value] = {}
        self.inserted: dict[str, dict[Atom, Atom] | frozenset[Atom]] = {}
        self.removed: dict[str, frozenset[Atom]] = {}

    @property
    def is_new(self) -> bool:
        """Whether this transaction inserts the row."""
        return self.before is None


class Transaction:
    """The changes that one command line makes to a snapshot of the monitored tables."""

    def __init__(self, schema: Schema, tables: Tables) -> None:
        self._schema = schema
        self._tables = tables
        self._records: dict[str, dict[Uuid, Record]] = {}
        self._touched: dict[Record, None] = {}
        self._indexes: dict[tuple[str, str], dict[Value, list[Record]]] = {}

    def records(self, table: str) -> Iterator[Record]:
        """The rows of a table that are there now, the new ones included."""
        for uuid in self._tables.get(table, {}):
            record = self.record(table, uuid)
            if record is not None:
                yield record
        own = list(self._records.get(table, {}).values())
        yield from (record for record in own if record.is_new and not record.is_deleted)

    def record(self, table: str, uuid: Uuid) -> Record | None:
        """The row of that UUID, or None."""
        known = self._records.setdefault(table, {})
        record = known.get(uuid)
        if record is None:
            row = self._tables.get(table, {}).get(uuid)
            if row is None:
                return None
            record = known[uuid] = Record(table, uuid, row)
        return None if record.is_deleted else record

    def named(self, table: str, column: str, value: Value) -> list[Record]:
        """The rows whose column, which holds an atom or nothing, has that value."""
        index = self._indexes.get((table, column))
        if index is None:
            index = self._indexes[table, column] = {}
            for record in self.records(table):
                index.setdefault(self.read(record, column), []).append(record)
        return [record for record in index.get(value, ()) if not record.is_deleted]

    def read(self, record: Record, column: str) -> Value:
        """The column's value; KeyError when it is not monitored."""
        if column in record.written:
            return record.written[column]
        if record.before is None:
            return self._schema.table(record.table).columns[column].type.default
        return record.before[column]

    def verify(self, record: Record, column: str) -> None:
        """Let the commit fail softly if somebody else changes the column meanwhile."""
        if record.is_new or column in record.written:
            return
        self._touch(record)
        record.verified.add(column)

    def write(self, record: Record, column: str, value: Value) -> None:
        """Set the column."""
        self._touch(record)
        index = self._indexes.get((record.table, column))
        if index is not None:
            index[self.read(record, column)].remove(record)
            index.setdefault(value, []).append(record)
        record.written[column] = value

    def insert_elements(self, record: Record, column: str, elements: Iterable[Atom]) -> None:
        """Let the commit put elements into a set, whatever it holds by then; reads do not see them."""
        self._touch(record)
        inserted = record.inserted.get(column, frozenset())
        assert isinstance(inserted, frozenset)
        record.inserted[column] = inserted.union(elements)

    def insert_pairs(self, record: Record, column: str, pairs: Mapping[Atom, Atom]) -> None:
        """Let the commit put pairs into a map, in place of those with their keys; reads do not see them."""
        self._touch(record)
        inserted = record.inserted.get(column, {})
        assert isinstance(inserted, dict)
        record.inserted[column] = {**inserted, **pairs}
        record.removed[column] = record.removed.get(column, frozenset()).difference(pairs)

    def remove_key(self, record: Record, column: str, key: Atom) -> None:
        """Let the commit take a key out of a map; reads still see it."""
        self._touch(record)
        inserted = record.inserted.get(column)
        if isinstance(inserted, dict):
            inserted.pop(key, None)
        record.removed[column] = record.removed.get(column, frozenset()) | {key}

    def insert(self, table: str, uuid: Uuid | None = None) -> Record:
        """A new row; `uuid` stands for it inside this transaction."""
        record = Record(table, uuid or new_uuid(), None)
        self._records.setdefault(table, {})[record.uuid] = record
        self._touch(record)
        for (of_table, column), index in self._indexes.items():
            if of_table == table:
                index.setdefault(self.read(record, column), []).append(record)
        return record

    def delete(self, record: Record) -> None:
        """Remove the row. A row of a table outside the root set goes when nothing refers to it any more."""
        self._touch(record)
        record.is_deleted = True

    def is_changed(self) -> bool:
        """Whether committing would change anything."""
        return any(self._changes(record) for record in self._touched)

    def operations(self) -> tuple[list[dict[str, Any]], dict[int, Uuid]]:
        """The operations, and for the index of each insert the UUID that stood for its row."""
        operations = [self._wait(record) for record in self._touched if record.verified]
        operations += self._empty_singletons()
        inserts: dict[int, Uuid] = {}
        new = {record.uuid: _row_name(record.uuid) for record in self._touched if record.is_new}
        for record in self._touched:
            operation = self._change(record, new)
            if operation is not None:
                if record.is_new:
                    inserts[len(operations)] = record.uuid
                operations.append(operation)
            mutations = [] if record.is_deleted else self._mutations(record, new)
            if mutations:
                where = self._where(record)
                operations.append(
                    {"op": "mutate", "table": record.table, "where": where, "mutations": mutations}
                )
        return operations, inserts

    def increment(self, record: Record, column: str) -> list[dict[str, Any]]:
        """Operations that add 1 to a counter and read it back."""
        where = self._where(record)
        return [
            {"op": "mutate", "table": record.table, "where": where, "mutations": [[column, "+=", 1]]},
            {"op": "select", "table": record.table, "where": where, "columns": [column]},
        ]

    def _touch(self, record: Record) -> None:
        self._touched[record] = None

    def _changes(self, record: Record) -> bool:
        if record.is_deleted:
            return not record.is_new and self._schema.table(record.table).is_root
        before = record.before
        if before is None or any(before[name] != value for name, value in record.written.items()):
            return True
        return bool(self._mutations(record, {}))

    def _wait(self, record: Record) -> dict[str, Any]:
        before = record.before
        assert before is not None
        columns = sorted(record.verified)
        return {
            "op": "wait",
            "table": record.table,
            "timeout": 0,
            "where": self._where(record),
            "until": "==",
            "columns": columns,
            "rows": [{column: encode(before[column]) for column in columns}],
        }

    def _empty_singletons(self) -> list[dict[str, Any]]:
        tables = {r.table for r in self._touched if r.is_new and not r.is_deleted}
        return [
            {"op": "wait", "table": name, "where": [], "timeout": 0, "until": "==", "rows": []}
            for name in sorted(tables)
            if self._schema.table(name).is_singleton and not self._tables.get(name)
        ]

    def _change(self, record: Record, new: Mapping[Uuid, NamedUuid]) -> dict[str, Any] | None:
        if record.is_deleted:
            if not self._changes(record):
                return None
            return {"op": "delete", "table": record.table, "where": self._where(record)}
        columns = self._schema.table(record.table).columns
        row = {
            name: encode(_renamed(value, new))
            for name, value in record.written.items()
            if not record.is_new or value != columns[name].type.default
        }
        if record.is_new:
            return {"op": "insert", "table": record.table, "uuid-name": str(new[record.uuid]), "row": row}
        if not row:
            return None
        return {"op": "update", "table": record.table, "where": self._where(record), "row": row}

    def _mutations(self, record: Record, new: Mapping[Uuid, NamedUuid]) -> list[Any]:
        """Changes of single elements. A pair that is there already is no change, an element of a set is."""
        mutations: list[Any] = []
        for column in sorted({*record.inserted, *record.removed}):
            inserted = record.inserted.get(column, frozenset())
            removed = record.removed.get(column, frozenset())
            old = self.read(record, column)
            if isinstance(old, dict):
                pairs = inserted if isinstance(inserted, dict) else {}
                inserted = {key: item for key, item in pairs.items() if key not in old or old[key] != item}
                removed = removed.union(inserted).intersection(old)
            if removed:
                mutations.append([column, "delete", _plural(_renamed(removed, new))])
            if inserted:
                mutations.append([column, "insert", _plural(_renamed(inserted, new))])
        return mutations

    @staticmethod
    def _where(record: Record) -> list[Any]:
        own: Value = _row_name(record.uuid) if record.is_new else record.uuid
        return [["_uuid", "==", encode(own)]]


def _plural(value: Value) -> Any:
    """The JSON of a set or map, also of one element: the database repeats it in its errors."""
    json = encode(value)
    return json if isinstance(json, list) and json[0] in ("set", "map") else ["set", [json]]


def _row_name(uuid: Uuid) -> NamedUuid:
    return NamedUuid("row" + uuid.replace("-", "_"))


def _renamed(value: Value, new: Mapping[Uuid, NamedUuid]) -> Value:
    if not new:
        return value
    if isinstance(value, Uuid):
        return new.get(value, value)
    if isinstance(value, frozenset):
        return frozenset(new.get(atom, atom) if isinstance(atom, Uuid) else atom for atom in value)
    if isinstance(value, dict):
        return {
            new.get(k, k) if isinstance(k, Uuid) else k: new.get(v, v) if isinstance(v, Uuid) else v
            for k, v in value.items()
        }
    return value
