"""`jackfield lab` as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

JACKFIELD = str(Path(sys.executable).parent / "jackfield")
RUNS = Path("/run/jackfield-lab")
SECONDS = 110.0


def lab(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of the laboratory."""
    return subprocess.run(
        [JACKFIELD, "lab", *words],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def outcome(*words: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    """Run experiments and return what came of them; all of it is shown when a test fails."""
    done = lab("run", "--json", *words, env=env)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["holds"] == (done.returncode == 0)
    return dict(told)


def failures(told: dict[str, Any]) -> list[str]:
    """What went wrong, a line each."""
    wrong = []
    for scenario in told["scenarios"]:
        for play in scenario["plays"]:
            where = f"{scenario['name']} on {play['switch']}"
            wrong += [f"{where}: {play[key]}" for key in ("error", "skipped") if play[key]]
            wrong += [
                f"{where}: {check['check']}: {check['seen']}"
                for check in play["checks"]
                if not check["holds"]
            ]
    return wrong
