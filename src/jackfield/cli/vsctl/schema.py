"""A database's schema as `get_schema` gives it, ready for commands (RFC 7047 section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from jackfield.wire.notation import Atom, Shape, Value, decode_atom, default_of, shape_of

UNLIMITED = 0xFFFFFFFF


class BaseType(NamedTuple):
    """An atom's type and the constraints on it; `minimum` and `maximum` bound numbers or string lengths."""

    name: str
    minimum: int | float | None = None
    maximum: int | float | None = None
    choices: tuple[Atom, ...] | None = None
    ref_table: str | None = None
    weak: bool = False


class ColumnType(NamedTuple):
    """A column's type: `value` is None but for maps; `low` and `high` bound the number of elements."""

    key: BaseType
    value: BaseType | None
    low: int
    high: int
    shape: Shape
    default: Value

    @property
    def english(self) -> str:
        """The type in words, for messages about syntax."""
        if self.shape is Shape.SCALAR:
            return self.key.name
        if self.high == UNLIMITED:
            bounds = f"of {self.low} or more" if self.low else "of"
        else:
            bounds = f"of {self.low} to {self.high}" if self.low else f"of up to {self.high}"
        if self.value is None:
            return f"set {bounds} {self.key.name}s"
        return f"map {bounds} ({self.key.name}, {self.value.name}) pairs"


class Column:
    """A column; its type is parsed when somebody asks for it."""

    def __init__(self, name: str, json: Mapping[str, Any]) -> None:
        self.name = name
        self.mutable = bool(json.get("mutable", True))
        self._type = json["type"]

    @cached_property
    def type(self) -> ColumnType:
        """The parsed type."""
        return parse_type(self._type)


class Table:
    """A table and its columns, in the order of their names."""

    def __init__(self, name: str, json: Mapping[str, Any], any_root: bool) -> None:
        self.name = name
        self.is_root = bool(json.get("isRoot", not any_root))
        self.is_singleton = json.get("maxRows") == 1
        self.columns = {column: Column(column, json["columns"][column]) for column in sorted(json["columns"])}


class Schema:
    """A database's tables; `json` is the result of `get_schema`."""

    def __init__(self, json: Mapping[str, Any]) -> None:
        self.json = json
        self.version = str(json.get("version", ""))
        self.names = sorted(json["tables"])
        self._any_root = any("isRoot" in table for table in json["tables"].values())
        self._tables: dict[str, Table] = {}

    def table(self, name: str) -> Table:
        """The table of that exact name; KeyError when there is none."""
        if name not in self._tables:
            self._tables[name] = Table(name, self.json["tables"][name], self._any_root)
        return self._tables[name]

    def __contains__(self, name: str) -> bool:
        return name in self.json["tables"]


def parse_type(json: Any) -> ColumnType:
    """A column's type from its JSON."""
    if isinstance(json, str):
        return ColumnType(BaseType(json), None, 1, 1, Shape.SCALAR, default_of(json))
    high = json.get("max", 1)
    return ColumnType(
        key=_parse_base(json["key"]),
        value=_parse_base(json["value"]) if "value" in json else None,
        low=json.get("min", 1),
        high=UNLIMITED if high == "unlimited" else high,
        shape=shape_of(json),
        default=default_of(json),
    )


def _parse_base(json: Any) -> BaseType:
    if isinstance(json, str):
        return BaseType(json)
    name = json["type"]
    choices = None
    if "enum" in json:
        enum = json["enum"]
        listed = enum[1] if isinstance(enum, list) and enum[0] == "set" else [enum]
        choices = tuple(sorted(decode_atom(atom) for atom in listed))
    bound = {"integer": "Integer", "real": "Real", "string": "Length"}.get(name, "")
    return BaseType(
        name=name,
        minimum=json.get(f"min{bound}"),
        maximum=json.get(f"max{bound}"),
        choices=choices,
        ref_table=json.get("refTable"),
        weak=json.get("refType") == "weak",
    )
