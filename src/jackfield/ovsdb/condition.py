"""Conditions on rows: the clauses of `where` (RFC 7047 section 5.1)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jackfield.ovsdb.atoms import NameLookup
from jackfield.ovsdb.datum import ColumnType, Datum
from jackfield.ovsdb.errors import OvsdbError, syntax_error
from jackfield.ovsdb.schema import UUID, Column, TableSchema

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FUNCTIONS = {*_ORDERED, "==", "!=", "includes", "excludes"}

Fields = tuple[Datum, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: `test` says of a column's datum whether it fits."""

    column: Column
    function: str
    argument: Datum
    test: Callable[[Datum], bool]

    @property
    def demands(self) -> bool:
        """Whether only one datum of the column satisfies the clause: its argument."""
        return self.function == "==" or (self.function == "includes" and self.column.type.is_scalar)

    def matches(self, fields: Fields) -> bool:
        """Whether a row with these fields satisfies the clause."""
        return self.test(fields[self.column.index])


@dataclass(frozen=True, slots=True)
class Constant:
    """The clauses `true` and `false` (ovsdb-server(7))."""

    value: bool

    def matches(self, _fields: Fields) -> bool:
        """The constant."""
        return self.value


Condition = tuple[Clause | Constant, ...]


def matches_all(condition: Condition, fields: Fields) -> bool:
    """How transactions read a condition; one without clauses is true."""
    return all(clause.matches(fields) for clause in condition)


def matches_any(condition: Condition, fields: Fields) -> bool:
    """How monitors read a condition; one without clauses is true."""
    return not condition or any(clause.matches(fields) for clause in condition)


def row_wanted(condition: Condition) -> str | None:
    """The UUID of the only row that can satisfy all clauses, where the condition names one."""
    for clause in condition:
        if (
            isinstance(clause, Clause)
            and clause.column.index == UUID
            and clause.function in ("==", "includes")
        ):
            return str(clause.argument[0])
    return None


def parse_condition(schema: TableSchema, json: Any, lookup: NameLookup | None = None) -> Condition:
    """The condition that an array of clauses stands for. Raises OvsdbError."""
    return tuple(_parse_clause(schema, clause, lookup) for clause in json)


def column_of(schema: TableSchema, json: Any, name: str) -> Column:
    """The column that a clause or mutation names. Raises OvsdbError."""
    column = schema.columns.get(name)
    if column is None:
        raise syntax_error(json, f"No column {name} in table {schema.name}.", "unknown column")
    return column


def _parse_clause(schema: TableSchema, json: Any, lookup: NameLookup | None) -> Clause | Constant:
    match json:
        case bool(value):
            return Constant(value)
        case [str(name), str(function), argument]:
            column = column_of(schema, json, name)
            if function not in _FUNCTIONS:
                raise OvsdbError("unknown function", f"No function named {function}.")
            kind = _argument_type(column, function, json)
            datum = kind.parse(argument, lookup)
            return Clause(column, function, datum, _test(column.type, function, datum))
    raise syntax_error(json, "Parse error in condition.")


def _argument_type(column: Column, function: str, json: Any) -> ColumnType:
    kind = column.type
    if function in _ORDERED:
        if not (kind.is_scalar or kind.is_optional) or kind.key.name not in ("integer", "real"):
            raise syntax_error(
                json,
                f'Type mismatch: "{function}" operator may not be applied to column {column.name} of type '
                f"{kind.english()}.",
            )
        return kind.relaxed(1, kind.most)
    if function == "excludes" and not kind.is_scalar:
        return kind.relaxed()
    if function == "includes" and not kind.is_scalar:
        return kind.relaxed(0, kind.most)
    return kind


def _test(kind: ColumnType, function: str, argument: Datum) -> Callable[[Datum], bool]:
    if function in _ORDERED:
        compare, limit = _ORDERED[function], argument[0]
        return lambda datum: bool(datum) and compare(datum[0], limit)
    if function == "==":
        return lambda datum: datum == argument
    if function == "!=":
        return lambda datum: datum != argument
    if kind.is_scalar:
        return (
            (lambda datum: datum == argument) if function == "includes" else (lambda datum: datum != argument)
        )
    wanted = frozenset(argument)
    if function == "excludes":
        return wanted.isdisjoint
    if not argument:
        return lambda _datum: True
    first = argument[0]
    # Few rows have even one of the elements, and that is found out sooner.
    return lambda datum: first in datum and wanted.issubset(datum)
