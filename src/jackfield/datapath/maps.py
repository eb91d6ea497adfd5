"""eBPF maps as typed tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Table(Generic[K, V]):
    """One map. An array element that is all zeros counts as absent, so arrays and hashes look alike.

    Any thread may use it. Every method raises KernelError when the kernel refuses.
    """

    name: str
    max_entries: int

    def get(self, key: K) -> V | None: ...

    def set(self, key: K, value: V) -> None: ...

    def set_many(self, items: Iterable[tuple[K, V]]) -> None: ...

    def delete(self, key: K) -> None:
        """No error when it is absent."""

    def items(self) -> list[tuple[K, V]]:
        """All that is there, in the kernel's order (arrays: by rising key)."""
