"""The few figures for a first page."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench import control
from bench.peers import LIMIT
from bench.report import Results, ratios, table_head, table_row
from bench.switch import Switch
from bench.traffic import TCP, UDP


def summary(results: Results) -> Iterator[str]:
    """Rates between containers beside all peers, and what the control plane takes."""
    said = results.machine
    where = f"{said['cores']} cores of {said['cpu']}, Linux {said['kernel']}, {said['date']}"
    yield "Between two containers of one host, from one run of `scripts/bench`"
    yield f"([all of it](docs/performance.md), [data](docs/bench.json): {where};"
    yield f"medians of {results.effort.rounds} rounds by turns, and what of a plain veth pair that is):"
    yield ""
    yield from table_head("", "TCP, one stream", "UDP, 64-byte frames")
    tcp, udp = results.rates[TCP], results.rates[UDP]
    for peer in tcp:
        bits = f"{statistics.median(tcp[peer]) / 1e9:.3g} Gb/s"
        packets = f"{statistics.median(udp[peer]):,.0f} packets/s"
        cells = (
            text if peer == LIMIT else f"{text}, {statistics.median(ratios(rates, peer, LIMIT)):.2f}"
            for text, rates in ((bits, tcp), (packets, udp))
        )
        yield table_row(peer, *cells)

    def middle(name: str) -> float:
        return statistics.median(results.control[name][Switch.title])

    yield ""
    yield f"The daemon is ready in {middle(control.READY) / 1e3:.1f} s and has"
    yield f"{middle(control.SOME_WEIGH):.0f} MB with {control.SOME_PORTS} ports; a new port forwards"
    yield f"{middle(control.ADD_PORT):.0f} ms after `ovs-vsctl add-port` was started,"
    yield f"{results.effort.ports:,} in one transaction take {middle(control.MANY_ADDED):.1f} s."
