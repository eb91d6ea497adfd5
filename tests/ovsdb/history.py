"""Histories of concurrent clients and crashes, and what must hold of them.

Every transaction of the workload counts a counter up by one, puts its tag into two tables, and reads the
counter, which makes its place in the order known: its serial. A history is the list of events in the order in
which one observer saw them, so that "before" is "earlier in the list".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Tag = tuple[int, int]
"""Which client's transaction, and its how many'th."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction has been sent."""

    tag: Tag


@dataclass(frozen=True, slots=True)
class Done:
    """It has been acknowledged."""

    tag: Tag
    serial: int


@dataclass(frozen=True, slots=True)
class Refused:
    """It has been answered with an error."""

    tag: Tag


@dataclass(frozen=True, slots=True)
class Asked:
    """A client has asked for the counter; `read` tells this question from others."""

    read: int


@dataclass(frozen=True, slots=True)
class Told:
    """It has been told the counter."""

    read: int
    counter: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A monitor has shown a tag."""

    tag: Tag


@dataclass(frozen=True, slots=True)
class Recovered:
    """The server was killed and started again, and this is what it has. Nothing is under way any more."""

    counter: int
    left: tuple[Tag, ...]
    right: tuple[Tag, ...]


Event = Sent | Done | Refused | Asked | Told | Seen | Recovered


def violations(history: Iterable[Event]) -> list[str]:
    """What is wrong with a history, in words; nothing if it is atomic, ordered and durable."""
    checker = _Checker()
    return [problem for event in history for problem in checker.take(event)]


class _Checker:
    def __init__(self) -> None:
        self.sent: set[Tag] = set()
        self.done: dict[Tag, int] = {}
        self.refused: set[Tag] = set()
        self.seen: set[Tag] = set()
        self.survivors: set[Tag] = set()  # unanswered ones that a recovery has shown to be there
        self.lost: set[Tag] = set()  # unanswered ones that it has shown not to be there
        self.serials: set[int] = set()
        self.known = 0  # the counter is at least this, as somebody has been told
        self.floor: dict[Tag | int, int] = {}  # what was known when a transaction or question was sent

    def take(self, event: Event) -> Iterator[str]:
        match event:
            case Sent(tag):
                if tag in self.sent:
                    yield f"{tag}: sent twice"
                self.sent.add(tag)
                self.floor[tag] = self.known
            case Done(tag, serial):
                yield from self._done(tag, serial)
            case Refused(tag):
                self.refused.add(tag)
                if tag in self.seen:
                    yield f"atomicity: {tag} was refused, and seen"
            case Asked(read):
                self.floor[read] = self.known
            case Told(read, counter):
                if counter < self.floor[read]:
                    yield f"order: {counter} was read when {self.floor[read]} was known already"
                self.known = max(self.known, counter)
            case Seen(tag):
                self.seen.add(tag)
                if tag not in self.sent:
                    yield f"atomicity: {tag} was seen and never sent"
                if tag in self.refused or tag in self.lost:
                    yield f"atomicity: {tag} was refused or lost, and seen"
            case Recovered(counter, left, right):
                yield from self._recovered(counter, left, right)

    def _done(self, tag: Tag, serial: int) -> Iterator[str]:
        if tag not in self.sent or tag in self.done:
            yield f"{tag}: acknowledged without being asked"
            return
        if serial in self.serials:
            yield f"order: serial {serial} was given twice"
        if serial <= self.floor[tag]:
            yield f"order: {tag} has serial {serial}, though {self.floor[tag]} was known when it was sent"
        self.done[tag] = serial
        self.serials.add(serial)
        self.known = max(self.known, serial)

    def _recovered(self, counter: int, left: Sequence[Tag], right: Sequence[Tag]) -> Iterator[str]:
        there, twins = set(left), set(right)
        for tag, count in (Counter(left) + Counter(right)).items():
            if count > 2:
                yield f"atomicity: {tag} happened more than once"
        for tag in sorted(there ^ twins):
            yield f"atomicity: half of {tag} is there"
        for tag in sorted((there | twins) - self.sent):
            yield f"atomicity: {tag} is there and was never sent"
        for tag in sorted((there | twins) & self.refused):
            yield f"atomicity: {tag} is there and was refused"
        for tag in sorted((there | twins) & self.lost):
            yield f"durability: {tag} has come back after it was lost"
        if counter != len(there):
            yield f"atomicity: the counter says {counter}, and {len(there)} transactions are there"
        for tag in sorted(self.done.keys() - there):
            yield f"durability: {tag} was acknowledged and is lost"
        for tag in sorted(self.seen - there):
            yield f"durability: {tag} was seen and is lost"
        for tag in sorted(self.survivors - there):
            yield f"durability: {tag} was recovered once and is lost"
        if counter < self.known:
            yield f"durability: the counter is {counter}, and {self.known} was known already"
        # Those without an answer must be just the ones that fill the gaps in the order.
        unanswered = there & self.sent - self.done.keys()
        gaps = counter - sum(serial <= counter for serial in self.serials)
        if gaps != len(unanswered):
            yield f"order: {gaps} serials are free for {len(unanswered)} unanswered transactions"
        self.survivors |= unanswered
        self.lost |= self.sent - there - self.done.keys() - self.refused
        self.known = max(self.known, counter)
