"""What happens in an experiment, as data: it is told while it happens and written into reports afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Step:
    """A heading of the story and what it is about."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it was typed on a host. `output` is what it printed, as far as it is shown."""

    host: str
    line: str
    output: str = ""
    code: int = 0  # the exit code
    in_background: bool = False  # it was only started; what it prints comes later, as Printed


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command in the background has printed by its end."""

    host: str
    line: str
    output: str


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on what was seen or done."""

    text: str


@dataclass(frozen=True, slots=True)
class Check:
    """A sentence, whether it holds, and what was seen."""

    sentence: str
    holds: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Capture:
    """Packets captured on a device, in a file of pcap(5)."""

    host: str
    device: str
    file: Path
    frames: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing, as SVG."""

    title: str
    svg: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: headings and rows; the first column is text, the others numbers. A cell may have lines."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Item = Step | Command | Printed | Note | Check | Capture | Chart | Grid


ALL = "all"  # the switch of a play that has several


@dataclass(slots=True)
class Play:
    """One scenario played on one switch."""

    scenario: str
    switch: str
    switch_title: str
    items: list[Item] = field(default_factory=list)
    skipped: str = ""  # why it was not played
    error: str = ""  # what ended it before its end
    seconds: float = 0.0

    def checks(self) -> Iterator[Check]:
        """The checks in the order in which they were made."""
        return (item for item in self.items if isinstance(item, Check))

    def grids(self) -> Iterator[Grid]:
        """The tables in the order in which they were told."""
        return (item for item in self.items if isinstance(item, Grid))

    @property
    def holds(self) -> bool:
        """Whether it came to its end, with every check holding. A play that was skipped has not failed."""
        return not self.error and all(check.holds for check in self.checks())


@dataclass(slots=True)
class Record:
    """A scenario, what it is about, and its plays, one a switch."""

    name: str
    title: str
    about: str
    plays: list[Play] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether no play failed."""
        return all(play.holds for play in self.plays)

    @property
    def was_played(self) -> bool:
        """Whether it ran on any switch at all."""
        return any(not play.skipped for play in self.plays)

    def sentences(self) -> list[str]:
        """The sentences of all checks, each once, in the order in which they first came."""
        return list(dict.fromkeys(check.sentence for play in self.plays for check in play.checks()))


def verdict(play: Play, sentence: str) -> str:
    """What a play says to a sentence: "yes", "NO", or "" when it does not come to it."""
    found = [check.holds for check in play.checks() if check.sentence == sentence]
    if not found:
        return ""
    return "yes" if all(found) else "NO"
