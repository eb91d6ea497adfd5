"""`python -m bench`, as root: measures Jackfield beside its peers, and writes a report into a folder."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import sys
import time
from pathlib import Path

from bench import overview
from bench.chart import charts
from bench.effort import FULL, QUICK
from bench.goals import verdicts
from bench.netns import BenchError
from bench.pages import check_marks, put_between
from bench.parts import CONTROL, PARTS, RATES
from bench.progress import Progress
from bench.quiet import free_share, warning
from bench.report import as_json, markdown, targets
from bench.results import Results, machine
from bench.summary import summary

SPEED = ("<!-- speed: made by scripts/bench -->", "<!-- end of speed -->")
MEASURED = ("<!-- rates: made by scripts/bench -->", "<!-- end of rates -->")
JSON, PAGE = "report.json", "report.md"


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def write(results: Results, folder: Path) -> None:
    """The report as files: JSON, a chart of each part, Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = charts(results)
    for name, chart in drawn.items():
        (folder / f"{name}.svg").write_text(chart, encoding="utf-8")
    (folder / JSON).write_text(json.dumps(as_json(results), indent=2) + "\n", encoding="utf-8")
    lines = [
        *markdown(results, {name: f"{name}.svg" for name in drawn}),
        "",
        *verdicts(list(targets(results))),
    ]
    (folder / PAGE).write_text("\n".join(["# Jackfield beside its peers", "", *lines, ""]), encoding="utf-8")


def publish(results: Results, page: Path) -> None:
    """Make the marked parts of a page anew; data and charts beside it, as bench.json and bench-PART.svg."""
    drawn = charts(results)
    for name, chart in drawn.items():
        page.with_name(f"bench-{name}.svg").write_text(chart, encoding="utf-8")
    page.with_name("bench.json").write_text(json.dumps(as_json(results), indent=2) + "\n", encoding="utf-8")
    put_between(page, *MEASURED, list(markdown(results, {name: f"bench-{name}.svg" for name in drawn})))
    overview.put_into(page)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures Jackfield beside its peers.")
    parser.add_argument("--quick", action="store_true", help="as little as shows that everything works")
    parser.add_argument("--rounds", type=int, help=f"turns of each (default {FULL.rounds})")
    parser.add_argument("--seconds", type=float, help=f"of a turn (default {FULL.seconds:g})")
    parts = ", ".join(f"{name} ({part.title})" for name, part in PARTS.items())
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=parts)
    parser.add_argument(
        "--output", type=Path, default=Path("out/bench"), help="the report's folder (default %(default)s)"
    )
    parser.add_argument("--page", type=Path, help="a Markdown page whose marked parts are made anew")
    parser.add_argument("--readme", type=Path, help="the same of a first page; takes all parts")
    parser.add_argument(
        "--from",
        dest="earlier",
        type=Path,
        metavar="JSON",
        help="measure nothing: an earlier run's report.json",
    )
    parser.add_argument("--check", action="store_true", help="exit 1 when a promise about speed is not kept")
    return parser.parse_args()


def measure(results: Results, parts: list[str]) -> bool:
    """All parts, one after the other; whether all went well."""
    estimates = {name: PARTS[name].seconds(results.effort) for name in parts}
    display = Progress(estimates, time.monotonic, progress)
    well = True
    for name in parts:
        results.quiet.append(round(free_share(), 3))
        display.begin(name)
        begin = time.monotonic()
        try:
            _measure_part(results, name, display)
        except BenchError as error:
            progress(f"scripts/bench: {name}: {error}")
            well = False
        progress(f"{name}: took {time.monotonic() - begin:.0f} s of {estimates[name]:.0f} s estimated")
    return well


def _measure_part(results: Results, name: str, display: Progress) -> None:
    """Measures a part; a second time when the first fails. Raises BenchError when that fails too."""
    for attempt in range(2):
        results.tables.pop(name, None)
        try:
            for measured, subject, value in PARTS[name].measure(results.effort, display.tell):
                results.note(name, measured, subject, value)
            return
        except BenchError as error:
            if attempt:
                raise
            progress(f"scripts/bench: {name}: {error}; once more")


def _run(options: argparse.Namespace) -> tuple[Results, bool]:
    """What is measured now, and whether all went well."""
    effort = QUICK if options.quick else FULL
    changes = {name: getattr(options, name) for name in ("rounds", "seconds") if getattr(options, name)}
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    results = Results({**machine(), "date": date}, dataclasses.replace(effort, **changes))
    if busy := warning([free_share()]):
        progress(busy.replace("**", ""))
    return results, measure(results, [name for name in PARTS if name in options.only])


def _earlier(path: Path) -> tuple[Results, bool]:
    """What an earlier run has written. Raises BenchError when that cannot be read."""
    try:
        return Results.of_json(json.loads(path.read_text(encoding="utf-8"))), True
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchError(f"{path} is not the report.json of a run of this version") from error


def main() -> int:
    options = arguments()
    if options.readme and not options.earlier and not {RATES, CONTROL} <= set(options.only):
        progress("scripts/bench: --readme takes the parts rates and control: leave --only out")
        return 2
    if os.geteuid() != 0 and not options.earlier:
        progress("scripts/bench: namespaces and eBPF programs need root: run it as root")
        return 1
    try:
        if options.page:
            check_marks(options.page, MEASURED, overview.MARKS)
        if options.readme:
            check_marks(options.readme, SPEED)
        results, well = _earlier(options.earlier) if options.earlier else _run(options)
    except BenchError as error:
        progress(f"scripts/bench: {error}")
        return 1
    except KeyboardInterrupt:
        progress("interrupted; cleaned up")
        return 130
    write(results, options.output)
    if options.page and well:
        publish(results, options.page)
    if options.readme and well:
        put_between(options.readme, *SPEED, list(summary(results)))
    print((options.output / PAGE).read_text(encoding="utf-8"))
    progress(f"the report is in {options.output}")
    missed = options.check and not all(target.met for target in targets(results))
    return 0 if well and not missed else 1


if __name__ == "__main__":
    sys.exit(main())
