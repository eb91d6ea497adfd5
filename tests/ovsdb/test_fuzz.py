"""The fuzz targets: every input that once mattered, and a short search for new ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "fuzz" / "corpus"
INPUTS = sorted(path for path in CORPUS.glob("*/*"))


@pytest.mark.parametrize("path", INPUTS, ids=[f"{path.parent.name}-{path.name}" for path in INPUTS])
def test_the_input_does_no_harm(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_no_new_input_does_harm(target: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris")
    argv = [sys.executable, "-m", "fuzz", target, "--seconds=10", "--runs=400", "--seed=1"]
    argv.append(f"--failures={tmp_path}")
    found = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    assert found.returncode == 0, found.stderr[-4000:]
