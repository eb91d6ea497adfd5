"""Requests of a `transact`, and their odd relatives, out of a fuzzer's bytes."""

from __future__ import annotations

from typing import Any

from fuzz.choices import Choices

# Columns of the schema in `tests.ovsdb.world` and what is likely to fit them.
_COLUMNS: dict[str, tuple[str, ...]] = {
    "Root": (
        "name",
        "number",
        "maybe",
        "members",
        "pairs",
        "pair",
        "ratio",
        "leaves",
        "places",
        "likes",
        "fixed",
        "passing",
    ),
    "Leaf": ("name", "next"),
    "Needy": ("needs",),
}
_ON_ROWS = ("insert", "insert", "update", "mutate", "delete", "select", "wait")
_OPERATIONS = (*_ON_ROWS, "comment", "abort", "assert", "commit")
_FUNCTIONS = ("==", "!=", "includes", "excludes", "<", "<=", ">", ">=", "~")
_MUTATORS = ("insert", "delete", "+=", "-=", "*=", "/=", "%=", "^=")


def operations(choices: Choices) -> list[Any]:
    """The operations of one transaction, up to six."""
    return [operation(choices) for _ in range(1 + choices.below(6))]


def operation(choices: Choices) -> Any:
    """One operation, mostly well formed."""
    if choices.rarely():
        return choices.json()
    op = choices.pick(_OPERATIONS)
    table = choices.pick(tuple(_COLUMNS))
    json: dict[str, Any] = {"op": op}
    if op in _ON_ROWS:
        json["table"] = "Nope" if choices.rarely() else table
    if op in _ON_ROWS and op != "insert":
        json["where"] = [_clause(choices, table) for _ in range(choices.below(3))]
    match op:
        case "insert":
            json["row"] = _row(choices, table)
            if choices.below(2):
                json["uuid-name"] = choices.pick(("x", "y", "z"))
            if choices.rarely():
                json["uuid"] = f"00000000-0000-0000-0000-{choices.below(4):012d}"
        case "update":
            json["row"] = _row(choices, table)
        case "mutate":
            json["mutations"] = [
                [_column(choices, table), choices.pick(_MUTATORS), _value(choices)]
                for _ in range(choices.below(3))
            ]
        case "select":
            if choices.below(2):
                json["columns"] = [_column(choices, table)]
            if choices.rarely():
                json["sort"] = [_column(choices, table)]
        case "wait":
            json |= {"until": choices.pick(("==", "!=", "<")), "rows": [_row(choices, table)]}
            json["columns"] = [_column(choices, table)]
            json["timeout"] = choices.pick((0, 0, 0, -1, 1 << 64))
        case "comment":
            json["comment"] = choices.pick(("hello", "", "nul\0", 5))
        case "assert":
            json["lock"] = choices.pick(("mine", "yours", 5))
        case "commit":
            json["durable"] = choices.pick((True, False, 5))
    if choices.rarely():
        json[choices.pick(("extra", "table", "where"))] = choices.json()
    return json


def _column(choices: Choices, table: str) -> str:
    return choices.pick((*_COLUMNS[table], "_uuid", "_version", "nope"))


def _row(choices: Choices, table: str) -> dict[str, Any]:
    return {_column(choices, table): _value(choices) for _ in range(choices.below(4))}


def _clause(choices: Choices, table: str) -> Any:
    if choices.rarely():
        return choices.json()
    return [_column(choices, table), choices.pick(_FUNCTIONS), _value(choices)]


def _reference(choices: Choices) -> list[str]:
    if choices.below(3):
        return ["named-uuid", choices.pick(("x", "y", "z"))]
    return ["uuid", f"00000000-0000-0000-0000-{choices.below(4):012d}"]


def _value(choices: Choices) -> Any:
    match choices.below(8):
        case 0:
            return choices.pick(("", "a", "b", "c"))
        case 1:
            return choices.below(12) - 5
        case 2:
            return _reference(choices)
        case 3:
            return ["set", [choices.below(9) for _ in range(choices.below(6))]]
        case 4:
            return ["set", [_reference(choices) for _ in range(choices.below(4))]]
        case 5:
            return ["map", [[choices.pick("abc"), choices.below(9)] for _ in range(choices.below(4))]]
        case 6:
            return ["map", [[choices.below(4), _reference(choices)] for _ in range(choices.below(4))]]
    return choices.json()
