"""Where the parts of a report are, and what is said of the whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from jackfield.lab.record import Capture, Chart, Play, Record


@dataclass(frozen=True, slots=True)
class About:
    """When and on what the experiments were run."""

    date: str
    machine: str
    version: str

    def line(self) -> str:
        """All of it in a line."""
        return f"Jackfield {self.version}, {self.machine}, {self.date}"


def capture_path(play: Play, capture: Capture) -> str:
    """The file of a capture, seen from the report."""
    return f"captures/{play.scenario}-{play.switch}/{capture.file.name}"


def chart_path(play: Play, chart: Chart) -> str:
    """The file of a chart, seen from the report."""
    words = re.sub(r"[^a-z0-9]+", "-", chart.title.lower()).strip("-")
    return f"charts/{play.scenario}-{words}.svg"


def outcome(records: Sequence[Record]) -> str:
    """How many checks hold."""
    checks = [check for record in records for play in record.plays for check in play.checks()]
    ended = sum(1 for record in records for play in record.plays if play.error)
    text = f"{sum(check.holds for check in checks)} of {len(checks)} checks hold"
    return f"{text}, {ended} not played to the end" if ended else text


def score(play: Play) -> str:
    """What came of a play, in a word or two."""
    if play.skipped:
        return "skipped"
    checks = list(play.checks())
    return f"{sum(check.holds for check in checks)}/{len(checks)}" + " and ended" * bool(play.error)
