"""Mutations of columns (RFC 7047 section 5.1, `<mutation>`)."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jackfield.ovsdb.atoms import INTEGER_MAX, INTEGER_MIN, NameLookup
from jackfield.ovsdb.condition import column_of
from jackfield.ovsdb.datum import ColumnType, Datum
from jackfield.ovsdb.errors import OvsdbError, syntax_error, violation
from jackfield.ovsdb.schema import Column, TableSchema


def _truncated_quotient(dividend: int, divisor: int) -> int:
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def _remainder(dividend: int, divisor: int) -> int:
    return dividend - divisor * _truncated_quotient(dividend, divisor)


_ARITHMETIC: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "+=": (operator.add, operator.add),
    "-=": (operator.sub, operator.sub),
    "*=": (operator.mul, operator.mul),
    "/=": (_truncated_quotient, operator.truediv),
    "%=": (_remainder, math.fmod),
}


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mutation; `apply` gives the column's new datum or raises OvsdbError."""

    column: Column
    apply: Callable[[Datum], Datum]


def parse_mutation(schema: TableSchema, json: Any, lookup: NameLookup | None = None) -> Mutation:
    """The mutation that `[column, mutator, value]` stands for. Raises OvsdbError."""
    match json:
        case [str(name), str(mutator), argument]:
            pass
        case _:
            raise syntax_error(json, "Parse error in mutation.")
    column = column_of(schema, json, name)
    if not column.mutable:
        raise syntax_error(
            json, f"Cannot mutate immutable column {name} in table {schema.name}.", "constraint violation"
        )
    if mutator in _ARITHMETIC:
        return Mutation(column, _arithmetic(column, mutator, argument, json))
    if mutator not in ("insert", "delete"):
        raise OvsdbError("unknown mutator", f"No mutator named {mutator}.")
    if column.type.is_scalar:
        raise _mismatch(column, mutator, json)
    if mutator == "insert":
        return Mutation(column, _insertion(column.type, argument, lookup))
    return Mutation(column, _deletion(column.type, argument, lookup))


def _mismatch(column: Column, mutator: str, json: Any) -> OvsdbError:
    return syntax_error(
        json,
        f'Type mismatch: "{mutator}" operator may not be applied to column {column.name} of type '
        f"{column.type.english()}.",
    )


def _arithmetic(column: Column, mutator: str, argument: Any, json: Any) -> Callable[[Datum], Datum]:
    kind, base = column.type, column.type.key
    if kind.is_map or base.name not in ("integer", "real") or (mutator == "%=" and base.name == "real"):
        raise _mismatch(column, mutator, json)
    (operand,) = ColumnType(base.unbounded()).parse(argument)
    compute = _ARITHMETIC[mutator][base.name == "real"]

    def mutate(atom: Any) -> Any:
        if mutator in ("/=", "%=") and not operand:
            raise OvsdbError("domain error", "Division by zero.")
        try:
            result = compute(atom, operand)
        except OverflowError:
            result = math.inf
        fits = math.isfinite(result) if base.name == "real" else INTEGER_MIN <= result <= INTEGER_MAX
        if not fits:
            raise OvsdbError("range error", f'Result of "{mutator}" operation is out of range.')
        base.check(result)
        return result

    def apply(datum: Datum) -> Datum:
        atoms = {mutate(atom) for atom in datum}
        if len(atoms) != len(datum):
            raise violation(f'Result of "{mutator}" operation contains duplicates.')
        return tuple(sorted(atoms))

    return apply


def _insertion(kind: ColumnType, argument: Any, lookup: NameLookup | None) -> Callable[[Datum], Datum]:
    more = kind.relaxed(0, kind.most).parse(argument, lookup)
    return lambda datum: _counted(kind, kind.union(datum, more))


def _deletion(kind: ColumnType, argument: Any, lookup: NameLookup | None) -> Callable[[Datum], Datum]:
    try:
        less = frozenset(kind.relaxed().parse(argument, lookup))
    except OvsdbError:
        if not kind.is_map:
            raise
        keys = frozenset(ColumnType(kind.key).relaxed().parse(argument, lookup))
        return lambda datum: _counted(kind, tuple(pair for pair in datum if pair[0] not in keys))
    return lambda datum: _counted(kind, tuple(element for element in datum if element not in less))


def _counted(kind: ColumnType, datum: Datum) -> Datum:
    if not kind.least <= len(datum) <= kind.most:
        raise violation(f"Attempted to store {len(datum)} elements in {kind.english()}.")
    return datum
