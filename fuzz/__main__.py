"""`python -m fuzz TARGET`: feeds one target with inputs that reach new code, from its corpus on."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["jackfield"]):
    from fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
LONGEST = 2048  # bytes of an input


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description="Feeds one target with inputs that reach new code."
    )
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=10, help="how long (default %(default)s)")
    parser.add_argument("--runs", type=int, default=-1, help="at most so many inputs")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; 0: another every time")
    parser.add_argument("--keep", type=Path, help="a directory for new inputs that reach new code")
    parser.add_argument("--failures", type=Path, default=Path(), help="where an input that fails is put")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    seeds = ",".join(map(str, sorted((CORPUS / options.target).iterdir())))
    flags = {
        "max_total_time": options.seconds,
        "runs": options.runs,
        "seed": options.seed,
        "seed_inputs": seeds,
        "max_len": LONGEST,
        "timeout": 20,
        "artifact_prefix": f"{options.failures.resolve()}/",
        "print_funcs": 0,
        "print_final_stats": 1,
        "verbosity": 1,
    }
    arguments = [f"-{name}={value}" for name, value in flags.items()]
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        arguments.append(str(options.keep))
    atheris.Setup([sys.argv[0], *arguments], TARGETS[options.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
