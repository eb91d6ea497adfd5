"""`python -m fuzz TARGET`: feeds one target with inputs that reach new code, from its corpus on; `all` gives
each its turn."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import atheris

from fuzz.campaign import Plan, run, table
from fuzz.targets import MODULES, load

CORPUS = Path(__file__).parent / "corpus"
LONGEST = 4096  # bytes of an input
SLOWEST_SECONDS = 60  # of one input, on a machine that does other things as well


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description="Feeds one target with inputs that reach new code, or all in turn."
    )
    parser.add_argument("target", choices=("all", *MODULES))
    parser.add_argument("--seconds", type=int, default=10, help="how long (default %(default)s)")
    parser.add_argument("--minutes", type=float, help="the same in minutes")
    parser.add_argument("--runs", type=int, default=-1, help="at most so many inputs")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; 0: another every time")
    parser.add_argument("--keep", type=Path, help="a directory for new inputs that reach new code")
    parser.add_argument("--failures", type=Path, default=Path(), help="where an input that fails is put")
    parser.add_argument("--jobs", type=int, default=1, help="with all: so many at a time")
    parser.add_argument("--record", type=Path, help="with all: a file to which each turn adds a line of JSON")
    options = parser.parse_args()
    seconds = options.seconds if options.minutes is None else round(60 * options.minutes)
    if options.target == "all":
        keep = options.keep or Path("fuzz-inputs")
        turns = run(tuple(MODULES), Plan(seconds, options.jobs, keep, options.failures, options.record))
        print("\n".join(table(turns)))
        return int(any(turn.failure for turn in turns))
    _fuzz(options, seconds)
    return 0


def _fuzz(options: argparse.Namespace, seconds: int) -> None:
    with atheris.instrument_imports(include=["jackfield"]):
        target = load(options.target)
    logging.disable(logging.WARNING)
    seeds = ",".join(map(str, sorted((CORPUS / options.target).iterdir())))
    flags = {
        "max_total_time": seconds,
        "runs": options.runs,
        "seed": options.seed,
        "seed_inputs": seeds,
        "max_len": LONGEST,
        "timeout": SLOWEST_SECONDS,
        "report_slow_units": SLOWEST_SECONDS,
        "artifact_prefix": f"{options.failures.resolve()}/{options.target}-",
        "print_funcs": 0,
        "print_final_stats": 1,
        "verbosity": 1,
    }
    arguments = [f"-{name}={value}" for name, value in flags.items()]
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        arguments.append(str(options.keep))
    atheris.Setup([sys.argv[0], *arguments], target)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
