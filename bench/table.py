"""Markdown tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from bench.measure import Measure, Table


def table_row(*cells: str) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def table_head(*cells: str) -> Iterator[str]:
    """The first two lines of a Markdown table: text to the left, numbers to the right."""
    yield table_row(*cells)
    yield table_row("---", *["---:"] * (len(cells) - 1))


def spread(values: Sequence[float], form: str) -> str:
    """The median, and in brackets the least and the most of several."""
    if len(values) == 1:
        return format(values[0], form)
    low, middle, high = (format(f(values), form) for f in (min, statistics.median, max))
    return f"{middle} ({low} to {high})"


def number(value: float) -> str:
    """Three or four digits, and no exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}" if abs(value) >= 10 else f"{value:.3g}"


def capital(text: str) -> str:
    """A text that begins a line or a cell."""
    return text[:1].upper() + text[1:]


def ratios(values: Mapping[str, Sequence[float]], subject: str, to: str) -> list[float]:
    """Round by round, so that a slow moment of the machine meets both."""
    pairs = zip(values[subject], values[to], strict=True)
    return [mine / theirs if theirs else 0.0 for mine, theirs in pairs]


def comparison(title: str, measures: Mapping[str, Measure], values: Table, limit: str = "") -> Iterator[str]:
    """A line for each measure, a column for each that was measured: medians and spreads; below them the share
    of the limit, where one is given.
    """
    subjects = list(dict.fromkeys(subject for each in values.values() for subject in each))
    yield from table_head(title, "unit", *subjects)
    for name in (each for each in measures if each in values):
        measure, each = measures[name], values[name]
        section = f" ({measure.section})" if measure.section else ""
        cells = (_cell(measure, each, subject, limit) for subject in subjects)
        yield table_row(measure.title + section, measure.unit, *cells)


def _cell(measure: Measure, values: Mapping[str, Sequence[float]], subject: str, limit: str) -> str:
    if subject not in values:
        return ""
    text = spread([value / measure.scale for value in values[subject]], ".4g")
    if not limit or subject == limit or limit not in values:
        return text
    return f"{text}<br>{spread(ratios(values, subject, limit), '.2f')}"
