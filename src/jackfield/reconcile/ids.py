"""The small numbers by which the data plane knows bridges, ports and interfaces. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, filterfalse

from jackfield.datapath._abi import Name, NameKey, NameKind
from jackfield.reconcile.renewed import renewed


@dataclass(frozen=True, slots=True)
class Names:
    """The names that have numbers, and their numbers, by kind; a name's number is the lowest that it has.
    `table` is what they were read from; `changed` are the names that have other numbers than in the reading
    before."""

    table: Mapping[NameKey, Name]
    of: Mapping[int, Mapping[int, str]]
    numbers: Mapping[int, Mapping[str, int]]
    changed: frozenset[str]


def read_names(table: Mapping[NameKey, Name], before: Names | None = None) -> Names:
    """What the table of names says. With the reading `before`, only what is new is read."""
    known = before.table if before is not None else {}
    new = [key for key in renewed(known, table) if known.get(key) != table[key]]
    gone = known.keys() - table.keys() if new or len(known) != len(table) else ()
    if before is not None and not new and not gone:
        return Names(before.table, before.of, before.numbers, frozenset()) if before.changed else before
    of = {int(kind): dict(before.of[kind]) if before is not None else {} for kind in NameKind}
    for kind, number in gone:
        of[kind].pop(number, None)
    for key in new:
        of.setdefault(key.kind, {})[key.id] = table[key].name
    changed = [known[key].name for key in (*gone, *new) if key in known] + [table[key].name for key in new]
    return Names(
        dict(table),
        of,
        {
            kind: {names[number]: number for number in sorted(names, reverse=True)}
            for kind, names in of.items()
        },
        frozenset(changed),
    )


class Ids:
    """Numbers of one kind of object. What has one keeps it; a number that is in use or was until now is
    not given to another."""

    def __init__(self, kind: NameKind, names: Names, limit: int) -> None:
        """`names` are those that have numbers, `limit` is the number after the last one."""
        self.kind = kind
        self.known = names.of[kind]
        self._numbers = names.numbers[kind]
        self._given: dict[str, int] = {}
        self._limit = limit
        self._lowest = 1
        self.used: dict[int, str] = {}

    def take(self, name: str) -> int | None:
        """The number of `name`, a new one if it has none; None when there are no more."""
        number = self._numbers.get(name) or self._given.get(name)
        if number is None:
            self._lowest = next(filterfalse(self.known.__contains__, count(self._lowest)))
            if self._lowest >= self._limit:
                return None
            number = self._lowest
            self._given[name] = number
            self._lowest += 1
        self.used[number] = name
        return number

    def new(self) -> dict[int, str]:
        """Numbers given that were not known before."""
        return {number: name for name, number in self._given.items()}

    def retired(self) -> dict[int, str]:
        """Numbers known that nobody took."""
        return {number: self.known[number] for number in sorted(self.known.keys() - self.used.keys())}
