"""A database in memory: its tables, rows and indexes. Changes go through `transaction`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from jackfield.ovsdb.datum import Datum
from jackfield.ovsdb.schema import UUID, Column, DatabaseSchema, TableSchema

Fields = tuple[Datum, ...]
"""A row: the datum of each column of its table, at the column's index. Never changed in place."""


class Change(NamedTuple):
    """What a transaction did to one row; `old` is None for a new row, `new` for one that is gone."""

    table: Table
    uuid: str
    old: Fields | None
    new: Fields | None


class Table:
    """The rows of one table, by UUID.

    `references` counts the strong references to a row from other rows; `indexes` holds one dictionary for
    each index of the schema, from the indexed columns' data to the row. Both are as of the last commit.
    """

    __slots__ = ("indexes", "references", "rows", "schema")

    def __init__(self, schema: TableSchema) -> None:
        self.schema = schema
        self.rows: dict[str, Fields] = {}
        self.references: dict[str, int] = {}
        self.indexes: tuple[dict[Fields, str], ...] = tuple({} for _ in schema.indexes)


class Database:
    """All tables of one schema. `read_only` refuses clients' changes, as for `_Server`."""

    __slots__ = ("read_only", "schema", "tables")

    def __init__(self, schema: DatabaseSchema) -> None:
        self.schema = schema
        self.read_only = schema.name.startswith("_")
        self.tables = {name: Table(table) for name, table in schema.tables.items()}

    @property
    def name(self) -> str:
        """The schema's name, by which clients ask for the database."""
        return self.schema.name

    def everything(self) -> Iterable[Change]:
        """Every row as if it had just been inserted."""
        for table in self.tables.values():
            for uuid, fields in table.rows.items():
                yield Change(table, uuid, None, fields)


def key_of(columns: Iterable[Column], fields: Fields) -> Fields:
    """The data of some columns of a row."""
    return tuple(fields[column.index] for column in columns)


def uuid_of(fields: Fields) -> str:
    """A row's own UUID."""
    return str(fields[UUID][0])
