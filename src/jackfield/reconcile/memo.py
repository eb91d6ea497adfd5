"""Remembering what was made of what, so that a pass over many ports costs what has changed of them. Pure but
for the memory, which can be lost at any time: then things are made anew."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


def renewed(before: Mapping[K, object], now: Mapping[K, object]) -> list[K]:
    """The keys of `now` whose value is not the very object that it was `before`. Of thousands of things that
    are never changed in place, the few that are new are found in the time it takes to point at each."""
    get = before.get
    return [key for key, value in now.items() if get(key) is not value]


class Memo(Generic[T]):
    """Results by key, each kept as long as it is asked for in every round and made of the same.

    What things are made of is compared part by part, the same object being equal without a look: rows of a
    replica, which are never changed in place, cost nothing.
    """

    def __init__(self) -> None:
        self._before: dict[Hashable, tuple[object, T]] = {}
        self._now: dict[Hashable, tuple[object, T]] = {}
        self._setting: object = None

    def start(self, setting: object) -> None:
        """Begin a round; `setting` is what everything is made of besides: nothing is kept if it differs."""
        self._before = self._now if setting == self._setting else {}
        self._now = {}
        self._setting = setting

    def get(self, key: Hashable, parts: object, make: Callable[[], T]) -> T:
        """What was made for `key` of equal parts, else what is made now, the same object again if that comes
        out equal: it may be a part of something else."""
        known = self._before.get(key)
        if known is None:
            result = make()
        else:
            result = known[1]
            if known[0] != parts:
                made = make()
                result = result if made == result else made
        self._now[key] = parts, result
        return result
