"""What was measured of the database servers, for programs (JSON) and for people (Markdown)."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from bench.database.measures import MEASURES, READY, commits_with
from bench.database.servers import OURS, THEIRS
from bench.drawing import Bar, Panel, Widths, draw
from bench.table import number, ratios, spread, table_head, table_row

Values = dict[str, dict[str, list[float]]]

RATIO_TARGETS = {commits_with(10): 3.0}
VALUE_TARGETS = {READY: 2000.0}


@dataclass(frozen=True, slots=True)
class Target:
    """A promise about speed and what was measured of it."""

    text: str
    measured: float
    met: bool


@dataclass(slots=True)
class Results:
    """Values by round: `values[measure][server]` in the measure's unit; `processor` in µs for each commit."""

    machine: dict[str, str | int]
    values: Values = field(default_factory=dict)
    processor: Values = field(default_factory=dict)

    def add(self, measure: str, server: str, value: float) -> None:
        """Note what one round has found."""
        self.values.setdefault(measure, {}).setdefault(server, []).append(value)

    def add_processor(self, measure: str, server: str, value: float) -> None:
        """Note the server's processor time for each commit of one round."""
        self.processor.setdefault(measure, {}).setdefault(server, []).append(value)

    def as_json(self) -> dict[str, object]:
        """All of it, with the verdicts."""
        return {**asdict(self), "targets": [asdict(target) for target in targets(self)]}


def _ratio(values: Mapping[str, Sequence[float]]) -> list[float]:
    return ratios(values, OURS, THEIRS)


def targets(results: Results) -> Iterator[Target]:
    """The promises about what was measured, each by its median."""
    for name, most in RATIO_TARGETS.items():
        if name in results.values:
            ratio = statistics.median(_ratio(results.values[name]))
            text = f"{MEASURES[name].title}: at most {most:g} times {THEIRS}"
            yield Target(text, round(ratio, 2), ratio <= most)
    for name, limit in VALUE_TARGETS.items():
        if name in results.values:
            value = statistics.median(results.values[name][OURS])
            measure = MEASURES[name]
            yield Target(f"{measure.title} at most {limit:g} {measure.unit}", round(value, 1), value <= limit)


def svg(results: Results) -> str:
    """A chart of all that was measured. Raises ValueError when that is nothing."""
    said = results.machine
    panels = [
        Panel(f"{heading}{MEASURES[name].title}", f"{MEASURES[name].unit}, less is better", _bars(values))
        for heading, found in (("", results.values), ("Processor time: ", results.processor))
        for name, values in found.items()
    ]
    footnote = f"{said['cpu']}, {said['cores']} cores, Linux {said['kernel']}, {said['date']}"
    return draw("The database server", panels, footnote, Widths(90, 300, 60), columns=2)


def _bars(values: Mapping[str, Sequence[float]]) -> list[Bar]:
    styles = {OURS: "ours", THEIRS: "ovs"}
    return [
        Bar(
            name, styles[name], min(each), statistics.median(each), max(each), number(statistics.median(each))
        )
        for name, each in values.items()
    ]


def markdown(results: Results) -> Iterator[str]:
    """The tables: medians and spreads."""
    said = results.machine
    yield f"{said['cpu']}, {said['cores']} cores, Linux {said['kernel']}, {said['date']}"
    yield f"{said['rounds']} rounds; medians, in brackets the least and the most"
    for title, found in (
        ("Time and memory", results.values),
        ("Processor time of a commit", results.processor),
    ):
        yield ""
        yield from table_head(title, "unit", OURS, THEIRS, "ratio")
        for name, values in found.items():
            measure = MEASURES[name]
            cells = [spread(values[server], ".4g") for server in (OURS, THEIRS)]
            yield table_row(measure.title, measure.unit, *cells, spread(_ratio(values), ".2f"))
    verdicts = list(targets(results))
    yield ""
    yield from table_head("Promise", "measured", "met")
    for target in verdicts:
        yield table_row(target.text, f"{target.measured:g}", "yes" if target.met else "**no**")
