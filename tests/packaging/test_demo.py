"""The demonstration, as a user sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_demonstration_proves_what_it_says_and_draws_its_picture(tmp_path: Path) -> None:
    picture = tmp_path / "demo.svg"
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--svg", picture],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NO" not in done.stdout.split()
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    assert not list(Path("/run/netns").glob("jft-demo-*"))
