"""Database schemas (RFC 7047 section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jackfield.ovsdb.atoms import BaseType
from jackfield.ovsdb.datum import UNLIMITED, ColumnType, Datum, parse_type, type_to_json
from jackfield.ovsdb.errors import OvsdbError, syntax_error
from jackfield.ovsdb.members import Members, is_array, is_boolean, is_id, is_integer, is_object, is_string

UUID, VERSION, FIRST = 0, 1, 2
"""Where a row's fields hold `_uuid`, `_version` and the first column of the schema."""

_VERSION_TEXT = re.compile(r"\d+\.\d+\.\d+\Z")
_ROW_ID = ColumnType(BaseType("uuid"))


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `index` is its place in a row's fields, `default` its datum in a row that gives none."""

    name: str
    index: int
    type: ColumnType
    mutable: bool = True
    persistent: bool = True
    default: Datum = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "default", self.type.default)


@dataclass(frozen=True)
class TableSchema:
    """One table. `columns` includes `_uuid` and `_version`, which every table has.

    `strong` and `weak` are the columns that refer to rows, for the two kinds of reference; `lasting` are
    those that are written to disk, `demanding` those whose default breaks their own constraints.
    """

    name: str
    columns: dict[str, Column]
    indexes: tuple[tuple[Column, ...], ...]
    max_rows: int
    is_root: bool
    by_index: tuple[Column, ...] = field(init=False)
    defaults: tuple[Datum, ...] = field(init=False)
    strong: tuple[Column, ...] = field(init=False)
    weak: tuple[Column, ...] = field(init=False)
    lasting: tuple[Column, ...] = field(init=False)
    demanding: tuple[Column, ...] = field(init=False)

    def __post_init__(self) -> None:
        by_index = tuple(self.columns.values())
        values: dict[str, Any] = {
            "by_index": by_index,
            "defaults": tuple(column.default for column in by_index),
            "strong": tuple(column for column in by_index if refers(column.type, weak=False)),
            "weak": tuple(column for column in by_index if refers(column.type, weak=True)),
            "lasting": tuple(column for column in by_index if column.persistent),
            "demanding": tuple(column for column in by_index if not column.type.allows_default()),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def own_columns(self) -> tuple[Column, ...]:
        """The columns that the schema names."""
        return self.by_index[FIRST:]


@dataclass(frozen=True)
class DatabaseSchema:
    """A whole schema; `version` and `cksum` may be empty."""

    name: str
    version: str
    cksum: str
    tables: dict[str, TableSchema]

    def to_json(self) -> dict[str, Any]:
        """The schema as `get_schema` returns it; it is made once, so not to be changed."""
        return self._json

    @cached_property
    def _json(self) -> dict[str, Any]:
        json: dict[str, Any] = {"name": self.name, "version": self.version, "cksum": self.cksum}
        json = {name: text for name, text in json.items() if text}
        json["tables"] = {name: _table_to_json(table) for name, table in self.tables.items()}
        return json


def refers(kind: ColumnType, *, weak: bool) -> bool:
    """Whether values of this type hold references of that kind."""
    bases = (kind.key,) if kind.value is None else (kind.key, kind.value)
    return any(base.ref_table is not None and base.weak == weak for base in bases)


def parse_schema(json: Any) -> DatabaseSchema:
    """A `<database-schema>`. Raises OvsdbError with what is wrong in it."""
    members = Members(json, "database schema")
    name = members.need("name", is_id)
    version = members.get("version", is_string, default="")
    cksum = members.get("cksum", is_string, default="")
    tables_json = members.need("tables", is_object)
    members.end()
    if version and not _VERSION_TEXT.match(version):
        raise syntax_error(json, f'schema version "{version}" not in format x.y.z')
    tables = {key: _parse_table(_name(key, json), table) for key, table in tables_json.items()}
    if not any(table.is_root for table in tables.values()):
        # A schema from before "isRoot" existed: every table is a root.
        tables = {key: _as_root(table) for key, table in tables.items()}
    for table in tables.values():
        for column in table.own_columns:
            for part, base in (("key", column.type.key), ("value", column.type.value)):
                if base is not None and base.ref_table is not None and base.ref_table not in tables:
                    raise OvsdbError(
                        "syntax error",
                        f"column {column.name} {part} refers to undefined table {base.ref_table}",
                    )
    return DatabaseSchema(name, version, cksum, tables)


def _name(name: str, json: Any) -> str:
    if name.startswith("_"):
        raise syntax_error(json, 'names beginning with "_" are reserved')
    if not is_id(name):
        raise syntax_error(json, "name must be a valid id")
    return name


def _as_root(table: TableSchema) -> TableSchema:
    return TableSchema(table.name, table.columns, table.indexes, table.max_rows, True)


def _parse_table(name: str, json: Any) -> TableSchema:
    members = Members(json, f"table schema for table {name}")
    columns_json = members.need("columns", is_object)
    members.get("mutable", is_boolean)
    max_rows = members.get("maxRows", is_integer, default=UNLIMITED)
    is_root = members.get("isRoot", is_boolean, default=False)
    indexes_json = members.get("indexes", is_array, default=[])
    members.end()
    if max_rows < 1:
        raise syntax_error(json, "maxRows must be at least 1")
    if not columns_json:
        raise syntax_error(json, "table must have at least one column")
    columns = {
        "_uuid": Column("_uuid", UUID, _ROW_ID, mutable=False, persistent=False),
        "_version": Column("_version", VERSION, _ROW_ID, mutable=False, persistent=False),
    }
    for index, (key, column) in enumerate(columns_json.items(), FIRST):
        columns[key] = _parse_column(_name(key, json), index, column)
    indexes = tuple(_parse_index(json, index, columns) for index in indexes_json)
    return TableSchema(name, columns, indexes, max_rows, is_root)


def _parse_column(name: str, index: int, json: Any) -> Column:
    members = Members(json, f"schema for column {name}")
    mutable = members.get("mutable", is_boolean, default=True)
    ephemeral = members.get("ephemeral", is_boolean, default=False)
    kind = parse_type(members.need("type", is_string, is_object))
    members.end()
    # A weak reference can vanish at any time, so its column cannot be immutable.
    return Column(name, index, kind, mutable or refers(kind, weak=True), not ephemeral)


def _parse_index(json: Any, names: Any, columns: Mapping[str, Column]) -> tuple[Column, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) and name in columns for name in names):
        raise syntax_error(names, "array of distinct column names expected")
    if not names:
        raise syntax_error(json, "index must have at least one column")
    if len(set(names)) != len(names):
        raise syntax_error(names, "array of distinct column names expected")
    for name in names:
        if not columns[name].persistent:
            raise syntax_error(json, f"ephemeral columns (such as {name}) may not be indexed")
    return tuple(columns[name] for name in names)


def _table_to_json(table: TableSchema) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for column in table.own_columns:
        columns[column.name] = {"type": type_to_json(column.type)}
        if not column.mutable:
            columns[column.name]["mutable"] = False
        if not column.persistent:
            columns[column.name]["ephemeral"] = True
    json: dict[str, Any] = {"columns": columns}
    if table.max_rows != UNLIMITED:
        json["maxRows"] = table.max_rows
    if table.is_root:
        json["isRoot"] = True
    if table.indexes:
        json["indexes"] = [[column.name for column in index] for index in table.indexes]
    return json
