"""Where the demonstration is played: commands shown as they run, and what they prove."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

COMMAND_SECONDS = 20.0
PROMPT_STYLES = {"host": "bold cyan", "red": "bold red", "blue": "bold blue"}


class Failed(Exception):
    """A command of the demonstration failed: the message says which, and what it said."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A sentence about the switch and what was seen of it."""

    sentence: str
    holds: bool
    seen: str


class Stage:
    """Runs commands in the demonstration's network namespaces, tells about them, and keeps the proofs."""

    def __init__(self, console: Console, namespaces: Mapping[str, str], directory: Path) -> None:
        """`namespaces` gives the network namespace of each host by the name shown in its prompt."""
        self.console = console
        self.namespaces = namespaces
        self.proofs: list[Proof] = []
        tools = str(Path(sys.executable).parent)
        places = dict.fromkeys(("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR"), str(directory))
        self._environment = {**os.environ, **places, "PATH": f"{tools}:{os.environ['PATH']}", "LC_ALL": "C"}

    def chapter(self, title: str, text: str) -> None:
        """Opens a part of the story."""
        self.console.print()
        self.console.rule(Text(title, style="bold"), align="left", style="dim")
        self.console.print(Padding(Text(text, style="italic"), (0, 0, 1, 0), expand=False))

    def command(self, host: str, *argv: str) -> list[str]:
        """What to execute for a command of `host`."""
        return ["nsenter", f"--net=/run/netns/{self.namespaces[host]}", *argv]

    def start(self, host: str, *argv: str) -> subprocess.Popen[str]:
        """Shows a command and starts it; its output is the caller's to read."""
        self._show(host, argv)
        return subprocess.Popen(
            self.command(host, *argv),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, host: str, line: str, *, shown: bool = True, only: str = "", may_fail: bool = False) -> str:
        """Runs a command, words separated by blanks, shows it with what it prints, and returns that.

        Of what it prints only the lines with the text `only` are shown.

        Raises Failed when it exits other than 0, unless it `may_fail`.
        """
        argv = line.split()
        if shown:
            self._show(host, argv)
        try:
            done = subprocess.run(
                self.command(host, *argv),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{line}: not done within {COMMAND_SECONDS:.0f} s") from error
        if shown:
            self.output("\n".join(line for line in done.stdout.splitlines() if only in line))
        if done.returncode and not may_fail:
            raise Failed(f"{line}: {done.stderr.strip() or done.stdout.strip() or 'failed without a word'}")
        return done.stdout

    def output(self, text: str) -> None:
        """Shows what a command printed."""
        for line in filter(str.strip, text.splitlines()):
            self.console.print(Padding(Text(line, style="dim"), (0, 0, 0, 2), expand=False))

    def prove(self, sentence: str, holds: bool, seen: str) -> None:
        """Keeps whether the sentence holds, with what was seen."""
        self.proofs.append(Proof(sentence, holds, seen))

    def table(self) -> Table:
        """What was proved."""
        table = Table(box=box.SIMPLE_HEAD, header_style="bold")
        table.add_column("")
        table.add_column("What this proved")
        table.add_column("Seen", style="dim")
        for proof in self.proofs:
            mark = Text("yes", style="bold green") if proof.holds else Text("NO", style="bold red")
            table.add_row(mark, proof.sentence, proof.seen)
        return table

    def _show(self, host: str, argv: Sequence[str]) -> None:
        self.console.print(Text.assemble((f"{host}# ", PROMPT_STYLES[host]), (" ".join(argv), "bold")))
