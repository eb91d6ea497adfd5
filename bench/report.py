"""What was measured, for people (Markdown), and whether it is as fast as promised. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping

from bench import control
from bench.counts.names import CONTAINERS, HOST, NIC
from bench.goals import CONTROL as ABOUT_CONTROL
from bench.goals import PROGRAM as ABOUT_PROGRAM
from bench.goals import RATES as ABOUT_RATES
from bench.goals import Goal
from bench.measure import Measure, Table
from bench.parts import CONTROL, PARTS, RATES, RFC2889
from bench.peers import INTERNAL, LIMIT, LINUX_BRIDGE, OVS, many
from bench.results import Results
from bench.rfc2889.trials import CAPACITY
from bench.switch import Switch
from bench.table import capital, comparison, ratios
from bench.traffic import MEASURES, TCP, UDP, key

# The peers whose ratio is promised, by workload: at least this much of that.
RATE_TARGETS = (
    (TCP, INTERNAL, LIMIT, 0.97),
    (TCP, INTERNAL, LINUX_BRIDGE, 1.00),
    (TCP, INTERNAL, OVS, 10.0),
    (UDP, INTERNAL, LIMIT, 0.93),
    (UDP, INTERNAL, LINUX_BRIDGE, 1.15),
)
SAME_RATE = 0.95  # with many ports as with two
CONTROL_TARGETS = {
    control.READY: 1500,
    control.VSCTL: 150,
    control.APPCTL: 150,
    control.ADD_PORT: 100,
    control.MANY_ADDED: 20,
    control.SOME_WEIGH: 80,
}


def targets(results: Results) -> Iterator[Goal]:
    """The promises about what was measured, each by its median."""
    rates = results.tables.get(RATES, {})
    large = many(results.effort.ports)
    same = ((workload, large, INTERNAL, SAME_RATE) for workload in (TCP, UDP))
    for workload, subject, other, least in (*RATE_TARGETS, *same):
        name = key(CONTAINERS, workload)
        values = rates.get(name, {})
        if subject in values and other in values:
            ratio = statistics.median(ratios(values, subject, other))
            text = f"{MEASURES[name].title}: {subject}, of {other}"
            yield Goal(text, least, round(ratio, 3), "", ABOUT_RATES, at_least=True)
    if CAPACITY in results.tables.get(RFC2889, {}):
        held = statistics.median(results.tables[RFC2889][CAPACITY][Switch.title])
        most = results.effort.addresses[-1]
        yield Goal("Addresses learned, none lost", most, held, "", ABOUT_PROGRAM, at_least=True)
    measures, lives = control.measures(results.effort), results.tables.get(CONTROL, {})
    for name, bound in CONTROL_TARGETS.items():
        if name in lives:
            value = statistics.median(lives[name][Switch.title])
            yield Goal(
                capital(measures[name].title), bound, round(value, 1), measures[name].unit, ABOUT_CONTROL
            )


def as_json(results: Results) -> dict[str, object]:
    """All of it, with the verdicts."""
    return {**results.as_json(), "targets": [goal.as_json() for goal in targets(results)]}


def about(results: Results) -> Iterator[str]:
    """On what and when this was measured, and what is to be known about it."""
    said = results.machine
    yield (
        f"{said['cores']} cores of {said['cpu']}, Linux {said['kernel']}, {said['date']}; "
        f"load when it began {said['load']}; {results.effort.rounds} rounds."
    )
    for line in results.notes:
        yield ""
        yield line


def markdown(results: Results, charts: Mapping[str, str]) -> Iterator[str]:
    """The tables: medians and spreads; `charts` are files by part."""
    yield from about(results)
    yield ""
    yield (
        "Medians of rounds by turns, in brackets the least and the most. Of rates and round trips the second "
        f"line is the share of a {LIMIT}, taken round by round."
    )
    for name, part in PARTS.items():
        values = results.tables.get(name)
        if not values:
            continue
        yield ""
        if name in charts:
            yield from (f"![{part.title.partition(' (')[0]}]({charts[name]})", "")
        measures = part.measures(results.effort)
        if name == RATES:
            yield from _ways(measures, values)
        else:
            yield from comparison(part.title, measures, values, part.limit)


def _ways(measures: Mapping[str, Measure], values: Table) -> Iterator[str]:
    """A table for each way that was measured."""
    for kind in (CONTAINERS, HOST, NIC):
        of_kind = {name: each for name, each in values.items() if name.startswith(f"{kind}: ")}
        if of_kind:
            yield ""
            yield from comparison(capital(kind), measures, of_kind, LIMIT)
