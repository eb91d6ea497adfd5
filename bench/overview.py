"""The beginning of the page about speed: which goals are met, from the data beside the page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.counts.page import goals as counted_goals
from bench.goals import Goal, chart, verdicts
from bench.pages import put_between

MARKS = ("<!-- goals: made by scripts/bench -->", "<!-- end of goals -->")
CHART = "goals.svg"
COUNTED, CLOCKED = "Exact counts: instructions", "By the clock"
Data = Mapping[str, Any]


def groups(counts: Data | None, rates: Data | None) -> dict[str, list[Goal]]:
    """The goals by how they were measured."""
    found = {}
    if counts:
        found[COUNTED] = list(counted_goals(counts))
    if rates:
        found[CLOCKED] = [Goal.of_json(row) for row in rates["targets"]]
    return found


def overview(counts: Data | None, rates: Data | None) -> Iterator[str]:
    """How many are met, what the figures are of, a chart, and both tables."""
    found = groups(counts, rates)
    every = [goal for goals in found.values() for goal in goals]
    missed = sum(not goal.met for goal in every)
    yield f"**Of {len(every)} goals {len(every) - missed} are met and {missed} missed.**"
    yield from _sources(counts, rates)
    yield ""
    yield f"![How far each goal is reached]({CHART})"
    yield ""
    yield from verdicts(every)


def _sources(counts: Data | None, rates: Data | None) -> Iterator[str]:
    if counts:
        yield f"Instructions were counted on Linux {counts['kernel']}, {counts.get('date', '')}."
    if rates:
        said = rates["machine"]
        yield f"All else is by the clock, on {said['cores']} cores of {said['cpu']}, Linux {said['kernel']},"
        yield f"{said['date']}."
        for note in rates["notes"]:
            yield ""
            yield note


def _footnote(counts: Data | None, rates: Data | None) -> str:
    parts = []
    if counts:
        parts.append(f"counted: Linux {counts['kernel']}, {counts.get('date', '')}")
    if rates:
        said = rates["machine"]
        parts.append(f"by the clock: {said['cpu']}, Linux {said['kernel']}, {said['date']}")
    return "; ".join(parts)


def put_into(page: Path) -> None:
    """Make the marked part of the page anew, and its chart beside it. The data of both kinds of run is
    beside the page too, PAGE.json and bench.json. Raises BenchError when the page lacks the marks.
    """
    counts, rates = (_read(path) for path in (page.with_suffix(".json"), page.with_name("bench.json")))
    goals: dict[str, Sequence[Goal]] = {**groups(counts, rates)}
    if any(goals.values()):
        page.with_name(CHART).write_text(chart(goals, _footnote(counts, rates)), encoding="utf-8")
        put_between(page, *MARKS, list(overview(counts, rates)))


def _read(path: Path) -> Data | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
