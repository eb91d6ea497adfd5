"""Database values as text: the notation of ovs-vsctl(8), section "Database Values".

Texts that do not parse, and values against a constraint of the schema, raise ControlError.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

from jackfield.cli.vsctl.errors import ControlError
from jackfield.cli.vsctl.schema import UNLIMITED, BaseType, ColumnType
from jackfield.cli.vsctl.symbols import Symbols
from jackfield.wire.notation import Atom, Shape, Uuid, Value

MAX_RANGE = 4096
_INT64_MIN, _INT64_MAX = -(1 << 63), (1 << 63) - 1
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_INTEGER = re.compile(r"\s*[+-]?[0-9]+", re.ASCII)
_RANGE = re.compile(r"(\s*[+-]?[0-9]+)-(\s*[+-]?[0-9]+)", re.ASCII)
_REAL = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True} | dict.fromkeys(
    ("false", "no", "off", "0"), False
)
_DELIMITERS = frozenset(":=, []{}!<>")

Pair = tuple[Atom, Atom]


def parse_uuid(text: str) -> Uuid | None:
    """The UUID that `text` spells out, or None."""
    return Uuid(text.lower()) if _UUID.fullmatch(text) else None


def take_token(text: str, start: int) -> tuple[str, int]:
    """The token at `start`, up to a delimiter that is neither escaped nor quoted, and where it ends."""
    out: list[str] = []
    quoted = False
    at = start
    while at < len(text):
        char = text[at]
        if char == "\\":
            if quoted:
                out.append(char)
            if at + 1 == len(text):
                raise ControlError(f"{text[start:]}: backslash at end of argument")
            out.append(text[at + 1])
            at += 2
            continue
        if not quoted and char in _DELIMITERS:
            break
        out.append(char)
        quoted ^= char == '"'
        at += 1
    if quoted:
        raise ControlError(f"{text[start:]}: quoted string extends past end of argument")
    return "".join(out), at


def parse_atom(base: BaseType, text: str, symbols: Symbols) -> Atom:
    """One atom; `@NAME` counts as a reference to that row id."""
    atom = _bare_atom(base, text, symbols)
    check_atom(base, atom)
    return atom


def _bare_atom(base: BaseType, text: str, symbols: Symbols) -> Atom:
    match base.name:
        case "integer":
            number = int(text) if _INTEGER.fullmatch(text) else None
            if number is None or not _INT64_MIN <= number <= _INT64_MAX:
                raise ControlError(f'"{text}" is not a valid integer or range')
            return number
        case "real":
            real = float(text) if _REAL.fullmatch(text) else math.inf
            if math.isinf(real):
                raise ControlError(f'"{text}" is not a valid real number')
            return real or 0.0
        case "boolean":
            if text not in _BOOLEANS:
                raise ControlError(f'"{text}" is not a valid boolean (use "true" or "false")')
            return _BOOLEANS[text]
        case "uuid":
            if text.startswith("@"):
                symbol = symbols.refer(text)
                symbol.strong |= base.ref_table is not None and not base.weak
                symbol.weak |= base.weak
                return symbol.uuid
            uuid = parse_uuid(text)
            if uuid is None:
                raise ControlError(f'"{text}" is not a valid UUID')
            return uuid
    return _string(text)


def _string(text: str) -> str:
    if not text:
        raise ControlError('An empty string is not valid as input; use "" to represent the empty string')
    if not text.startswith('"'):
        return text
    if len(text) < 2 or not text.endswith('"'):
        raise ControlError(f"{text}: missing quote at end of quoted string")
    try:
        return str(json.loads(text, strict=False))
    except ValueError as error:
        raise ControlError(f"{text}: bad string: {error}") from error


def _range(base: BaseType, text: str) -> range | None:
    if base.name != "integer" or not (found := _RANGE.fullmatch(text)):
        return None
    first, last = int(found[1]), int(found[2])
    if not (_INT64_MIN <= first <= _INT64_MAX and _INT64_MIN <= last <= _INT64_MAX):
        return None
    if last < first:
        raise ControlError(f'"{text}" is not a valid range. Range end cannot be before start.')
    check_atom(base, first)
    check_atom(base, last)
    if last - first >= MAX_RANGE:
        raise ControlError(
            f'constraint violation: Range "{first}-{last}" is too big. Maximum allowed size is {MAX_RANGE}.'
        )
    return range(first, last + 1)


def check_atom(base: BaseType, atom: Atom) -> None:
    """Raise ControlError if the schema does not allow `atom`."""
    if base.choices is not None and atom not in base.choices:
        allowed = ", ".join(atom_text(choice) for choice in base.choices)
        allowed = allowed if len(base.choices) == 1 else f"[{allowed}]"
        raise ControlError(
            f"constraint violation: {atom_text(atom)} is not one of the allowed values ({allowed})"
        )
    if isinstance(atom, str):
        _check_string(base, atom)
        return
    low, high = base.minimum, base.maximum
    if (low is None or atom >= low) and (high is None or atom <= high):
        return
    shown = atom_text(atom)
    if low is not None and high is not None:
        reason = f"{shown} is not in the valid range {atom_text(low)} to {atom_text(high)} (inclusive)"
    elif low is not None:
        reason = f"{shown} is less than minimum allowed value {atom_text(low)}"
    else:
        assert high is not None
        reason = f"{shown} is greater than maximum allowed value {atom_text(high)}"
    raise ControlError(f"constraint violation: {reason}")


def _check_string(base: BaseType, atom: str) -> None:
    try:
        atom.encode()
    except UnicodeEncodeError as error:
        byte = ord(atom[error.start]) - 0xDC00
        raise ControlError(
            f"constraint violation: not a valid UTF-8 string: invalid UTF-8 sequence 0x{byte:02x}"
        ) from error
    if base.name != "string":
        return
    for limit, wrong, word, extreme in (
        (base.minimum, len(atom) < (base.minimum or 0), "less", "minimum"),
        (base.maximum, base.maximum is not None and len(atom) > base.maximum, "greater", "maximum"),
    ):
        if wrong:
            raise ControlError(
                f'constraint violation: "{atom}" length {len(atom)} is {word} than {extreme} '
                f"allowed length {limit}"
            )


def parse_value(kind: ColumnType, text: str, symbols: Symbols) -> Value:
    """A whole value of a column: atoms, `[…]` around a set, `{…}` around a map's KEY=VALUE pairs."""
    elements = parse_elements(kind, text, symbols)
    if kind.value is not None:
        return dict(elements)
    return from_atoms(kind, elements)


