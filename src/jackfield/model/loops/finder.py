"""The search for loops: from a suspicion to certainty, and to the loop's end. Pure, times are arguments.

Addresses that keep moving between two ports make a suspicion. Then some probes are sent out of both, and one
that comes back in proves a loop. While it is known a probe a second asks whether it is still there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

PROBES = 3
PROBE_SECONDS = 0.1
WATCH_SECONDS = 1.0
LOST_SECONDS = 5.0
REST_SECONDS = 1.0
"""A port that no probe came back to is not suspected again for so long."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A port and a VLAN of its bridge."""

    port: str
    vlan: int


@dataclass(frozen=True, slots=True)
class Loop:
    """What is sent out of `out` comes back in by `back`, which may be the same port."""

    out: Place
    back: Place

    @property
    def ports(self) -> tuple[str, str]:
        """Its two ports, in alphabetical order: of a loop, both directions are the same."""
        one, other = sorted((self.out.port, self.back.port))
        return one, other


@dataclass(frozen=True, slots=True)
class News:
    """Loops found, and loops that are gone."""

    found: tuple[Loop, ...] = ()
    gone: tuple[Loop, ...] = ()


@dataclass(slots=True)
class _Search:
    left: int
    due: float


@dataclass(slots=True)
class _Known:
    loop: Loop
    seen: float
    due: float


@dataclass(slots=True)
class Finder:
    """The loops of one switch."""

    _searches: dict[Place, _Search] = field(default_factory=dict)
    _known: dict[tuple[str, str], _Known] = field(default_factory=dict)

    @property
    def loops(self) -> tuple[Loop, ...]:
        """Those that are known."""
        return tuple(known.loop for known in self._known.values())

    def suspect(self, places: Iterable[Place], now: float) -> None:
        """Addresses keep moving between these."""
        for place in places:
            search = self._searches.get(place)
            if search is None or (not search.left and now >= search.due):
                self._searches[place] = _Search(PROBES, now)

    def returned(self, out: Place, back: Place, now: float) -> News:
        """A probe has come back."""
        loop = Loop(out, back)
        known = self._known.get(loop.ports)
        if known is not None:
            known.seen = now
            return News()
        self._known[loop.ports] = _Known(loop, now, now + WATCH_SECONDS)
        return News(found=(loop,))

    def forget(self, ports: Iterable[str]) -> News:
        """These ports are gone, or disabled: nothing goes round through them."""
        gone = frozenset(ports)
        self._searches = {place: each for place, each in self._searches.items() if place.port not in gone}
        return self._end({pair for pair in self._known if not gone.isdisjoint(pair)})

    def probes(self, now: float) -> list[Place]:
        """By which ports probes are to be sent now."""
        due = set()
        for place, search in list(self._searches.items()):
            if now < search.due:
                continue
            if not search.left:
                del self._searches[place]
                continue
            search.left -= 1
            search.due = now + (PROBE_SECONDS if search.left else REST_SECONDS)
            due.add(place)
        for known in self._known.values():
            if now >= known.due:
                known.due = now + WATCH_SECONDS
                due |= {known.loop.out, known.loop.back}
        return sorted(due)

    def ended(self, now: float) -> News:
        """The loops by which nothing has come back for a while; they are forgotten."""
        return self._end({pair for pair, each in self._known.items() if now - each.seen >= LOST_SECONDS})

    def _end(self, pairs: Iterable[tuple[str, str]]) -> News:
        return News(gone=tuple(self._known.pop(pair).loop for pair in sorted(pairs)))

    def wakeup(self) -> float:
        """When there is something to do, if nothing happens before."""
        times = [search.due for search in self._searches.values()]
        times += [min(known.due, known.seen + LOST_SECONDS) for known in self._known.values()]
        return min(times, default=math.inf)
