"""`python -m bench.counts.report`: counts in an emulated kernel, and writes JSON, chart and tables."""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
from pathlib import Path

from bench import overview
from bench.counts.names import PARTS
from bench.counts.page import goals, markdown, svg
from bench.goals import verdicts
from bench.netns import BenchError
from bench.pages import check_marks, put_between

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- counts: made by scripts/bench counts -->", "<!-- end of counts -->"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench counts",
        description="Counts the instructions of a packet exactly, beside the peers.",
    )
    parser.add_argument("--kernel", default="6.12", help="Debian's series (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="leave out large tables")
    parser.add_argument("--from", dest="counts", type=Path, help="take the counts from an earlier JSON file")
    parser.add_argument(
        "--output", type=Path, default=Path("out/performance.json"), help="JSON; the chart is beside it"
    )
    parser.add_argument(
        "--page", type=Path, help="a Markdown page whose marked parts are made anew, beside the JSON"
    )
    parser.add_argument("--check", action="store_true", help="exit 1 when a goal is missed")
    options = parser.parse_args()
    if options.page:
        try:
            check_marks(options.page, (BEGIN, END), overview.MARKS)
        except BenchError as error:
            print(f"scripts/bench counts: {error}", file=sys.stderr)
            return 1
    if options.counts:
        counts = json.loads(options.counts.read_text(encoding="utf-8"))
    else:
        parts = [part for part in PARTS if part != "scale" or not options.quick]
        inside = (sys.executable, "-m", "bench.counts", "--only", *parts)
        done = subprocess.run(
            [ROOT / "scripts/vm", options.kernel, "--icount", "--", *inside],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            return done.returncode
        counts = json.loads(done.stdout)
        counts["date"] = datetime.datetime.now(datetime.UTC).date().isoformat()
    chart = options.output.with_suffix(".svg")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
    if "paths" in counts:
        chart.write_text(svg(counts), encoding="utf-8")
    lines = list(markdown(counts, chart.name))
    if options.page:
        put_between(options.page, BEGIN, END, lines)
        overview.put_into(options.page)
    judged = list(goals(counts))
    print("\n".join([*lines, "", *verdicts(judged)]))
    return 1 if options.check and not all(goal.met for goal in judged) else 0


if __name__ == "__main__":
    sys.exit(main())
