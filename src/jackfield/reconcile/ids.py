"""The small numbers by which the data plane knows bridges, ports and interfaces. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from jackfield.datapath._abi import Name, NameKey, NameKind


def names_by_kind(names: Mapping[NameKey, Name]) -> Mapping[int, dict[int, str]]:
    """The names of each kind of object, by number."""
    found: dict[int, dict[int, str]] = {int(kind): {} for kind in NameKind}
    for (kind, number), value in names.items():
        found.setdefault(kind, {})[number] = value.name
    return found


class Ids:
    """Numbers of one kind of object. What has one keeps it; a number that is in use or was until now is
    not given to another."""

    def __init__(self, kind: NameKind, known: dict[int, str], limit: int) -> None:
        """`known` are the names that have numbers, `limit` is the number after the last one."""
        self.kind = kind
        self.known = known
        self._numbers: dict[str, int] = {}
        for number, name in sorted(self.known.items()):
            self._numbers.setdefault(name, number)
        self._limit = limit
        self._lowest = 1
        self.used: dict[int, str] = {}

    def take(self, name: str) -> int | None:
        """The number of `name`, a new one if it has none; None when there are no more."""
        number = self._numbers.get(name)
        if number is None:
            while self._lowest in self.known:
                self._lowest += 1
            if self._lowest >= self._limit:
                return None
            number = self._lowest
            self._numbers[name] = number
            self._lowest += 1
        self.used[number] = name
        return number

    def new(self) -> dict[int, str]:
        """Numbers given that were not known before."""
        return {number: name for number, name in self.used.items() if number not in self.known}

    def retired(self) -> dict[int, str]:
        """Numbers known that nobody took."""
        return {number: name for number, name in self.known.items() if number not in self.used}
