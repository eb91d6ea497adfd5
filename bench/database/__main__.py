"""`python -m bench.database`: measures, prints Markdown and writes JSON."""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import sys
from contextlib import ExitStack, closing
from pathlib import Path

from bench.database.client import Client, listeners
from bench.database.measures import (
    CLIENTS,
    COMMITS,
    INITIAL,
    LOAD,
    MONITORS,
    READY,
    RESIDENT,
    TABLES,
    TOGETHER,
    Committer,
    commits_with,
    fill,
    initial,
)
from bench.database.report import Results, markdown, svg, targets
from bench.database.servers import COMMANDS, Running, place, serving
from bench.netns import BenchError
from bench.results import machine

LEAST_ROUNDS = 5
BLOCKS = 8


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure_round(results: Results) -> None:
    """One round: every measure of both servers, side by side and by turns."""
    with ExitStack() as stack:
        places = {name: stack.enter_context(place(name)) for name in COMMANDS}
        for name, where in places.items():
            with serving(name, where) as running, closing(Client(where.socket)) as client:
                results.add(LOAD, name, fill(client))
        servers = {name: stack.enter_context(serving(name, where)) for name, where in places.items()}
        for name, running in servers.items():
            results.add(READY, name, running.ready * 1e3)
            results.add(RESIDENT, name, running.resident())
        for name, running in servers.items():
            with closing(Client(running.place.socket)) as client:
                results.add(INITIAL, name, initial(client))
        committers = {
            name: stack.enter_context(closing(Committer(running, CLIENTS)))
            for name, running in servers.items()
        }
        for monitors in MONITORS:
            with ExitStack() as listening:
                for running in servers.values():
                    listening.enter_context(listeners(running.place.socket, TABLES, monitors))
                measure_commits(results, commits_with(monitors), servers, committers)
        for name, running in servers.items():
            before = running.processor()
            results.add(TOGETHER, name, committers[name].together(COMMITS) * 1e6)
            results.add_processor(TOGETHER, name, (running.processor() - before) / COMMITS * 1e6)


def measure_commits(
    results: Results, measure: str, servers: dict[str, Running], committers: dict[str, Committer]
) -> None:
    """Short blocks of commits by turns, so that a slow moment of the machine meets both."""
    seconds: dict[str, list[float]] = {name: [] for name in servers}
    used = dict.fromkeys(servers, 0.0)
    for _ in range(BLOCKS):
        for name, running in servers.items():
            before = running.processor()
            seconds[name] += committers[name].alone(COMMITS // BLOCKS)
            used[name] += running.processor() - before
    for name, values in seconds.items():
        results.add(measure, name, statistics.median(values) * 1e6)
        results.add_processor(measure, name, used[name] / len(values) * 1e6)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench database", description="Measures the database server beside OVS's ovsdb-server."
    )
    parser.add_argument(
        "--rounds", type=int, default=LEAST_ROUNDS, help="turns of each (default %(default)s)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("out/bench-database.json"),
        help="JSON (default %(default)s); the chart is beside it",
    )
    parser.add_argument("--check", action="store_true", help="exit 1 when a promise about speed is not kept")
    options = parser.parse_args()
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    results = Results({**machine(), "date": date, "rounds": options.rounds})
    try:
        for number in range(options.rounds):
            progress(f"round {number + 1} of {options.rounds}")
            measure_round(results)
    except BenchError as error:
        progress(f"scripts/bench: {error}")
        return 1
    except KeyboardInterrupt:
        progress("interrupted; cleaned up")
        return 130
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results.as_json(), indent=2) + "\n", encoding="utf-8")
    options.output.with_suffix(".svg").write_text(svg(results), encoding="utf-8")
    print("\n".join(markdown(results)))
    return 1 if options.check and not all(target.met for target in targets(results)) else 0


if __name__ == "__main__":
    sys.exit(main())
