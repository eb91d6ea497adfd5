"""Atomic types, their constraints and their values (RFC 7047 sections 3.2 and 5.1).

Atoms are int, float, bool or str; a UUID is its 36 characters in lower case, the column's type tells it from
a string.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from jackfield.ovsdb.errors import syntax_error, to_text, violation
from jackfield.ovsdb.members import Members, is_array, is_id, is_integer, is_number, is_string
from jackfield.wire.notation import NO_UUID

Atom = int | float | bool | str
NameLookup = Callable[[str], str]

INTEGER_MIN, INTEGER_MAX = -(1 << 63), (1 << 63) - 1
ZERO_UUID = str(NO_UUID)
DEFAULTS: dict[str, Atom] = {"integer": 0, "real": 0.0, "boolean": False, "string": "", "uuid": ZERO_UUID}

_RANDOM = (1 << 128) - 1 & ~(0xF << 76 | 0b11 << 62)
_VERSION_4 = 0x4 << 76 | 0b10 << 62

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_BARE = re.compile(r"(?!(?:true|false)\Z)[A-Za-z_][A-Za-z0-9_.-]*\Z")


def new_uuid() -> str:
    """A random UUID (RFC 4122 section 4.4)."""
    digits = f"{int.from_bytes(os.urandom(16), 'big') & _RANDOM | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_uuid(text: Any) -> bool:
    """Whether `text` is a UUID in its usual form."""
    return isinstance(text, str) and _UUID.match(text) is not None


@dataclass(frozen=True, slots=True)
class BaseType:
    """An atomic type with its constraints: `<base-type>`.

    `low` and `high` bound a number, or a string's length; `allowed` is the enumeration, in order.
    """

    name: str
    low: int | float | None = None
    high: int | float | None = None
    allowed: tuple[Atom, ...] | None = None
    ref_table: str | None = None
    weak: bool = False

    @property
    def default(self) -> Atom:
        """The value where none is given."""
        return DEFAULTS[self.name]

    def unbounded(self) -> BaseType:
        """The same type without constraints."""
        return replace(self, low=None, high=None, allowed=None)

    def parse(self, json: Any, lookup: NameLookup | None = None) -> Atom:
        """The atom that `json` stands for; `lookup` resolves named UUIDs. Raises OvsdbError."""
        atom = self._atom(json, lookup)
        self.check(atom)
        return atom

    def _atom(self, json: Any, lookup: NameLookup | None) -> Atom:
        name = self.name
        if name == "string":
            if isinstance(json, str):
                return json
        elif name == "uuid":
            return _parse_uuid(json, lookup)
        elif name == "boolean":
            if isinstance(json, bool):
                return json
        elif isinstance(json, bool):
            pass
        elif name == "real":
            if isinstance(json, float) or (isinstance(json, int) and INTEGER_MIN <= json <= INTEGER_MAX):
                return float(json)
        elif isinstance(json, int):
            if INTEGER_MIN <= json <= INTEGER_MAX:
                return json
        elif isinstance(json, float) and json.is_integer() and abs(json) < 1 << 63:
            return int(json)
        raise syntax_error(json, f"expected {name}")

    def check(self, atom: Atom) -> None:
        """Raise OvsdbError if `atom` breaks a constraint of the type."""
        if self.allowed is not None and atom not in self.allowed:
            choices = ", ".join(map(atom_text, self.allowed))
            if len(self.allowed) != 1:
                choices = f"[{choices}]"
            raise violation(f"{atom_text(atom)} is not one of the allowed values ({choices})")
        if self.name == "string":
            self._check_string(str(atom))
        elif self.low is not None or self.high is not None:
            self._check_range(atom)

    def _check_string(self, text: str) -> None:
        if "\0" in text:
            raise violation("not a valid string: null bytes are not supported")
        if self.low is not None and len(text) < self.low:
            raise violation(f'"{text}" length {len(text)} is less than minimum allowed length {self.low}')
        if self.high is not None and len(text) > self.high:
            raise violation(f'"{text}" length {len(text)} is greater than maximum allowed length {self.high}')

    def _check_range(self, atom: Any) -> None:
        low, high = self.low, self.high
        if (low is None or atom >= low) and (high is None or atom <= high):
            return
        if low is not None and high is not None:
            limits = f"not in the valid range {atom_text(low)} to {atom_text(high)} (inclusive)"
        elif low is not None:
            limits = f"less than minimum allowed value {atom_text(low)}"
        else:
            limits = f"greater than maximum allowed value {atom_text(high or 0)}"
        raise violation(f"{atom_text(atom)} is {limits}")

    def to_json(self, atom: Atom) -> Any:
        """The notation of one atom."""
        return ["uuid", atom] if self.name == "uuid" else atom


def _parse_uuid(json: Any, lookup: NameLookup | None) -> str:
    match json:
        case ["uuid", str(text)]:
            if not is_uuid(text):
                raise syntax_error(json, f'"{text}" is not a valid UUID')
            return text.lower()
        case ["named-uuid", str(name)] if lookup:
            if not is_id(name):
                raise syntax_error(json, "named-uuid string is not a valid <id>")
            return lookup(name)
    raise syntax_error(json, 'expected ["uuid", <string>]')


def atom_text(atom: Atom) -> str:
    """An atom as messages show it: strings quoted where they could be misread."""
    if isinstance(atom, bool):
        return "true" if atom else "false"
    if isinstance(atom, float):
        return f"{atom:.15g}"
    if isinstance(atom, int) or is_uuid(atom) or _BARE.match(atom):
        return str(atom)
    return to_text(atom)


def parse_base(json: Any) -> BaseType:
    """A `<base-type>` of a schema (RFC 7047 section 3.2). Raises OvsdbError."""
    if isinstance(json, str):
        return BaseType(_atomic(json))
    members = Members(json, "ovsdb type")
    name = _atomic(members.need("type", is_string))
    base = BaseType(name)
    enum = members.get("enum", lambda value: not isinstance(value, dict))
    if enum is not None:
        atoms = enum[1] if isinstance(enum, list) and len(enum) == 2 and enum[0] == "set" else [enum]
        if not is_array(atoms) or not atoms:
            raise syntax_error(json, "enum must list at least one value")
        base = replace(base, allowed=tuple(sorted({base.parse(atom) for atom in atoms})))
    if name in ("integer", "real", "string"):
        suffix = {"integer": "Integer", "real": "Real", "string": "Length"}[name]
        check = is_number if name == "real" else is_integer
        low, high = members.get("min" + suffix, check), members.get("max" + suffix, check)
        if low is not None and high is not None and low > high:
            raise syntax_error(json, f"min{suffix} exceeds max{suffix}")
        base = replace(base, low=low, high=high)
    elif name == "uuid":
        table = members.get("refTable", is_id)
        kind = members.get("refType", is_string, default="strong") if table else "strong"
        if kind not in ("strong", "weak"):
            raise syntax_error(json, f'refType must be "strong" or "weak" (not "{kind}")')
        base = replace(base, ref_table=table, weak=kind == "weak")
    members.end()
    return base


def _atomic(name: str) -> str:
    if name not in DEFAULTS:
        raise syntax_error(name, f'"{name}" is not an atomic-type')
    return name


def base_to_json(base: BaseType) -> Any:
    """The `<base-type>` in a schema's JSON."""
    json: dict[str, Any] = {"type": base.name}
    if base.allowed is not None:
        json["enum"] = ["set", [base.to_json(atom) for atom in base.allowed]]
    suffix = {"integer": "Integer", "real": "Real"}.get(base.name, "Length")
    for key, bound in (("min" + suffix, base.low), ("max" + suffix, base.high)):
        if bound is not None:
            json[key] = bound
    if base.ref_table is not None:
        json["refTable"] = base.ref_table
        if base.weak:
            json["refType"] = "weak"
    return base.name if len(json) == 1 else json
