"""Strict reading of JSON objects: every member typed, none left over."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

from jackfield.ovsdb.errors import syntax_error

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

Check = Callable[[Any], bool]


def is_id(value: Any) -> bool:
    """An `<id>` of RFC 7047 section 3.1."""
    return isinstance(value, str) and _ID.match(value) is not None


def is_string(value: Any) -> bool:
    """A JSON string."""
    return isinstance(value, str)


def is_array(value: Any) -> bool:
    """A JSON array."""
    return isinstance(value, list)


def is_object(value: Any) -> bool:
    """A JSON object."""
    return isinstance(value, dict)


def is_boolean(value: Any) -> bool:
    """A JSON boolean."""
    return isinstance(value, bool)


def is_integer(value: Any) -> bool:
    """A JSON number without a fraction, of 64 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and -(1 << 63) <= value < 1 << 63


def is_number(value: Any) -> bool:
    """A JSON number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Members:
    """The members of one JSON object, taken one by one; `name` says in errors what is being read."""

    __slots__ = ("_json", "_left", "_name")

    def __init__(self, json: Any, name: str) -> None:
        """Raises OvsdbError if `json` is not an object."""
        self._json = json
        self._name = name
        self._left: set[str] = set()
        if not isinstance(json, dict):
            self.refuse("Object expected.")
        self._left.update(json)

    def refuse(self, why: str) -> NoReturn:
        """Raise the error that this object cannot be read."""
        raise syntax_error(self._json, f"Parsing {self._name} failed: {why}")

    def need(self, name: str, *checks: Check) -> Any:
        """A member that must be there and pass one of the checks."""
        if name not in self._json:
            self.refuse(f"Required '{name}' member is missing.")
        return self._checked(name, checks)

    def get(self, name: str, *checks: Check, default: Any = None) -> Any:
        """A member that may be missing."""
        return self._checked(name, checks) if name in self._json else default

    def _checked(self, name: str, checks: tuple[Check, ...]) -> Any:
        value = self._json[name]
        for check in checks:
            if check(value):
                break
        else:
            self.refuse(f"Type mismatch for member '{name}'.")
        self._left.discard(name)
        return value

    def end(self) -> None:
        """Raise OvsdbError if the object has members that nobody asked for."""
        if not self._left:
            return
        names = sorted(self._left)
        more = len(names) - 1
        if not more:
            self.refuse(f"Member '{names[0]}' is present but not allowed here.")
        plural = "s" if more > 1 else ""
        self.refuse(f"Member '{names[0]}' and {more} other member{plural} are present but not allowed here.")
