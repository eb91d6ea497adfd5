"""Commands run in emulated kernels by tests: what `scripts/vm` printed and how it ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 12
"""How much slower than here a guest may be, for its tests' own deadlines."""
GUEST_SECONDS = 3600.0
"""So long a guest may take, on a busy machine."""


def in_guest(kernel: str, *command: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a command in this folder inside an emulated Debian kernel of a series such as 6.12."""
    settings = (f"--env=JACKFIELD_TEST_PATIENCE={PATIENCE}", f"--timeout={GUEST_SECONDS:g}", *options)
    return subprocess.run(
        [ROOT / "scripts/vm", kernel, *settings, "--", *command],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("COV_")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=GUEST_SECONDS + 300,
        check=False,
    )


def pytest_in_guest(kernel: str, *arguments: str) -> str:
    """Run tests inside; they must pass and none may be skipped. The last line that pytest printed."""
    done = in_guest(
        kernel,
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.expected_skips"),
        *("-o", "timeout=600", "--tb=short", *arguments),
    )
    assert done.returncode == 0, f"on {kernel}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip().splitlines()[-1]
