"""The notation of database values in JSON (RFC 7047 section 5.1) and their Python form.

A column's shape says how its values look in Python: a scalar is an atom, an optional one an atom or None, a
set a frozenset of atoms, a map a dict. An atom is an int, float, bool, str, or a row's Uuid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any


class Uuid(str):
    """The UUID of a row, in its usual 36 characters."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Uuid({str.__repr__(self)})"


class NamedUuid(str):
    """The name that an insert of the same transaction gave to its row (`uuid-name`)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"NamedUuid({str.__repr__(self)})"


Atom = int | float | bool | str
Value = Atom | None | frozenset[Atom] | dict[Atom, Atom]

NO_UUID = Uuid("00000000-0000-0000-0000-000000000000")


class NotationError(ValueError):
    """A JSON value is not a database value."""


class Shape(Enum):
    """How a column's values look, from the least and most elements that its type allows."""

    SCALAR = "scalar"
    OPTIONAL = "optional"
    SET = "set"
    MAP = "map"


def shape_of(column_type: Any) -> Shape:
    """The shape of a column, given its `type` of a database schema (RFC 7047 section 3.2)."""
    if isinstance(column_type, str):
        return Shape.SCALAR
    if "value" in column_type:
        return Shape.MAP
    if column_type.get("max", 1) != 1:
        return Shape.SET
    return Shape.OPTIONAL if column_type.get("min", 1) == 0 else Shape.SCALAR


def is_composite(column_type: Any) -> bool:
    """Whether values may have several elements, so that differences are by element."""
    return not isinstance(column_type, str) and column_type.get("max", 1) != 1


_DEFAULTS: dict[str, Atom] = {"integer": 0, "real": 0.0, "boolean": False, "string": "", "uuid": NO_UUID}


def base_name(base: Any) -> str:
    """The atomic type's name of a `key` or `value` of a column's type."""
    return base if isinstance(base, str) else str(base["type"])


def default_of(column_type: Any) -> Value:
    """The value of a column that nobody has set (RFC 7047 section 5.2.1)."""
    shape = shape_of(column_type)
    if shape is Shape.OPTIONAL:
        return None
    key = _DEFAULTS[base_name(column_type if isinstance(column_type, str) else column_type["key"])]
    if shape is Shape.SCALAR:
        return key
    empty = column_type.get("min", 1) == 0
    if shape is Shape.SET:
        return frozenset() if empty else frozenset((key,))
    return {} if empty else {key: _DEFAULTS[base_name(column_type["value"])]}


def decode_atom(json: Any) -> Atom:
    """The atom that `json` stands for; raises NotationError."""
    if isinstance(json, (str, int, float)):
        return json
    match json:
        case ["uuid", str(text)]:
            return Uuid(text)
        case ["named-uuid", str(name)]:
            return NamedUuid(name)
    raise NotationError(f"not an atom: {json!r:.80}")


def decode(json: Any, shape: Shape) -> Value:
    """The value that `json` stands for in a column of that shape; raises NotationError."""
    if shape is Shape.MAP:
        match json:
            case ["map", list(pairs)]:
                try:
                    return {decode_atom(key): decode_atom(value) for key, value in pairs}
                except (TypeError, ValueError) as error:
                    raise NotationError(f"not a map: {json!r:.80}") from error
        raise NotationError(f"not a map: {json!r:.80}")
    match json:
        case ["set", list(elements)]:
            atoms = frozenset(map(decode_atom, elements))
            if shape is Shape.SET:
                return atoms
            if len(atoms) > 1 or (not atoms and shape is Shape.SCALAR):
                raise NotationError(f"{len(atoms)} values where one is wanted")
            return next(iter(atoms), None)
    atom = decode_atom(json)
    return frozenset((atom,)) if shape is Shape.SET else atom


def encode_atom(atom: Atom) -> Any:
    """The JSON of one atom."""
    if isinstance(atom, Uuid):
        return ["uuid", str(atom)]
    if isinstance(atom, NamedUuid):
        return ["named-uuid", str(atom)]
    return atom


def encode(value: Value | Iterable[Atom] | Mapping[Atom, Atom]) -> Any:
    """The JSON of a value: atoms, None, maps, or any other iterable as a set; in a stable order."""
    if value is None:
        return ["set", []]
    if isinstance(value, (str, int, float)):
        return encode_atom(value)
    if isinstance(value, Mapping):
        return ["map", [[encode_atom(key), encode_atom(value[key])] for key in sorted(value)]]
    atoms = [encode_atom(atom) for atom in sorted(value)]
    return atoms[0] if len(atoms) == 1 else ["set", atoms]
