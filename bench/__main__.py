"""`python -m bench`, as root: measures, prints Markdown, writes JSON and draws a chart."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from bench.chart import svg
from bench.control import MEASURES
from bench.netns import BenchError
from bench.peers import LIMIT, PEERS, Peer
from bench.report import Results, machine, markdown, targets
from bench.traffic import WORKLOADS, reach

LEAST_ROUNDS = 5
BUSY_LOAD = 0.5


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure_rates(
    results: Results, workloads: Iterable[str], peers: dict[str, Peer], rounds: int, seconds: int
) -> None:
    """All peers stand side by side; in each round every one has its turn with every workload."""
    names = list(workloads)
    with ExitStack() as stack:
        ends = {}
        for name, peer in peers.items():
            progress(f"setting up: {name}")
            ends[name] = stack.enter_context(peer())
            reach(ends[name])
        for number in range(rounds):
            progress(f"round {number + 1} of {rounds}")
            turns = [
                (workload, name, WORKLOADS[workload].measure(where, seconds))
                for workload in names
                for name, where in ends.items()
            ]
            for workload, name, value in turns:  # a round counts when it is whole
                results.rates.setdefault(workload, {}).setdefault(name, []).append(value)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures Jackfield beside its peers.")
    parser.add_argument(
        "--rounds", type=int, default=LEAST_ROUNDS, help="turns of each (default %(default)s)"
    )
    parser.add_argument(
        "--seconds", type=int, default=2, help="whole seconds of one turn (default %(default)s)"
    )
    known = [*WORKLOADS, *MEASURES]
    parser.add_argument(
        "--only", nargs="+", choices=known, default=known, metavar="WHAT", help=", ".join(known)
    )
    parser.add_argument(
        "--peers", nargs="+", choices=PEERS, default=list(PEERS), metavar="PEER", help=", ".join(PEERS)
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("out/bench.json"),
        help="JSON, and beside it an SVG chart (default %(default)s)",
    )
    parser.add_argument("--check", action="store_true", help="exit 1 when a promise about speed is not kept")
    options = parser.parse_args()
    if os.geteuid() != 0:
        progress("scripts/bench: namespaces and eBPF programs need root: run it as root")
        return 1
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    if os.getloadavg()[0] > BUSY_LOAD:
        progress("the machine is busy with other work: these figures will say little")
    results = Results({**machine(), "date": date, "rounds": options.rounds, "seconds": options.seconds})
    failed = False
    try:
        workloads = [name for name in WORKLOADS if name in options.only]
        if workloads:
            peers = {name: peer for name, peer in PEERS.items() if name in options.peers}
            measure_rates(results, workloads, peers, options.rounds, options.seconds)
        for name, measure in MEASURES.items():
            if name in options.only:
                progress(measure.title)
                results.control[name] = list(measure.values(options.rounds))
    except BenchError as error:
        progress(f"scripts/bench: {error}")
        failed = True
    except KeyboardInterrupt:
        progress("interrupted; cleaned up")
        return 130
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results.as_json(), indent=2) + "\n", encoding="utf-8")
    if results.rates and LIMIT in options.peers:
        options.output.with_suffix(".svg").write_text(svg(results), encoding="utf-8")
    print("\n".join(markdown(results)))
    missed = options.check and not all(target.met for target in targets(results))
    return 1 if failed or missed else 0


if __name__ == "__main__":
    sys.exit(main())
