"""The few figures for a first page."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench import control
from bench.counts.names import CONTAINERS
from bench.measure import Measure
from bench.parts import CONTROL, RATES
from bench.peers import LIMIT
from bench.results import Results
from bench.switch import Switch
from bench.table import number, ratios, table_head, table_row
from bench.traffic import CONNECT, MEASURES, TCP, TRIP, UDP, key

COLUMNS = (TCP, UDP, TRIP, CONNECT)


def summary(results: Results) -> Iterator[str]:
    """Rates between containers beside all peers, and what the control plane takes."""
    said = results.machine
    where = f"{said['cores']} cores of {said['cpu']}, Linux {said['kernel']}, {said['date']}"
    yield "Between two containers of one host, from one run of `scripts/bench`"
    yield f"([all of it](docs/performance.md), [data](docs/bench.json): {where};"
    yield f"medians of {results.effort.rounds} rounds by turns, and what of a plain veth pair that is):"
    for line in results.notes:
        yield ""
        yield line
    yield ""
    rates = results.tables[RATES]
    names = [name for name in (key(CONTAINERS, each) for each in COLUMNS) if name in rates]
    yield from table_head("", *(f"{MEASURES[name].title}, {MEASURES[name].unit}" for name in names))
    for peer in rates[names[0]]:
        yield table_row(peer, *(_cell(MEASURES[name], rates[name], peer) for name in names))

    def middle(name: str) -> float:
        return statistics.median(results.tables[CONTROL][name][Switch.title])

    yield ""
    yield f"The daemon is ready in {middle(control.READY) / 1e3:.1f} s and has"
    yield f"{middle(control.SOME_WEIGH):.0f} MB with {control.SOME_PORTS} ports; a new port forwards"
    yield f"{middle(control.ADD_PORT):.0f} ms after `ovs-vsctl add-port` was started,"
    yield f"{results.effort.ports:,} in one transaction take {middle(control.MANY_ADDED):.1f} s."


def _cell(measure: Measure, values: dict[str, list[float]], peer: str) -> str:
    if peer not in values:
        return ""
    text = number(statistics.median(values[peer]) / measure.scale)
    return text if peer == LIMIT else f"{text}, {statistics.median(ratios(values, peer, LIMIT)):.2f}"
