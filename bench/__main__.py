"""`python -m bench`, as root: measures Jackfield beside its peers, and writes a report into a folder."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import control, scale
from bench.chart import svg
from bench.effort import FULL, QUICK, Effort
from bench.netns import BenchError
from bench.pages import put_between
from bench.peers import LIMIT, PEERS
from bench.report import Results, machine, markdown, targets
from bench.rfc2889 import run as rfc2889
from bench.summary import summary
from bench.traffic import WORKLOADS, reach

BUSY_LOAD = 0.5
SPEED, END_OF_SPEED = "<!-- speed: made by scripts/bench -->", "<!-- end of speed -->"
BEGIN, END = "<!-- rates: made by scripts/bench -->", "<!-- end of rates -->"
JSON, CHART, PAGE = "report.json", "report.svg", "report.md"


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure_rates(results: Results, effort: Effort) -> None:
    """All peers stand side by side; in each round every one has its turn with every workload."""
    with ExitStack() as stack:
        ends = {}
        for name, peer in PEERS.items():
            progress(f"setting up: {name}")
            ends[name] = stack.enter_context(peer())
            reach(ends[name])
        for number in range(effort.rounds):
            progress(f"rates: round {number + 1} of {effort.rounds}")
            turns = [
                (workload, name, WORKLOADS[workload].measure(where, effort.seconds))
                for workload in WORKLOADS
                for name, where in ends.items()
            ]
            for workload, name, value in turns:  # a round counts when it is whole
                results.note(results.rates, workload, name, value)


def measure_control(results: Results, effort: Effort) -> None:
    """Each switch lives its life once a round."""
    for name, subject, value in control.measure(effort):
        results.note(results.control, name, subject, value)


def measure_rfc2889(results: Results, effort: Effort) -> None:
    """The benchmarks of RFC 2889."""
    for name, subject, value in rfc2889.measure(effort):
        results.note(results.rfc2889, name, subject, value)


def measure_scale(results: Results, effort: Effort) -> None:
    """Large switches beside small ones."""
    for name, subject, value in scale.measure(effort):
        results.note(results.scale, name, subject, value)


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A part of the report: what it is, about how many seconds it takes, and how it is measured."""

    title: str
    seconds: Callable[[Effort], float]
    measure: Callable[[Results, Effort], None]


PARTS = {
    "rates": Part(
        "TCP and UDP between two containers",
        lambda effort: 15 + effort.rounds * len(PEERS) * (2 * effort.seconds + 1.5),
        measure_rates,
    ),
    "rfc2889": Part(
        "the benchmarks of RFC 2889 for switches",
        lambda effort: effort.rounds * (15 + 30 * effort.trial_seconds) + effort.addresses[-1] / 10_000,
        measure_rfc2889,
    ),
    "scale": Part(
        "large switches beside small ones",
        lambda effort: 40 + effort.rounds * 14 * (effort.trial_seconds + 0.2) + effort.ports / 25,
        measure_scale,
    ),
    "control": Part(
        "the control plane", lambda effort: effort.control_rounds * (5 + effort.ports / 50), measure_control
    ),
}


def write(results: Results, folder: Path) -> list[str]:
    """The report as files: JSON, a chart, Markdown; returns the lines of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    if results.rates:
        (folder / CHART).write_text(svg(results), encoding="utf-8")
        lines = [f"![Rates as shares of a {LIMIT}]({CHART})", ""]
    lines += markdown(results)
    (folder / JSON).write_text(json.dumps(results.as_json(), indent=2) + "\n", encoding="utf-8")
    (folder / PAGE).write_text("\n".join(["# Jackfield beside its peers", "", *lines, ""]), encoding="utf-8")
    return lines


def publish(lines: list[str], folder: Path, page: Path) -> None:
    """Put the tables between the marks of a page; data and chart beside it, as bench.json and bench.svg."""
    put_between(page, BEGIN, END, [line.replace(f"({CHART})", "(bench.svg)") for line in lines])
    for name in (JSON, CHART):
        if (folder / name).exists():
            text = (folder / name).read_text(encoding="utf-8")
            page.with_name("bench").with_suffix(Path(name).suffix).write_text(text, encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures Jackfield beside its peers.")
    parser.add_argument("--quick", action="store_true", help="as little as shows that everything works")
    parser.add_argument("--rounds", type=int, help=f"turns of each (default {FULL.rounds})")
    parser.add_argument("--seconds", type=int, help=f"whole seconds of a turn (default {FULL.seconds})")
    parts = ", ".join(f"{name} ({part.title})" for name, part in PARTS.items())
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=parts)
    parser.add_argument(
        "--output", type=Path, default=Path("out/bench"), help="the report's folder (default %(default)s)"
    )
    parser.add_argument("--page", type=Path, help="a Markdown page whose marked part is made anew")
    parser.add_argument("--readme", type=Path, help="the same of a first page; takes all parts")
    parser.add_argument("--check", action="store_true", help="exit 1 when a promise about speed is not kept")
    return parser.parse_args()


def measure(results: Results, effort: Effort, parts: list[str]) -> bool:
    """All parts, one after the other; whether all went well."""
    well = True
    for number, name in enumerate(parts):
        left = sum(PARTS[each].seconds(effort) for each in parts[number:])
        end = datetime.datetime.now() + datetime.timedelta(seconds=left)
        progress(f"{name}: {PARTS[name].title}; all is done at about {end:%H:%M}")
        begin = time.monotonic()
        try:
            PARTS[name].measure(results, effort)
        except BenchError as error:
            progress(f"scripts/bench: {name}: {error}")
            well = False
        progress(f"{name}: took {time.monotonic() - begin:.0f} s")
    return well


def main() -> int:
    options = arguments()
    if options.readme and not {"rates", "control"} <= set(options.only):
        progress("scripts/bench: --readme takes the parts rates and control: leave --only out")
        return 2
    if os.geteuid() != 0:
        progress("scripts/bench: namespaces and eBPF programs need root: run it as root")
        return 1
    effort = QUICK if options.quick else FULL
    changes = {name: getattr(options, name) for name in ("rounds", "seconds") if getattr(options, name)}
    effort = dataclasses.replace(effort, **changes)
    if os.getloadavg()[0] > BUSY_LOAD:
        progress("the machine is busy with other work: these figures will say little")
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    results = Results({**machine(), "date": date}, effort)
    try:
        well = measure(results, effort, [name for name in PARTS if name in options.only])
    except KeyboardInterrupt:
        progress("interrupted; cleaned up")
        return 130
    lines = write(results, options.output)
    if options.page and well:
        publish(lines, options.output, options.page)
    if options.readme and well:
        put_between(options.readme, SPEED, END_OF_SPEED, list(summary(results)))
    print("\n".join(lines))
    progress(f"the report is in {options.output}")
    missed = options.check and not all(target.met for target in targets(results))
    return 0 if well and not missed else 1


if __name__ == "__main__":
    sys.exit(main())
