"""`python -m demo [--svg FILE]`, as root: exit code 0 when all was proved, 1 when something was not."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.text import Text

from demo.place import DIRECTORY, NAMESPACES, left_behind, place
from demo.stage import Failed, Stage
from demo.story import tell

RECORDED_WIDTH = 112
PIPED_WIDTH = 160


def _interrupted(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def play(stage: Stage) -> None:
    """Plays the whole demonstration and proves that nothing of it is left."""
    with place(stage):
        tell(stage, NAMESPACES)
        instance = json.loads(stage.run("host", "jackfield status --json", shown=False))["instance"]
        stage.chapter("Clean up", "The daemon ends and takes along every device, program and map it made.")
        stage.run("host", "jackfield stop --cleanup")
        rest = left_behind(stage, instance)
    stage.prove("after it, nothing is left", not rest, ", ".join(rest) or "no device, no program, no map")


def picture(console: Console) -> str:
    """What was shown, as SVG in the reader's own fixed-width font: nothing is fetched to draw it."""
    return re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="scripts/demo"), flags=re.DOTALL)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description="Shows a switch at work.")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="also write what was shown as a picture")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("scripts/demo: namespaces and eBPF programs need root: run it as root", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    width = RECORDED_WIDTH if options.svg else None if sys.stdout.isatty() else PIPED_WIDTH
    console = Console(record=options.svg is not None, width=width, highlight=False)
    stage = Stage(console, NAMESPACES, DIRECTORY)
    begin = time.monotonic()
    try:
        play(stage)
    except Failed as error:
        console.print(Text(f"\n{error}", style="bold red"))
    except KeyboardInterrupt:
        console.print(Text("\ninterrupted; cleaned up", style="bold red"))
        return 130
    else:
        console.print()
        console.print(stage.table())
        console.print(f"in {time.monotonic() - begin:.0f} s", style="dim")
        if options.svg:
            options.svg.write_text(picture(console), encoding="utf-8")
        return 0 if all(proof.holds for proof in stage.proofs) else 1
    return 1


if __name__ == "__main__":
    sys.exit(main())
