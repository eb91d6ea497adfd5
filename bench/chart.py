"""Charts of what was measured: medians as bars, spreads as lines. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from bench.counts.names import CONTAINERS, HOST, NIC
from bench.drawing import Bar, Panel, Widths, draw, style_of
from bench.measure import Measure
from bench.parts import PARTS, SCALE
from bench.results import Results
from bench.table import capital, number, ratios

TWO_COLUMNS = Widths(180, 210, 60)


def charts(results: Results) -> dict[str, str]:
    """The chart of each part that was measured, by the part's name."""
    return {name: _chart(results, name) for name in PARTS if results.tables.get(name)}


def _chart(results: Results, name: str) -> str:
    part, said = PARTS[name], results.machine
    measures = part.measures(results.effort)
    panels = []
    for measured in (each for each in measures if each in results.tables[name]):
        values = results.tables[name][measured]
        one = 1.0 if name == SCALE and measures[measured].unit.startswith("of that") else None
        if part.limit and part.limit in values:
            panels.append(
                _shares(_title(measured, measures[measured]), measures[measured], values, part.limit)
            )
        else:
            panels.append(_values(measures[measured], values, one))
    title = f"{part.title.partition(' (')[0]}{f', as shares of a {part.limit}' if part.limit else ''}"
    footnote = f"{said['cores']} cores of {said['cpu']}, Linux {said['kernel']}, {said['date']}"
    return draw(title, panels, footnote, TWO_COLUMNS, columns=2)


def _title(key: str, measure: Measure) -> str:
    way = next((each for each in (CONTAINERS, HOST, NIC) if key.startswith(each)), "")
    return f"{capital(way)}: {measure.title}" if way else measure.title


def _shares(title: str, measure: Measure, values: Mapping[str, Sequence[float]], limit: str) -> Panel:
    bars = []
    for subject in values:
        shares = ratios(values, subject, limit)
        middle = statistics.median(shares)
        bars.append(Bar(subject, style_of(subject), min(shares), middle, max(shares), f"{middle:.2f}"))
    return Panel(title, _note("", measure), bars, 1.0)


def _values(measure: Measure, values: Mapping[str, Sequence[float]], line: float | None) -> Panel:
    bars = []
    for subject, each in values.items():
        scaled = [value / measure.scale for value in each]
        middle = statistics.median(scaled)
        bars.append(Bar(subject, style_of(subject), min(scaled), middle, max(scaled), number(middle)))
    title = capital(measure.title.replace("`", ""))
    return Panel(title, _note(measure.unit, measure), bars, line)


def _note(unit: str, measure: Measure) -> str:
    return ", ".join(each for each in (unit, f"{measure.better} is better" if measure.better else "") if each)
