"""What was measured, for programs (JSON) and for people (Markdown), and whether it is as fast as promised."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import control, scale
from bench.effort import FULL, Effort
from bench.measure import Measure, Values
from bench.peers import INTERNAL, LIMIT, LINUX_BRIDGE, MANY, OVS
from bench.rfc2889 import trials as rfc2889
from bench.switch import Switch
from bench.traffic import TCP, UDP, WORKLOADS

Rates = Mapping[str, Sequence[float]]
Table = dict[str, dict[str, list[float]]]


@dataclass(slots=True)
class Results:
    """Values by round: of each part by measure and by what was measured, in the measure's unit."""

    machine: dict[str, str | int]
    effort: Effort = FULL
    rates: Table = field(default_factory=dict)
    rfc2889: Table = field(default_factory=dict)
    scale: Table = field(default_factory=dict)
    control: Table = field(default_factory=dict)

    @staticmethod
    def note(table: Table, measure: str, subject: str, value: float) -> None:
        """Add what one round has found."""
        table.setdefault(measure, {}).setdefault(subject, []).append(value)

    def as_json(self) -> dict[str, object]:
        """All of it, with the verdicts."""
        return {**asdict(self), "targets": [asdict(target) for target in targets(self)]}


@dataclass(frozen=True, slots=True)
class Target:
    """A promise about speed and what was measured of it."""

    text: str
    measured: float
    met: bool


def machine() -> dict[str, str | int]:
    """On what this was measured, and how busy that was before (load average of the last minute)."""
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    return {
        "cpu": found[1] if found else platform.machine(),
        "cores": os.cpu_count() or 0,
        "kernel": platform.release(),
        "load": f"{os.getloadavg()[0]:.2f}",
        "python": platform.python_version(),
    }


def ratios(rates: Rates, peer: str, to: str) -> list[float]:
    """Round by round, so that a slow moment of the machine meets both."""
    return [mine / theirs for mine, theirs in zip(rates[peer], rates[to], strict=True)]


# The peers whose ratio is promised, by workload: at least this much of that.
RATE_TARGETS = (
    (TCP, INTERNAL, LIMIT, 0.97),
    (TCP, INTERNAL, LINUX_BRIDGE, 1.00),
    (TCP, INTERNAL, OVS, 10.0),
    (UDP, INTERNAL, LIMIT, 0.93),
    (UDP, INTERNAL, LINUX_BRIDGE, 1.15),
    (TCP, MANY, INTERNAL, 0.95),
    (UDP, MANY, INTERNAL, 0.95),
)
CONTROL_TARGETS = {
    control.READY: 1500,
    control.VSCTL: 150,
    control.APPCTL: 150,
    control.ADD_PORT: 100,
    control.MANY_ADDED: 20,
    control.SOME_WEIGH: 80,
}


def targets(results: Results) -> Iterator[Target]:
    """The promises about what was measured, each by its median."""
    for workload, peer, other, least in RATE_TARGETS:
        rates = results.rates.get(workload, {})
        if peer in rates and other in rates:
            ratio = statistics.median(ratios(rates, peer, other))
            text = f"{WORKLOADS[workload].title}: {peer} at least {least:.2f} of {other}"
            yield Target(text, round(ratio, 3), ratio >= least)
    measures = control.measures(results.effort)
    for name, most in CONTROL_TARGETS.items():
        if name in results.control:
            value = statistics.median(results.control[name][Switch.title])
            measure = measures[name]
            yield Target(f"{measure.title} at most {most} {measure.unit}", round(value, 1), value <= most)


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


def comparison(title: str, measures: Mapping[str, Measure], values: Values) -> Iterator[str]:
    """A table of medians and spreads: a line for each measure, a column for each that was measured."""
    subjects = list(dict.fromkeys(subject for each in values.values() for subject in each))
    yield from table_head(title, "unit", *subjects)
    for name, each in values.items():
        measure = measures[name]
        cells = (
            spread([value / measure.scale for value in each[subject]], ".4g") if subject in each else ""
            for subject in subjects
        )
        section = f" ({measure.section})" if measure.section else ""
        yield table_row(measure.title + section, measure.unit, *cells)


def markdown(results: Results) -> Iterator[str]:
    """The tables: medians and spreads."""
    said = results.machine
    yield (
        f"{said['cores']} cores of {said['cpu']}, Linux {said['kernel']}, {said['date']}; "
        f"load when it began {said['load']}."
    )
    yield ""
    yield "Medians of rounds by turns, in brackets the least and the most."
    for name, rates in results.rates.items():
        workload = WORKLOADS[name]
        yield ""
        yield from table_head(workload.title, workload.unit, f"of {LIMIT}")
        for peer, values in rates.items():
            share = spread(ratios(rates, peer, LIMIT), ".2f") if LIMIT in rates else ""
            yield table_row(peer, spread([value / workload.scale for value in values], ".4g"), share)
    if results.rfc2889:
        yield ""
        yield from comparison("RFC 2889 (section)", rfc2889.MEASURES, results.rfc2889)
    if results.scale:
        yield ""
        yield from comparison("Scale", scale.measures(results.effort), results.scale)
    if results.control:
        yield ""
        yield from comparison("Control plane", control.measures(results.effort), results.control)
    verdicts = list(targets(results))
    if verdicts:
        yield ""
        yield from table_head("Promise", "measured", "met")
        for target in verdicts:
            yield table_row(target.text, f"{target.measured:g}", "yes" if target.met else "**no**")