def parse_elements(kind: ColumnType, text: str, symbols: Symbols) -> list[Any]:
    """The elements of a value in the order given: atoms of a set, pairs of a map."""
    is_map = kind.value is not None
    at = _skip(text, 0)
    closing = ""
    if at == len(text):
        empty, noun = ("{}", "map") if is_map else ("[]", "set")
        raise ControlError(f'use "{empty}" to specify the empty {noun}')
    if text[at] == ("{" if is_map else "["):
        closing = "}" if is_map else "]"
        at = _skip(text, at + 1)
    elements: list[Any] = []
    while at < len(text) and text[at] != closing:
        if text[at] in _DELIMITERS:
            raise ControlError(f'{text}: unexpected "{text[at]}" parsing {kind.english}')
        found, at = _element(kind, text, at, symbols)
        elements.extend(found)
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
    if closing:
        if at == len(text):
            raise ControlError(f'{text}: missing "{closing}" at end of data')
        if _skip(text, at + 1) != len(text):
            raise ControlError(f'{text}: trailing garbage after "{closing}"')
    _check_elements(kind, text, elements)
    return elements


def _element(kind: ColumnType, text: str, at: int, symbols: Symbols) -> tuple[list[Any], int]:
    start = at
    token, at = take_token(text, at)
    keys: Iterable[Atom] = _range(kind.key, token) or [parse_atom(kind.key, token, symbols)]
    if kind.value is None:
        return list(keys), at
    at = _skip(text, at)
    if text[at : at + 1] != "=":
        # The original's sentence ends where its string does.
        found = f'"{text[at]}" expecting "="' if at < len(text) else '"'
        raise ControlError(f"{text[start:]}: syntax error at {found}")
    token, at = take_token(text, _skip(text, at + 1))
    value = parse_atom(kind.value, token, symbols)
    return [(key, value) for key in keys], at


