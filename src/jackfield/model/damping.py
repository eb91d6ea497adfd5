"""What the data plane does about loops that come into being while nobody looks after them. Pure, times are in
nanoseconds.

The control plane proves a loop before it has ports flood little. When it has given no sign of life, how fast
addresses move decides: to a port and back again so often in one second as no station roams. Then both ports
may flood little for some seconds, and so again if it goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from jackfield.model.guard import GuardState
from jackfield.model.protection import NSEC_PER_SEC, GuardConfig

STORM_MOVES = 512
WINDOW = NSEC_PER_SEC
DAMPED_TIME = 5 * NSEC_PER_SEC
LIMITS = GuardConfig(damped=True)
"""What a damped port is held to."""


class Move(NamedTuple):
    """Addresses of a VLAN were on a port, and are on another one."""

    before: str
    after: str
    vlan: int

    @property
    def back(self) -> Move:
        """The opposite."""
        return Move(self.after, self.before, self.vlan)


@dataclass(frozen=True, slots=True)
class _Count:
    since: int
    moves: int


@dataclass(frozen=True, slots=True)
class Damping:
    """What is remembered of it. `watched` is until when somebody says to look after loops, `until` how
    long ports are damped, and `limits` what they have flooded since."""

    watched: int = 0
    until: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, GuardState] = field(default_factory=dict)
    _counts: Mapping[Move, _Count] = field(default_factory=dict)

    def is_damped(self, port: str, now: int) -> bool:
        """Whether a port may flood little only."""
        return now < self.until.get(port, now)

    def moved(self, move: Move, now: int) -> Damping:
        """An address has moved."""
        if now < self.watched:
            return self
        count = self._counts.get(move)
        if count is None or now - count.since >= WINDOW:
            count = _Count(now, 0)
        count = replace(count, moves=count.moves + 1)
        counts = {**self._counts, move: count}
        back = counts.get(move.back)
        if (
            count.moves < STORM_MOVES
            or back is None
            or back.moves < STORM_MOVES
            or now - back.since >= WINDOW
        ):
            return replace(self, _counts=counts)
        counts |= {move: replace(count, moves=0), move.back: replace(back, moves=0)}
        ends = dict.fromkeys((move.before, move.after), now + DAMPED_TIME)
        return replace(self, until={**self.until, **ends}, _counts=counts)

    def with_limits(self, port: str, state: GuardState) -> Damping:
        """The same after a frame was held against the limits of a damped port."""
        return replace(self, limits={**self.limits, port: state})
