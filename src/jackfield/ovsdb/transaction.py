"""Transactions: changes to a database that all happen or none (RFC 7047 section 3.1 and 3.2, ACID).

While one is open, `Database` shows its changes; `abort` takes them back, `commit` checks and keeps them.
One transaction is open at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from jackfield.ovsdb.atoms import ZERO_UUID, new_uuid
from jackfield.ovsdb.database import Change, Database, Fields, Table, key_of
from jackfield.ovsdb.datum import ColumnType, Datum, datum_text
from jackfield.ovsdb.errors import OvsdbError, violation
from jackfield.ovsdb.schema import VERSION, Column, TableSchema

Write = Callable[[list[Change]], None]


class Transaction:
    """An open transaction. After `commit` or `abort` it is closed."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._before: dict[Table, dict[str, Fields | None]] = {}
        self._references: dict[Table, dict[str, int]] = {}

    def put(self, table: Table, uuid: str, fields: Fields) -> None:
        """Insert or replace a row; `_uuid` and `_version` are filled in here."""
        self._remember(table, uuid)
        table.rows[uuid] = ((uuid,), (new_uuid(),), *fields[VERSION + 1 :])

    def delete(self, table: Table, uuid: str) -> None:
        """Remove a row; one that this transaction made leaves no trace."""
        self._remember(table, uuid)
        del table.rows[uuid]
        if self._before[table][uuid] is None:
            del self._before[table][uuid]

    def knows(self, table: Table, uuid: str) -> bool:
        """Whether the transaction has made, changed or removed that row."""
        return uuid in self._before.get(table, ())

    def touched(self, table: Table) -> tuple[str, ...]:
        """The rows of a table that the transaction has made, changed or removed."""
        return tuple(self._before.get(table, ()))

    def _remember(self, table: Table, uuid: str) -> None:
        self._before.setdefault(table, {}).setdefault(uuid, table.rows.get(uuid))

    def abort(self) -> None:
        """Take everything back."""
        for table, rows in self._before.items():
            for uuid, fields in rows.items():
                if fields is None:
                    table.rows.pop(uuid, None)
                else:
                    table.rows[uuid] = fields
        self._before.clear()

    def commit(self, write: Write | None = None) -> list[Change]:
        """Check integrity and keep the changes; return them.

        `write` puts them on stable storage once nothing can fail any more. If a check or `write` raises,
        OvsdbError as a rule, everything is taken back and the error passed on.
        """
        try:
            self._drop_unchanged()
            self._count_references()
            self._check_deleted()
            self._collect_garbage()
            self._check_max_rows()
            self._prune_weak()
            indexes = self._check_indexes()
            changes = list(self._changes())
            if changes and write is not None:
                write(changes)
        except BaseException:
            self.abort()
            raise
        self._publish(indexes)
        return changes

    def _changes(self) -> Iterator[Change]:
        for table, rows in self._before.items():
            for uuid, old in rows.items():
                new = table.rows.get(uuid)
                if old is not None or new is not None:
                    yield Change(table, uuid, old, new)

    def _drop_unchanged(self) -> None:
        for table, rows in self._before.items():
            for uuid in list(rows):
                old, new = rows[uuid], table.rows.get(uuid)
                if old is not None and new is not None and old[VERSION + 1 :] == new[VERSION + 1 :]:
                    table.rows[uuid] = old
                    del rows[uuid]

    # Strong references: who is referred to must exist, who is not (and is no root) goes.

    def _count_references(self) -> None:
        for change in list(self._changes()):
            for column in change.table.schema.strong:
                old = change.old[column.index] if change.old else ()
                new = change.new[column.index] if change.new else ()
                if old is new:
                    continue
                if column.type.is_map:
                    # Several pairs may refer to one row, and each counts.
                    before, after = (list(strong_targets(column, datum)) for datum in (old, new))
                else:
                    gone, come = set(old).difference(new), set(new).difference(old)
                    before, after = (list(strong_targets(column, tuple(part))) for part in (gone, come))
                for name, uuid in before:
                    self._refer(change.table, change.uuid, name, uuid, -1)
                for name, uuid in after:
                    self._check_target(change, column, name, uuid)
                    self._refer(change.table, change.uuid, name, uuid, 1)

    def _refer(self, source: Table, uuid: str, table_name: str, target: str, delta: int) -> None:
        table = self.database.tables[table_name]
        # A row does not keep itself.
        if target != uuid or table is not source:
            counts = self._references.setdefault(table, {})
            counts[target] = counts.get(target, 0) + delta

    def _check_target(self, change: Change, column: Column, table_name: str, target: str) -> None:
        table = self.database.tables[table_name]
        if target not in table.rows and not self._before.get(table, {}).get(target):
            raise OvsdbError(
                "referential integrity violation",
                f"Table {change.table.schema.name} column {column.name} row {change.uuid} references "
                f"nonexistent row {target} in table {table_name}.",
            )

    def _refers_to(self, table: Table, uuid: str) -> int:
        return table.references.get(uuid, 0) + self._references.get(table, {}).get(uuid, 0)

    def _check_deleted(self) -> None:
        for table, rows in self._before.items():
            for uuid in rows:
                count = 0 if uuid in table.rows else self._refers_to(table, uuid)
                if count:
                    row = f"{table.schema.name} row {uuid}"
                    raise OvsdbError(
                        "referential integrity violation",
                        f"cannot delete {row} because of {count} remaining reference(s)",
                    )

    def _collect_garbage(self) -> None:
        suspects = [(table, uuid) for table, rows in self._before.items() for uuid in rows]
        suspects += [(table, uuid) for table, counts in self._references.items() for uuid in counts]
        while suspects:
            table, uuid = suspects.pop()
            fields = table.rows.get(uuid)
            if fields is None or table.schema.is_root or self._refers_to(table, uuid):
                continue
            self.delete(table, uuid)
            for column in table.schema.strong:
                for name, target in strong_targets(column, fields[column.index]):
                    self._refer(table, uuid, name, target, -1)
                    suspects.append((self.database.tables[name], target))

    def _check_max_rows(self) -> None:
        for table in self._before:
            count, limit = len(table.rows), table.schema.max_rows
            if count > limit:
                raise violation(
                    f'transaction causes "{table.schema.name}" table to contain {count} rows, '
                    f"greater than the schema-defined limit of {limit} row(s)"
                )

    # Weak references: those to rows that are not there go.

    def _prune_weak(self) -> None:
        gone = {
            table.schema.name
            for table, rows in self._before.items()
            if any(uuid not in table.rows for uuid in rows)
        }
        for table in self.database.tables.values():
            columns = table.schema.weak
            if not columns:
                continue
            bases = [base for c in columns for base in (c.type.key, c.type.value)]
            targets = {base.ref_table for base in bases if base is not None and base.weak}
            rows: Iterable[str] = table.rows if targets & gone else self._before.get(table, ())
            for uuid in list(rows):
                if uuid in table.rows:
                    self._prune_row(table, uuid, columns)

    def _prune_row(self, table: Table, uuid: str, columns: Iterable[Column]) -> None:
        fields = list(table.rows[uuid])
        pruned = False
        for column in columns:
            datum = fields[column.index]
            kept = tuple(element for element in datum if self._weak_alive(column.type, element))
            if len(kept) != len(datum):
                if len(kept) < column.type.least:
                    raise self._emptied(table, uuid, column, datum)
                fields[column.index] = kept
                pruned = True
        if pruned:
            self.put(table, uuid, tuple(fields))

    def _weak_alive(self, kind: ColumnType, element: object) -> bool:
        parts = element if kind.is_map and isinstance(element, tuple) else (element,)
        return all(
            base is None or base.ref_table is None or not base.weak or part in self._rows(base.ref_table)
            for base, part in zip((kind.key, kind.value), parts, strict=False)
        )

    def _rows(self, table_name: str) -> dict[str, Fields]:
        return self.database.tables[table_name].rows

    def _emptied(self, table: Table, uuid: str, column: Column, datum: Datum) -> OvsdbError:
        why = "which point to no row"
        if ZERO_UUID in datum and self._before.get(table, {}).get(uuid, ()) is None:
            why = "the all-zeros default among them, which point to no row"
        return violation(
            f'Column "{column.name}" of "{table.schema.name}" row {uuid} may not be empty, '
            f"but only weak references are in it, {why}."
        )

    # Indexes.

    def _check_indexes(self) -> dict[Table, tuple[dict[Fields, str], ...]]:
        """The index entries of the rows in this transaction; raises OvsdbError if two rows share one."""
        fresh: dict[Table, tuple[dict[Fields, str], ...]] = {}
        for table, rows in self._before.items():
            fresh[table] = tuple({} for _ in table.indexes)
            for columns, index, own in zip(table.schema.indexes, table.indexes, fresh[table], strict=True):
                for uuid in rows:
                    fields = table.rows.get(uuid)
                    if fields is None:
                        continue
                    key = key_of(columns, fields)
                    other = own.setdefault(key, uuid)
                    if other == uuid:
                        other = index.get(key, uuid)
                        if other == uuid or other in rows:
                            continue
                    raise self._duplicate(table, columns, *sorted((other, uuid)))
        return fresh

    def _duplicate(self, table: Table, columns: tuple[Column, ...], first: str, second: str) -> OvsdbError:
        values = columns_text(columns, table.rows[first])
        names = ", ".join(f'"{column.name}"' for column in columns)
        over = f"column {names}" if len(columns) == 1 else f"columns {names}"
        rows = " and ".join(f"{uuid} ({self._history(table, uuid)})" for uuid in (first, second))
        return violation(
            f'Transaction causes multiple rows in "{table.schema.name}" table to have identical values '
            f"({values}) for index on {over}: {rows}."
        )

    def _history(self, table: Table, uuid: str) -> str:
        rows = self._before.get(table, {})
        if uuid not in rows:
            return "there before"
        return "inserted now" if rows[uuid] is None else "changed now"

    def _publish(self, indexes: dict[Table, tuple[dict[Fields, str], ...]]) -> None:
        for table, rows in self._before.items():
            for columns, index in zip(table.schema.indexes, table.indexes, strict=True):
                for old in rows.values():
                    if old is not None:
                        index.pop(key_of(columns, old), None)
            for index, own in zip(table.indexes, indexes[table], strict=True):
                index.update(own)
        for table, counts in self._references.items():
            for uuid, delta in counts.items():
                count = table.references.get(uuid, 0) + delta
                if count and uuid in table.rows:
                    table.references[uuid] = count
                else:
                    table.references.pop(uuid, None)
        self._before.clear()


def strong_targets(column: Column, datum: Datum) -> Iterator[tuple[str, str]]:
    """The (table, row) that a datum refers to strongly."""
    key, value = column.type.key, column.type.value
    if key.ref_table is not None and not key.weak:
        for element in datum:
            yield key.ref_table, element if value is None else element[0]
    if value is not None and value.ref_table is not None and not value.weak:
        for element in datum:
            yield value.ref_table, element[1]


def columns_text(columns: Iterable[Column], fields: Fields) -> str:
    """The data of some columns, as messages show them."""
    return ", ".join(datum_text(column.type, fields[column.index]) for column in columns)


def blank_row(schema: TableSchema, values: dict[int, Datum]) -> Fields:
    """A row of defaults but for the given data, by column index."""
    fields = list(schema.defaults)
    for index, datum in values.items():
        fields[index] = datum
    return tuple(fields)
