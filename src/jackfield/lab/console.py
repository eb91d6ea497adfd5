"""Experiments told on a terminal, with colours, or line by line in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.status import Status
from rich.table import Table
from rich.text import Text

from jackfield.lab.record import (
    ALL,
    Capture,
    Chart,
    Check,
    Command,
    Grid,
    Item,
    Note,
    Play,
    Printed,
    Record,
    Step,
    verdict,
)

PIPED_WIDTH = 160
LONGEST_OUTPUT, LONGEST_DUMP = 20, 8  # lines of a command, of tcpdump, that are shown; the report has more
PROMPTS = ("cyan", "magenta", "blue", "green", "yellow")


class Teller:
    """Tells on a rich Console what happens."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._prompts: dict[str, str] = {}
        self._status: Status | None = None

    def scenario(self, record: Record) -> None:
        self.console.print()
        self.console.rule(Text(record.title, style="bold"), characters="━", style="bold")
        self.console.print(Padding(Text(record.about, style="italic"), (0, 0, 0, 0), expand=False))

    def play(self, play: Play) -> None:
        self.console.print()
        title = play.switch_title if play.switch == ALL else f"on {play.switch_title}"
        self.console.rule(Text(title, style="bold cyan"), align="left", style="cyan")
        if play.skipped:
            self.console.print(Text(f"skipped: {play.skipped}", style="yellow"))

    def item(self, item: Item) -> None:
        match item:
            case Step(title, text):
                self.console.print()
                self.console.print(Text(title, style="bold underline"))
                if text:
                    self.console.print(Text(text, style="italic"))
            case Command(host, line, output, _, in_background):
                self._command(host, line + " &" * in_background)
                self._output(output)
            case Printed(host, line, output):
                self.console.print(Text.assemble((f"{host}: ", self._prompt(host)), (f"[{line}]", "dim")))
                self._output(output or "(nothing)", LONGEST_DUMP)
            case Note(text):
                self.console.print(Text(text, style="italic yellow"))
            case Check(sentence, holds, seen):
                mark, style = ("✓", "bold green") if holds else ("✗", "bold red")
                told = Text.assemble((f"{mark} ", style), sentence, (f"  ({seen})", "dim"))
                self.console.print(Padding(told, (0, 0, 0, 2), expand=False))
            case Grid(title, headings, rows):
                self.console.print()
                self.console.print(_grid(title, headings, rows))
            case Capture() | Chart():
                pass  # for the report

    def progress(self, text: str) -> None:
        if not self.console.is_terminal:
            return
        if self._status is None and text:
            self._status = self.console.status(text)
            self._status.start()
        elif self._status is not None and text:
            self._status.update(text)
        elif self._status is not None:
            self._status.stop()
            self._status = None

    def ended(self, play: Play) -> None:
        if play.error:
            self.console.print(Text(f"✗ ended: {play.error}", style="bold red"))

    def summary(self, records: Sequence[Record]) -> None:
        """The table at the end: what each switch said to each sentence."""
        for record in records:
            self.console.print()
            if record.sentences():
                self.console.print(_verdicts(record))
            for play in record.plays:
                if play.skipped or play.error:
                    said = f"skipped: {play.skipped}" if play.skipped else f"ended: {play.error}"
                    self.console.print(Text(f"  {play.switch_title} {said}", style="yellow"))
        held = sum(check.holds for record in records for play in record.plays for check in play.checks())
        total = sum(1 for record in records for play in record.plays for _ in play.checks())
        ended = sum(1 for record in records for play in record.plays if play.error)
        seconds = sum(play.seconds for record in records for play in record.plays)
        line = f"{held} of {total} checks hold" + f", {ended} not played to the end" * bool(ended)
        style = "bold green" if held == total and not ended else "bold red"
        self.console.print(Text.assemble((line, style), (f", in {seconds:.0f} s", "dim")))

    def _prompt(self, host: str) -> str:
        return "bold " + self._prompts.setdefault(host, PROMPTS[len(self._prompts) % len(PROMPTS)])

    def _command(self, host: str, line: str) -> None:
        self.console.print(Text.assemble((f"{host}# ", self._prompt(host)), (line, "bold")))

    def _output(self, text: str, longest: int = LONGEST_OUTPUT) -> None:
        lines = text.splitlines()
        if len(lines) > longest:
            lines = [*lines[:longest], f"... and {len(lines) - longest} lines more"]
        for line in lines:
            self.console.print(Padding(Text(line, style="dim"), (0, 0, 0, 4), expand=False))


def console() -> Console:
    """A console on standard output, wide enough for a command a line in a pipe."""
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)


def _table(title: str) -> Table:
    return Table(
        box=box.SIMPLE_HEAD, header_style="bold", title=title, title_justify="left", title_style="bold"
    )


def _grid(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = _table(title)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    return table


_MARKS = {"yes": Text("yes", style="green"), "NO": Text("NO", style="bold red"), "": Text("-", style="dim")}


def _verdicts(record: Record) -> Table:
    table = _table(record.title)
    table.add_column("")
    for play in record.plays:
        table.add_column(play.switch_title, justify="center")
    for sentence in record.sentences():
        table.add_row(sentence, *(_MARKS[verdict(play, sentence)] for play in record.plays))
    return table
