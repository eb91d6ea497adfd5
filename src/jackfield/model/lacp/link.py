"""One link under LACP: what was heard on it, what was said, what has been counted."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from jackfield.model.lacp.pdu import UNKNOWN, Information, State
from jackfield.model.lacp.settings import LinkSettings

FAST_SECONDS, SLOW_SECONDS = 1.0, 30.0
"""How far PDUs are apart (Fast_Periodic_Time and Slow_Periodic_Time, section 6.4.4)."""
MISSED = 3
"""So many PDUs may be missed: the short timeout is 3 s, the long one 90 s."""
MOST_A_SECOND = 3
"""PDUs that may be sent in Fast_Periodic_Time (section 6.4.16)."""
TOLD = State.ACTIVITY | State.TIMEOUT | State.AGGREGATION | State.SYNCHRONIZED
"""The states of ours that the partner must know (update_NTT, section 6.4.9)."""


class Status(Enum):
    """The receive machine's state (section 6.4.12)."""

    CURRENT = "current"
    EXPIRED = "expired"
    DEFAULTED = "defaulted"


@dataclass(frozen=True, slots=True)
class Memory:
    """What a link under LACP has to remember so that a new process goes on where an old one left off."""

    status: Status
    attached: bool
    partner: Information
    gives_key: bool


@dataclass(slots=True)
class Counters:
    """What happened on a link (lacp/show-stats)."""

    tx: int = 0
    rx: int = 0
    bad: int = 0
    markers: int = 0
    expired: int = 0
    defaulted: int = 0
    carrier_changes: int = 0


@dataclass(slots=True)
class Link:
    """The state of one link. Times are in seconds of any one clock."""

    settings: LinkSettings
    status: Status = Status.DEFAULTED
    attached: bool = False
    carrier: bool | None = None  # None: not heard of yet
    loopback: bool = False
    partner: Information = UNKNOWN
    known: Information = UNKNOWN  # what the partner last said that it knows of us
    deadline: float = math.inf  # when too much was missed
    due: bool = False  # the partner must hear from us at once
    sent: Information | None = None
    times: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_A_SECOND))  # of the last PDUs sent
    counters: Counters = field(default_factory=Counters)

    def expire(self, now: float) -> None:
        """Too much was missed, or something changed that makes what was heard doubtful."""
        self.status = Status.EXPIRED
        self.partner = replace(self.partner, state=(self.partner.state | State.TIMEOUT) & ~State.SYNCHRONIZED)
        self.deadline = now + MISSED * FAST_SECONDS

    def default(self) -> None:
        """Nobody answers: forget the partner."""
        self.status = Status.DEFAULTED
        self.partner = self.known = UNKNOWN
        self.deadline = math.inf

    def hear(self, partner: Information, known: Information, timeout: float, now: float) -> None:
        """A PDU came: its actor is our partner, its partner is us."""
        self.status = Status.CURRENT
        self.partner = partner
        self.known = known
        self.deadline = now + timeout

    def in_sync(self, actor: Information) -> bool:
        """Whether the partner has this link in the right aggregation, and means the one that we mean."""
        return bool(self.partner.state & State.SYNCHRONIZED) and same_link(self.known, actor)

    def period(self) -> float:
        """How often the partner wants to hear from us, in seconds."""
        return FAST_SECONDS if self.partner.state & State.TIMEOUT else SLOW_SECONDS

    def next_transmission(self) -> float:
        """When to send the next PDU: at the latest, or as soon as may be when something is to be told."""
        if not self.times:
            return -math.inf
        if not self.due:
            return self.times[-1] + self.period()
        return self.times[0] + FAST_SECONDS if len(self.times) == MOST_A_SECOND else -math.inf


def same_link(known: Information, actor: Information) -> bool:
    """Whether the partner knows us as we are (recordPDU, section 6.4.9)."""
    return _identity(known) == _identity(actor)


def must_tell(known: Information, actor: Information) -> bool:
    """Whether what the partner knows of us is out of date (update_NTT, section 6.4.9)."""
    return not same_link(known, actor) or bool((known.state ^ actor.state) & TOLD)


def _identity(information: Information) -> tuple[object, ...]:
    return (
        information.system_priority,
        information.system,
        information.key,
        information.port_priority,
        information.port,
        information.state & State.AGGREGATION,
    )


Links = Mapping[str, Link]
