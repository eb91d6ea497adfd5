"""What a database says about remotes and TLS: `db:DATABASE,TABLE,COLUMN` (ovsdb-server(1)). Pure look-ups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jackfield.ovsdb.database import Database, Fields, Table
from jackfield.ovsdb.schema import Column
from jackfield.ovsdb.session import Rights

DB = "db:"
DEFAULT_DSCP = 48
DEFAULT_MAX_BACKOFF = 8.0
MIN_BACKOFF = 1.0
DEFAULT_PROBE = 5.0
MIN_PROBE = 1.0


class ConfigError(Exception):
    """A `db:` name does not lead to what it should."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to treat the connections of a remote; times in seconds.

    `probe` is None for the default of the kind of remote, 0 for never.
    """

    max_backoff: float = DEFAULT_MAX_BACKOFF
    probe: float | None = None
    dscp: int = DEFAULT_DSCP
    rights: Rights = field(default_factory=Rights)
    role: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A column of a table of a database."""

    database: Database
    table: Table
    column: Column

    @property
    def refers_to(self) -> Table | None:
        """The table of remotes that the column refers to, None if it holds targets itself."""
        name = self.column.type.key.ref_table
        return None if name is None else self.database.tables[name]


def find_place(name: str, databases: Mapping[str, Database]) -> Place:
    """What `db:DATABASE,TABLE,COLUMN` stands for. Raises ConfigError."""
    parts = name.removeprefix(DB).split(",")
    if len(parts) < 3 or not all(parts[:3]):
        raise ConfigError(f'"{name}": invalid syntax')
    database = databases.get(parts[0])
    if database is None:
        raise ConfigError(f'"{name}": no database named {parts[0]}')
    table = database.tables.get(parts[1])
    if table is None:
        raise ConfigError(f'"{name}": no table named {parts[1]}')
    column = table.schema.columns.get(parts[2])
    if column is None:
        raise ConfigError(f'"{name}": table "{parts[1]}" has no column "{parts[2]}"')
    return Place(database, table, column)


def find_text(name: str, databases: Mapping[str, Database]) -> str:
    """A text that is given itself or by `db:…`, the first one that is not empty. Raises ConfigError."""
    if not name.startswith(DB):
        return name
    place = find_place(name, databases)
    kind = place.column.type
    if kind.key.name != "string" or kind.is_map:
        table, column = place.table.schema.name, place.column.name
        raise ConfigError(f'"{name}": table "{table}" column "{column}" is not string or set of strings')
    texts = (str(text) for fields in place.table.rows.values() for text in fields[place.column.index])
    return next((text for text in texts if text), "")


def find_remotes(name: str, databases: Mapping[str, Database]) -> dict[str, Options]:
    """The targets that `db:…` leads to, with what their rows say. Raises ConfigError."""
    place = find_place(name, databases)
    kind = place.column.type
    if kind.is_map or (place.refers_to is None and kind.key.name != "string"):
        table, column = place.table.schema.name, place.column.name
        raise ConfigError(
            f'"{name}": type of table "{table}" column "{column}" is not string or reference to a table'
        )
    if place.refers_to is None:
        rows = place.table.rows.values()
        return {str(text): Options() for fields in rows for text in fields[place.column.index]}
    remotes: dict[str, Options] = {}
    for _, fields in referred_rows(place):
        target = _value(place.refers_to, fields, "target")
        if isinstance(target, str) and target:
            remotes[target] = _options(place.refers_to, fields)
    return remotes


def referred_rows(place: Place) -> Iterator[tuple[str, Fields]]:
    """The rows that the column of a place refers to, with their UUIDs."""
    table = place.refers_to
    if table is not None:
        for fields in place.table.rows.values():
            for uuid in fields[place.column.index]:
                if isinstance(uuid, str) and uuid in table.rows:
                    yield uuid, table.rows[uuid]


def _options(table: Table, fields: Fields) -> Options:
    options = Options(
        rights=Rights(read_only=_value(table, fields, "read_only") is True),
        role=str(_value(table, fields, "role") or ""),
    )
    backoff, probe = _value(table, fields, "max_backoff"), _value(table, fields, "inactivity_probe")
    if isinstance(backoff, int):
        options = replace(options, max_backoff=max(MIN_BACKOFF, backoff / 1000))
    if isinstance(probe, int):
        options = replace(options, probe=max(MIN_PROBE, probe / 1000) if probe > 0 else 0.0)
    column = table.schema.columns.get("other_config")
    if column is not None and column.type.is_map:
        dscp = dict(_pairs(fields[column.index])).get("dscp", "")
        if dscp.isascii() and dscp.isdecimal() and int(dscp) <= 63:
            options = replace(options, dscp=int(dscp))
    return options


def _pairs(datum: Any) -> Iterator[tuple[str, str]]:
    for key, value in datum:
        yield str(key), str(value)


def _value(table: Table, fields: Fields, name: str) -> object:
    column = table.schema.columns.get(name)
    datum = () if column is None else fields[column.index]
    return datum[0] if datum else None
