"""Goals about speed: what was to be reached, what was measured, and what is said about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.drawing import Bar, Panel, Widths, draw
from bench.table import number, table_head, table_row

HOST, FLOODING, RATES, CONTROL, PROGRAM, BONDS = (
    "The host's own port", "Flooding", "Between containers", "The control plane", "The program", "Bonds"
)  # fmt: skip
TOPICS = (HOST, FLOODING, RATES, CONTROL, PROGRAM, BONDS)
"""Headings of the page about speed, below which it is told why a goal is missed and what was tried."""

INSTRUCTIONS = "instructions"
FURTHEST = 2.0  # bars of the chart end at twice the goal


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound, what was measured of it, and the heading under which the page tells more."""

    text: str
    bound: float
    measured: float
    unit: str
    topic: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    @property
    def share(self) -> float:
        """How far the goal is reached: 1 is just met, more is better."""
        if self.at_least:
            return self.measured / self.bound
        return self.bound / self.measured if self.measured > 0 else FURTHEST

    @property
    def missed_by(self) -> str:
        """By how much, in the goal's unit and in per cent of the goal."""
        by = abs(self.measured - self.bound)
        return f"{number(by)} {self.unit} ({by / abs(self.bound):.1%})".replace("  ", " ")

    @property
    def bound_text(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {number(self.bound)} {self.unit}".rstrip()

    @property
    def short(self) -> str:
        """Measured and bound, side by side."""
        unit = "" if self.unit == INSTRUCTIONS else self.unit
        return (
            f"{number(self.measured)} {unit}".rstrip()
            + f", {'≥' if self.at_least else '≤'} {number(self.bound)}"
        )

    @property
    def measured_text(self) -> str:
        return f"{number(self.measured)} {self.unit}".rstrip()

    def as_json(self) -> dict[str, Any]:
        return {
            "text": self.text, "bound": self.bound, "measured": self.measured, "unit": self.unit,
            "topic": self.topic, "at_least": self.at_least, "met": self.met,
        }  # fmt: skip

    @classmethod
    def of_json(cls, row: Mapping[str, Any]) -> Goal:
        return cls(row["text"], row["bound"], row["measured"], row["unit"], row["topic"], row["at_least"])


def anchor(heading: str) -> str:
    """The link to a heading of the same page."""
    letters = (letter for letter in heading.lower() if letter.isalnum() or letter in " -")
    return "#" + "".join(letters).replace(" ", "-")


def verdicts(goals: Sequence[Goal]) -> Iterator[str]:
    """What is missed and what is met, as two tables."""
    missed, met = [goal for goal in goals if not goal.met], [goal for goal in goals if goal.met]
    if missed:
        yield from table_head("Missed", "goal", "measured", "by", "why, and what was tried")
        for goal in missed:
            why = f"[{goal.topic}]({anchor(goal.topic)})"
            yield table_row(goal.text, goal.bound_text, f"**{goal.measured_text}**", goal.missed_by, why)
        yield ""
    if met:
        yield from table_head("Met", "goal", "measured")
        for goal in met:
            yield table_row(goal.text, goal.bound_text, goal.measured_text)


def chart(groups: Mapping[str, Sequence[Goal]], footnote: str) -> str:
    """How far each goal is reached. Raises ValueError without goals."""
    panels = []
    for title, goals in groups.items():
        bars = [_bar(goal) for goal in goals]
        if bars:
            panels.append(Panel(title, "beyond the line: met", bars, 1.0))
    return draw("How far each goal is reached", panels, footnote, Widths(520, 220, 150))


def _bar(goal: Goal) -> Bar:
    share = min(goal.share, FURTHEST)
    return Bar(goal.text.replace("`", ""), "met" if goal.met else "missed", share, share, share, goal.short)
