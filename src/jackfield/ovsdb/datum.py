"""Column types and the values of columns.

A datum is a tuple in ascending order, whatever the column: of atoms for a set (one for a scalar), of
(key, value) pairs for a map. Data are immutable, hashable and compared with `==`, so rows share them freely.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jackfield.ovsdb.atoms import Atom, BaseType, NameLookup, atom_text, base_to_json, parse_base
from jackfield.ovsdb.errors import OvsdbError, syntax_error
from jackfield.ovsdb.members import Members, is_integer, is_object, is_string

Datum = tuple[Any, ...]

UNLIMITED = (1 << 32) - 1


@dataclass(frozen=True)
class ColumnType:
    """The `<type>` of a column: from `least` to `most` atoms, or pairs if `value` is given."""

    key: BaseType
    value: BaseType | None = None
    least: int = 1
    most: int = 1
    default: Datum = field(init=False, compare=False)

    def __post_init__(self) -> None:
        atom: Any = self.key.default if self.value is None else (self.key.default, self.value.default)
        object.__setattr__(self, "default", (atom,) if self.least else ())

    @cached_property
    def is_map(self) -> bool:
        """Pairs rather than atoms."""
        return self.value is not None

    @cached_property
    def is_scalar(self) -> bool:
        """Exactly one atom."""
        return self.value is None and self.least == 1 and self.most == 1

    @cached_property
    def is_optional(self) -> bool:
        """One atom or none."""
        return self.value is None and self.least == 0 and self.most == 1

    @cached_property
    def is_composite(self) -> bool:
        """More than one element is possible, so that differences are by element."""
        return self.most > 1

    def relaxed(self, least: int = 0, most: int = UNLIMITED) -> ColumnType:
        """The same type with other limits on the number of elements."""
        return ColumnType(self.key, self.value, least, most)

    def parse(self, json: Any, lookup: NameLookup | None = None) -> Datum:
        """The datum that `json` stands for; `lookup` resolves named UUIDs. Raises OvsdbError."""
        value = self.value
        if value is None and not (isinstance(json, list) and json and json[0] == "set"):
            return (self.key.parse(json, lookup),)
        kind = "set" if value is None else "map"
        if not (isinstance(json, list) and len(json) == 2 and json[0] == kind and isinstance(json[1], list)):
            raise syntax_error(json, f'expected ["{kind}", <array>]')
        elements = json[1]
        if not self.least <= len(elements) <= self.most:
            raise self._wrong_count(json, kind, len(elements))
        if value is None:
            atoms = sorted([self.key.parse(element, lookup) for element in elements])
            if any(map(_equal, atoms, atoms[1:])):
                raise OvsdbError("ovsdb error", "set contains duplicate")
            return tuple(atoms)
        pairs: dict[Atom, Atom] = {}
        for element in elements:
            if not isinstance(element, list) or len(element) != 2:
                raise syntax_error(element, "expected 2-element array")
            key = self.key.parse(element[0], lookup)
            if key in pairs:
                raise OvsdbError("ovsdb error", "map contains duplicate key")
            pairs[key] = value.parse(element[1], lookup)
        return map_datum(pairs)

    def _wrong_count(self, json: Any, kind: str, count: int) -> OvsdbError:
        if self.least == self.most == 1:
            return syntax_error(json, f"{kind} must have exactly one member but {count} are present")
        limits = f"{self.least} to {self.most}"
        return syntax_error(json, f"{kind} must have {limits} members but {count} are present")

    def to_json(self, datum: Datum) -> Any:
        """The notation of a datum (RFC 7047 section 5.1)."""
        key, value = self.key, self.value
        if value is not None:
            return ["map", [[key.to_json(k), value.to_json(v)] for k, v in datum]]
        if key.name == "uuid":
            return ["uuid", datum[0]] if len(datum) == 1 else ["set", [["uuid", atom] for atom in datum]]
        return datum[0] if len(datum) == 1 else ["set", list(datum)]

    def check_default(self, datum: Datum) -> None:
        """Raise OvsdbError if a datum, if it is of one element as defaults are, breaks a constraint."""
        if len(datum) == 1:
            if self.value is None:
                self.key.check(datum[0])
            else:
                self.key.check(datum[0][0])
                self.value.check(datum[0][1])

    def allows_default(self) -> bool:
        """Whether a column of this type may be left out of a new row."""
        try:
            self.check_default(self.default)
        except OvsdbError:
            return False
        return True

    def union(self, datum: Datum, more: Datum) -> Datum:
        """`datum` with the elements of `more` whose keys it lacks."""
        if self.value is not None:
            return map_datum(dict(more) | dict(datum))
        return tuple(sorted({*datum, *more}))

    def difference(self, old: Datum, new: Datum) -> Datum:
        """What `apply_difference` needs to make `new` of `old` (ovsdb-server(7), `update2`)."""
        if not self.is_composite:
            return new
        if self.value is None:
            return tuple(sorted(set(old) ^ set(new)))
        before, after = dict(old), dict(new)
        changed = {key: value for key, value in after.items() if before.get(key) != value}
        gone = {key: value for key, value in before.items() if key not in after}
        return map_datum(changed | gone)

    def apply_difference(self, old: Datum, difference: Datum) -> Datum:
        """The inverse of `difference`: the new datum."""
        if not self.is_composite:
            return difference
        if self.value is None:
            return tuple(sorted(set(old) ^ set(difference)))
        pairs = dict(old)
        for key, value in difference:
            if key in pairs and pairs[key] == value:
                del pairs[key]
            else:
                pairs[key] = value
        return map_datum(pairs)

    def english(self) -> str:
        """The type in words, for messages."""
        if self.is_scalar:
            return self.key.name
        text = "set" if self.value is None else "map"
        if self.most == UNLIMITED:
            text += f" of {self.least} or more" if self.least else " of"
        else:
            text += f" of {self.least} to {self.most}" if self.least else f" of up to {self.most}"
        if self.value is None:
            return f"{text} {self.key.name}s"
        return f"{text} ({self.key.name}, {self.value.name}) pairs"


def _equal(one: Atom, other: Atom) -> bool:
    return one == other


def map_datum(pairs: dict[Atom, Atom]) -> Datum:
    """The datum of a map."""
    return tuple(sorted(pairs.items()))


def datum_text(kind: ColumnType, datum: Datum) -> str:
    """A datum as messages show it."""
    if kind.is_map:
        return "{" + ", ".join(f"{atom_text(key)}={atom_text(value)}" for key, value in datum) + "}"
    text = ", ".join(map(atom_text, datum))
    return text if len(datum) == 1 else f"[{text}]"


def parse_type(json: Any) -> ColumnType:
    """A `<type>` of a schema (RFC 7047 section 3.2). Raises OvsdbError."""
    if isinstance(json, str):
        return ColumnType(parse_base(json))
    members = Members(json, "ovsdb type")
    key = parse_base(members.need("key", is_string, is_object))
    value = members.get("value", is_string, is_object)
    least = members.get("min", is_integer, default=1)
    most = members.get("max", is_integer, is_string, default=1)
    members.end()
    if most == "unlimited":
        most = UNLIMITED
    if least not in (0, 1) or not isinstance(most, int) or not 1 <= most <= UNLIMITED:
        raise syntax_error(json, "ovsdb type fails constraint checks")
    return ColumnType(key, None if value is None else parse_base(value), least, most)


def type_to_json(kind: ColumnType) -> Any:
    """The `<type>` in a schema's JSON."""
    json: dict[str, Any] = {"key": base_to_json(kind.key)}
    if kind.value is not None:
        json["value"] = base_to_json(kind.value)
    if kind.least != 1:
        json["min"] = kind.least
    if kind.most != 1:
        json["max"] = "unlimited" if kind.most == UNLIMITED else kind.most
    return json["key"] if len(json) == 1 and isinstance(json["key"], str) else json
