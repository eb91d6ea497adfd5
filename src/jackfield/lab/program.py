"""A run of the laboratory from its beginning to its report."""

from __future__ import annotations

import datetime
import os
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from jackfield.client.errors import Failure
from jackfield.lab import namespaces, place
from jackfield.lab.console import Teller, console
from jackfield.lab.record import Record
from jackfield.lab.report.layout import About
from jackfield.lab.run import Settings, run
from jackfield.lab.scenarios import Measuring, Scenario
from jackfield.lab.stage import Stage

PICTURE_WIDTH = 132
TOOLS = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "ping": "iputils-ping",
    "taskset": "util-linux",
    "tcpdump": "tcpdump",
}


@dataclass(slots=True)
class Outcome:
    """What came of a run."""

    records: list[Record] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every check held and every play came to its end."""
        return all(record.holds for record in self.records)

    def as_json(self) -> dict[str, Any]:
        """The checks, for programs."""
        return {
            "holds": self.holds,
            "scenarios": [
                {
                    "name": record.name,
                    "holds": record.holds,
                    "plays": [
                        {
                            "switch": play.switch,
                            "skipped": play.skipped or None,
                            "error": play.error or None,
                            "seconds": round(play.seconds, 1),
                            "checks": [
                                {"check": check.sentence, "holds": check.holds, "seen": check.seen}
                                for check in play.checks()
                            ],
                            "tables": [
                                {"title": grid.title, "headings": grid.headings, "rows": grid.rows}
                                for grid in play.grids()
                            ],
                        }
                        for play in record.plays
                    ],
                }
                for record in self.records
            ],
        }


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and what to leave of it. `silent`: nothing is told on standard output."""

    scenarios: tuple[Scenario, ...]
    switches: tuple[str, ...]
    measuring: Measuring
    report: Path | None = None
    picture: Path | None = None
    hold: Callable[[Stage], None] | None = None
    silent: bool = False

    def run(self) -> Outcome:
        """Run it. Raises Failure when the laboratory cannot be set up, or the report not be written."""
        _check_tools()
        screen = self._console()
        teller, outcome = Teller(screen), Outcome()
        settings = Settings(self.switches, self.measuring, self.hold)
        if self.report is not None:
            from jackfield.lab.report import prepare

            prepare(self.report)
        with place.directory() as directory:
            namespaces.seclude()
            for record in run(self.scenarios, settings, directory, teller):
                outcome.records.append(record)
            teller.summary(outcome.records)
            if self.report is not None:
                from jackfield.lab.report import write

                screen.print(f"report: {write(self.report, outcome.records, _about())}", soft_wrap=True)
        if self.picture is not None:
            self.picture.write_text(_picture(screen), encoding="utf-8")
        return outcome

    def _console(self) -> Console:
        if self.picture is not None:
            return Console(record=True, width=PICTURE_WIDTH, highlight=False, quiet=self.silent)
        return Console(stderr=True, highlight=False) if self.silent else console()


def _check_tools() -> None:
    for tool, package in TOOLS.items():
        if not namespaces.is_installed(tool):
            raise Failure(f"the lab needs {tool}, which is not installed (Debian: the package {package})")


def _about() -> About:
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    machine = f"Linux {platform.release()}, {os.cpu_count()} cores"
    return About(date, machine, version("jackfield"))


def _picture(screen: Console) -> str:
    """What was told, as SVG in the reader's own fixed-width font: nothing is fetched to draw it."""
    return re.sub(r"@font-face \{.*?\}", "", screen.export_svg(title="jackfield lab"), flags=re.DOTALL)
