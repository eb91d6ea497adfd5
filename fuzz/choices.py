"""Structured values out of a fuzzer's bytes. Each byte decides something: small changes, small effects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

MAX_DEPTH = 6
ATOMS: tuple[Any, ...] = (
    0,
    1,
    -1,
    5,
    -5,
    1 << 31,
    (1 << 63) - 1,
    -(1 << 63),
    1 << 63,
    1 << 70,
    0.5,
    -0.0,
    1e300,
    2.0,
    "",
    "a",
    "name",
    "ü\U0001f600",
    "nul\0",
    "00000000-0000-0000-0000-000000000001",
    True,
    False,
    None,
)


class Choices:
    """Decisions read from bytes; when they are used up, every choice is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._pos = 0

    @property
    def left(self) -> bool:
        """Whether bytes are left."""
        return self._pos < len(self._data)

    def byte(self) -> int:
        """The next byte."""
        if not self.left:
            return 0
        self._pos += 1
        return self._data[self._pos - 1]

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1, which is at most 256."""
        return self.byte() % limit

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.below(len(options))]

    def rarely(self) -> bool:
        """True one time in sixteen."""
        return self.byte() % 16 == 15

    def rest(self) -> bytes:
        """All bytes that are left."""
        data, self._pos = self._data[self._pos :], len(self._data)
        return data

    def json(self, depth: int = 0) -> Any:
        """Any JSON value."""
        kind = self.below(8)
        if depth >= MAX_DEPTH or kind < 4:
            return self.pick(ATOMS)
        if kind == 4:
            return [self.pick(("set", "map", "uuid", "named-uuid", "a")), self.json(depth + 1)]
        if kind == 5:
            return {self.pick(("op", "table", "where", "columns", "a")): self.json(depth + 1)}
        if kind == 6:
            return [self.json(depth + 1) for _ in range(self.below(4))]
        return ["uuid", f"00000000-0000-0000-0000-{self.below(4):012d}"]


def decoded(data: bytes) -> Any:
    """The JSON that `data` is, or None if it is none."""
    try:
        return msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return None
