"""How words of a command line name tables, columns and rows: ovs-vsctl(8), "Database Commands"."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from jackfield.cli.vsctl.errors import ControlError
from jackfield.cli.vsctl.schema import Column, Schema, Table
from jackfield.cli.vsctl.transaction import Record, Transaction
from jackfield.cli.vsctl.values import parse_uuid, take_token
from jackfield.wire.notation import Uuid, Value

_EXACT = 1 << 32
_PARTIAL_UUID = re.compile(r"[0-9a-fA-F]{4}[0-9a-fA-F-]*")
_UUID_TEMPLATE = "00000000-0000-0000-0000-000000000000"


class RowId(NamedTuple):
    """A way to name a row: by `column` of `table`, which may point to it with `pointer`."""

    table: str
    column: str
    pointer: str | None = None


ROW_IDS: dict[str, RowId] = {
    "AutoAttach": RowId("Bridge", "name", "auto_attach"),
    "Bridge": RowId("Bridge", "name"),
    "Controller": RowId("Bridge", "name", "controller"),
    "Flow_Sample_Collector_Set": RowId("Flow_Sample_Collector_Set", "id"),
    "Flow_Table": RowId("Flow_Table", "name"),
    "IPFIX": RowId("Bridge", "name", "ipfix"),
    "Interface": RowId("Interface", "name"),
    "Manager": RowId("Manager", "target"),
    "Mirror": RowId("Mirror", "name"),
    "NetFlow": RowId("Bridge", "name", "netflow"),
    "Port": RowId("Port", "name"),
    "QoS": RowId("Port", "name", "qos"),
    "sFlow": RowId("Bridge", "name", "sflow"),
}


def find_table(schema: Schema, word: str) -> Table:
    """The table that `word` names or abbreviates; raises ControlError."""
    matches = _best_matches(schema.names, word)
    if not matches:
        raise ControlError(f'unknown table "{word}"')
    if len(matches) > 1:
        raise ControlError(f'"{word}" matches multiple table names: {", ".join(matches)}')
    return schema.table(matches[0])


def find_column(table: Table, word: str) -> Column:
    """The column that `word` names or abbreviates; raises ControlError."""
    matches = _best_matches(table.columns, word)
    if not matches:
        raise ControlError(f'{table.name} does not contain a column whose name matches "{word}"')
    if len(matches) > 1:
        raise ControlError(
            f'{table.name} contains more than one column whose name matches "{word}": {", ".join(matches)}'
        )
    return table.columns[matches[0]]


def _best_matches(names: Collection[str], word: str) -> list[str]:
    if word in names:
        return [word]
    scores = {name: _score(name, word) for name in names}
    best = max(scores.values(), default=0)
    return sorted(name for name, score in scores.items() if score == best) if best else []


def _score(name: str, word: str) -> int:
    folded, wanted = name.lower().replace("-", "_"), word.lower().replace("-", "_")
    if folded == wanted:
        return _EXACT
    return len(wanted) if folded.startswith(wanted) else 0


class Setting(NamedTuple):
    """A word COLUMN[:KEY][OPERATOR VALUE], taken apart."""

    column: Column
    key: str | None
    operator: str = ""
    value: str = ""


def column_of(table: Table, word: str) -> Column:
    """The column at the start of such a word."""
    name, _ = take_token(word, 0)
    if not name:
        raise ControlError(f"{word}: missing column name")
    return find_column(table, name)


def parse_selector(table: Table, word: str) -> Setting:
    """COLUMN[:KEY]."""
    column, key, rest = _column_key(table, word)
    if rest:
        raise ControlError(f'{word}: trailing garbage "{rest}" in argument')
    return Setting(column, key)


def parse_setting(table: Table, word: str, operators: Collection[str] = ("=",)) -> Setting:
    """COLUMN[:KEY]OPERATOR VALUE; the longest operator that fits wins."""
    column, key, rest = _column_key(table, word)
    fitting = [op for op in operators if rest.startswith(op) and len(rest) > len(op)]
    if not fitting:
        raise ControlError(_missing_operator(word, list(operators)))
    operator = max(fitting, key=len)
    return Setting(column, key, operator, rest[len(operator) :])


def _column_key(table: Table, word: str) -> tuple[Column, str | None, str]:
    column = column_of(table, word)
    _, at = take_token(word, 0)
    key: str | None = None
    if word[at : at + 1] == ":":
        key, at = take_token(word, at + 1)
    return column, key, word[at:]


def _missing_operator(word: str, operators: list[str]) -> str:
    quoted = [f'"{operator}"' for operator in operators]
    listed = " or ".join(quoted) if len(quoted) < 3 else f"{', '.join(quoted[:-1])}, or {quoted[-1]}"
    return f"{word}: argument does not end in {listed} followed by a value."


def find_record(schema: Schema, txn: Transaction, table: Table, word: str, must_exist: bool) -> Record | None:
    """The row that `word` names: a UUID, `.`, a name, or at least four digits of a UUID.

    Raises ControlError when several match, or when none does and `must_exist`.
    """
    uuid = parse_uuid(word)
    record = txn.record(table.name, uuid) if uuid else None
    if record is None and word == ".":
        rows = list(txn.records(table.name))
        record = rows[0] if len(rows) == 1 else None
    if record is None:
        record = _by_name(schema, txn, table, word)
    if record is None and _is_partial_uuid(word):
        record = _by_partial_uuid(txn, table, word)
    if record is None and must_exist:
        raise ControlError(f'no row "{word}" in table {table.name}')
    return record


def _by_name(schema: Schema, txn: Transaction, table: Table, word: str) -> Record | None:
    row_id = ROW_IDS.get(table.name)
    if row_id is None or row_id.table not in schema:
        return None
    kind = schema.table(row_id.table).columns[row_id.column].type
    named = txn.named(row_id.table, row_id.column, _as_name(kind.key.name, word))
    if not named and _is_partial_uuid(word):
        rows = txn.records(row_id.table)
        named = [record for record in rows if _is_cut_short(txn.read(record, row_id.column), word)]
    if len(named) > 1:
        raise ControlError(f'multiple rows in {row_id.table} match "{word}"')
    if not named or row_id.pointer is None:
        return named[0] if named else None
    txn.verify(named[0], row_id.pointer)
    target = txn.read(named[0], row_id.pointer)
    if isinstance(target, frozenset):
        target = next(iter(target)) if len(target) == 1 else None
    return txn.record(table.name, target) if isinstance(target, Uuid) else None


def _as_name(kind: str, word: str) -> Value:
    if kind == "integer":
        return int(word) if word.isascii() and word.isdigit() else None
    return word


def _is_cut_short(name: Value, word: str) -> bool:
    """Whether `word` begins a name that is itself a UUID."""
    return isinstance(name, str) and name.startswith(word) and parse_uuid(name) is not None


def _is_partial_uuid(word: str) -> bool:
    return (
        len(word) <= len(_UUID_TEMPLATE)
        and _PARTIAL_UUID.fullmatch(word) is not None
        and all((char == "-") == (model == "-") for char, model in zip(word, _UUID_TEMPLATE, strict=False))
    )


def _by_partial_uuid(txn: Transaction, table: Table, word: str) -> Record | None:
    rows = [record for record in txn.records(table.name) if record.uuid.startswith(word)]
    if len(rows) > 1:
        raise ControlError(
            f"{table.name} contains 2 or more rows whose UUIDs begin with {word}: "
            f"at least {rows[0].uuid} and {rows[1].uuid}"
        )
    return rows[0] if rows else None
