"""`python -m bench.attacks`, as root: each attack on each switch, printed as Markdown and written as JSON."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.attacks import network, sockets
from bench.attacks.outcome import Outcome
from bench.attacks.subjects import SUBJECTS, Subject, standing
from bench.netns import BenchError
from bench.results import machine

Attack = Callable[[Subject], Outcome]
ATTACKS: Mapping[str, Attack] = {
    attack.__name__.replace("_", "-"): attack
    for attack in (
        network.flood_of_addresses,
        network.theft_of_an_address,
        network.false_arp,
        network.storm_of_broadcasts,
        network.broken_frames,
        network.loop_by_a_cable,
        network.death_of_the_daemons,
        network.restart,
        sockets.garbage,
        sockets.endless_message,
        sockets.many_connections,
        sockets.slow_reader,
    )
}
BEGIN, END = "<!-- attacks -->", "<!-- end of attacks -->"
Results = dict[str, dict[str, Outcome]]


def run(attack: Attack, kind: type[Subject]) -> Outcome:
    """One attack on a switch of its own."""
    try:
        with standing(kind) as subject:
            return attack(subject)
    except (BenchError, OSError) as error:
        return Outcome(f"not measured: {error}")


def markdown(results: Results) -> list[str]:
    """The table: an attack a row, a switch a column."""
    seen = {title for outcomes in results.values() for title in outcomes}
    titles = [kind.title for kind in SUBJECTS if kind.title in seen]
    lines = ["| attack | " + " | ".join(titles) + " |", "| --- |" + " --- |" * len(titles)]
    for name in (each for each in ATTACKS if each in results):
        outcomes = results[name]
        words = " ".join((ATTACKS[name].__doc__ or name).split()).rstrip(".")
        cells = (outcomes[title].text if title in outcomes else "" for title in titles)
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    return lines


def _known(path: Path) -> Results:
    """What an earlier run has written."""
    if not path.exists():
        return {}
    attacks = json.loads(path.read_text(encoding="utf-8"))["attacks"]
    return {
        name: {title: Outcome(figures.pop("text"), figures) for title, figures in outcomes.items()}
        for name, outcomes in attacks.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench attacks", description="Attacks Jackfield, Open vSwitch and the Linux bridge."
    )
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS), metavar="ATTACK")
    titles = {kind.__name__.lower(): kind for kind in SUBJECTS}
    parser.add_argument("--switches", nargs="+", choices=titles, default=list(titles), metavar="SWITCH")
    parser.add_argument("--output", type=Path, default=Path("out/attacks.json"), help="(default %(default)s)")
    parser.add_argument("--add", action="store_true", help="keep what is in the output, beside what is new")
    parser.add_argument("--into", type=Path, help=f"a Markdown file whose table, between {BEGIN} and {END}, "
                        "is replaced")  # fmt: skip
    options = parser.parse_args()
    if os.geteuid() != 0:
        print(
            "scripts/bench attacks: namespaces and eBPF programs need root: run it as root", file=sys.stderr
        )
        return 1
    results = _known(options.output) if options.add else {}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        for name in options.only:
            for title in options.switches:
                print(f"{name}: {titles[title].title}", file=sys.stderr, flush=True)
                outcome = run(ATTACKS[name], titles[title])
                results.setdefault(name, {})[titles[title].title] = outcome
                print(f"    {outcome.text}", file=sys.stderr, flush=True)
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    figures = {
        name: {title: {"text": each.text, **each.figures} for title, each in outcomes.items()}
        for name, outcomes in results.items()
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(
        json.dumps({"machine": {**machine(), "date": date}, "attacks": figures}, indent=2) + "\n"
    )
    lines = markdown(results)
    print("\n".join(lines))
    if options.into is not None:
        text = options.into.read_text(encoding="utf-8")
        head, tail = text.partition(BEGIN)[0], text.partition(END)[2]
        table = "\n".join((BEGIN, "", *lines, "", END))
        options.into.write_text(head + table + tail, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