def _check_elements(kind: ColumnType, text: str, elements: list[Any]) -> None:
    noun = "value(s)" if kind.value is None else "pair(s)"
    if len(elements) < kind.low:
        raise ControlError(f"{text}: {len(elements)} {noun} specified but the minimum number is {kind.low}")
    if len(elements) > kind.high:
        raise ControlError(f"{text}: {len(elements)} {noun} specified but the maximum number is {kind.high}")
    keys = elements if kind.value is None else [key for key, _ in elements]
    if len(set(keys)) != len(keys):
        what = "set contains duplicate value" if kind.value is None else "map contains duplicate key"
        raise ControlError(f"{text}: {what}")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\n\v\f\r":
        at += 1
    return at


def from_atoms(kind: ColumnType, atoms: Iterable[Atom]) -> Value:
    """The value of a set-like column that holds `atoms`."""
    if kind.shape is Shape.SET:
        return frozenset(atoms)
    return next(iter(atoms), None)


def from_pairs(pairs: Iterable[Pair]) -> dict[Atom, Atom]:
    """The map of these pairs; of several with one key, that with the least value stays, as in OVS."""
    return dict(sorted(pairs, reverse=True))


def to_atoms(value: Value) -> frozenset[Atom]:
    """The elements of a set-like value."""
    if isinstance(value, frozenset):
        return value
    assert not isinstance(value, dict)
    return frozenset() if value is None else frozenset((value,))


def elements_of(value: Value) -> list[Any]:
    """The elements in the database's order: atoms, or the pairs of a map."""
    if isinstance(value, dict):
        return [(key, value[key]) for key in sorted(value)]
    return sorted(to_atoms(value))


def unbounded(kind: ColumnType, low: int) -> ColumnType:
    """The type with at least `low` elements and no upper bound."""
    shape = Shape.MAP if kind.value is not None else Shape.SET
    return kind._replace(low=low, high=UNLIMITED, shape=shape)


def set_of(base: BaseType, low: int) -> ColumnType:
    """The type of sets of that base type."""
    return ColumnType(base, None, low, UNLIMITED, Shape.SET, frozenset())


def atom_text(atom: Atom) -> str:
    """An atom in the form that `parse_atom` accepts."""
    if isinstance(atom, bool):
        return "true" if atom else "false"
    if isinstance(atom, float):
        return f"{atom:.15g}"
    if isinstance(atom, (int, Uuid)):
        return str(atom)
    if _BARE.fullmatch(atom) and atom not in ("true", "false") and not _UUID.fullmatch(atom):
        return atom
    return json.dumps(atom, ensure_ascii=False)


def value_text(kind: ColumnType, value: Value) -> str:
    """A value in the form that `parse_value` accepts."""
    elements = elements_of(value)
    if kind.value is not None:
        text = ", ".join(f"{atom_text(key)}={atom_text(item)}" for key, item in elements)
    else:
        text = ", ".join(map(atom_text, elements))
    if kind.high == 1 and elements:
        return text
    return f"[{text}]" if kind.value is None else f"{{{text}}}"


def bare_text(value: Value) -> str:
    """A value without quotes and brackets, for scripts."""
    elements = elements_of(value)
    if isinstance(value, dict):
        return " ".join(f"{_bare(key)}={_bare(item)}" for key, item in elements)
    return " ".join(map(_bare, elements))


def _bare(atom: Atom) -> str:
    return str(atom) if isinstance(atom, str) else atom_text(atom)
