"""What one run has measured, on which machine."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.effort import FULL, Effort, kind_of_run
from bench.quiet import warning

HEAD = ("machine", "effort", "quiet", "notes", "targets")
"""What stands beside the tables in JSON."""


@dataclass(slots=True)
class Results:
    """Values by part, measure and what was measured, one for each round.

    `quiet` are the shares of a processor that a busy thread got before the parts.
    """

    machine: dict[str, str | int]
    effort: Effort = FULL
    tables: dict[str, dict[str, dict[str, list[float]]]] = field(default_factory=dict)
    quiet: list[float] = field(default_factory=list)

    def note(self, part: str, measure: str, subject: str, value: float) -> None:
        """Add what one round has found."""
        self.tables.setdefault(part, {}).setdefault(measure, {}).setdefault(subject, []).append(value)

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> Results:
        """The results of an earlier run."""
        tables = {name: found[name] for name in found if name not in HEAD}
        return cls(found["machine"], Effort.of_json(found["effort"]), tables, found["quiet"])

    @property
    def notes(self) -> list[str]:
        """What a reader must know before believing the figures."""
        return [line for line in (kind_of_run(self.effort), warning(self.quiet)) if line]

    def as_json(self) -> dict[str, Any]:
        return {
            "machine": self.machine,
            "effort": asdict(self.effort),
            "quiet": self.quiet,
            "notes": self.notes,
            **self.tables,
        }


def machine() -> dict[str, str | int]:
    """On what this was measured, and how busy that was before (load average of the last minute)."""
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    return {
        "cpu": found[1] if found else platform.machine(),
        "cores": os.cpu_count() or 0,
        "kernel": platform.release(),
        "load": f"{os.getloadavg()[0]:.2f}",
        "python": platform.python_version(),
    }
