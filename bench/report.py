"""What was measured, for programs (JSON) and for people (Markdown), and whether it is as fast as promised."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.control import ADD_PORT, APPCTL, MANY_ADDED, MEASURES, READY, RESIDENT, VSCTL
from bench.peers import INTERNAL, LIMIT, LINUX_BRIDGE, MANY
from bench.traffic import TCP, UDP, WORKLOADS

Rates = Mapping[str, Sequence[float]]


@dataclass(slots=True)
class Results:
    """Values by round: `rates[workload][peer]` a second, `control[measure]` in the measure's unit."""

    machine: dict[str, str | int]
    rates: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    control: dict[str, list[float]] = field(default_factory=dict)

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
    (TCP, INTERNAL, LIMIT, 0.95),
    (TCP, INTERNAL, LINUX_BRIDGE, 1.00),
    (UDP, INTERNAL, LIMIT, 0.90),
    (UDP, INTERNAL, LINUX_BRIDGE, 1.10),
    (TCP, MANY, INTERNAL, 0.95),
    (UDP, MANY, INTERNAL, 0.95),
)
CONTROL_TARGETS = {READY: 1500, VSCTL: 150, APPCTL: 150, ADD_PORT: 100, MANY_ADDED: 10, RESIDENT: 80}


def targets(results: Results) -> Iterator[Target]:
    """The promises about what was measured, each by its median."""
    for workload, peer, other, least in RATE_TARGETS:
        rates = results.rates.get(workload, {})
        if peer in rates and other in rates:
            ratio = statistics.median(ratios(rates, peer, other))
            text = f"{WORKLOADS[workload].title}: {peer} at least {least:.2f} of {other}"
            yield Target(text, round(ratio, 3), ratio >= least)
    for name, most in CONTROL_TARGETS.items():
        if name in results.control:
            value = statistics.median(results.control[name])
            measure = MEASURES[name]
            yield Target(f"{measure.title} at most {most} {measure.unit}", round(value, 1), value <= most)


def table_row(*cells: str) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def table_head(*cells: str) -> Iterator[str]:
    """The first two lines of a Markdown table: text to the left, numbers to the right."""
    yield table_row(*cells)
    yield table_row("---", *["---:"] * (len(cells) - 1))


def spread(values: Sequence[float], form: str) -> str:
    """The median, and in brackets the least and the most."""
    low, middle, high = (format(f(values), form) for f in (min, statistics.median, max))
    return f"{middle} ({low} to {high})"


def markdown(results: Results) -> Iterator[str]:
    """The tables: medians and spreads."""
    said = results.machine
    yield f"{said['cpu']}, {said['cores']} cores, Linux {said['kernel']}, load {said['load']}, {said['date']}"
    yield f"{said['rounds']} rounds of {said['seconds']} s; medians, in brackets the least and the most"
    for name, rates in results.rates.items():
        workload = WORKLOADS[name]
        yield ""
        yield from table_head(workload.title, workload.unit, f"of {LIMIT}")
        for peer, values in rates.items():
            share = spread(ratios(rates, peer, LIMIT), ".2f") if LIMIT in rates else ""
            yield table_row(peer, spread([value / workload.scale for value in values], ".4g"), share)
    if results.control:
        yield ""
        yield from table_head("Control plane", "median (least to most)")
        for name, values in results.control.items():
            measure = MEASURES[name]
            yield table_row(measure.title, f"{spread(values, '.4g')} {measure.unit}")
    verdicts = list(targets(results))
    if verdicts:
        yield ""
        yield from table_head("Promise", "measured", "met")
        for target in verdicts:
            yield table_row(target.text, f"{target.measured:g}", "yes" if target.met else "**no**")
