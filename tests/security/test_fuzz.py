"""The fuzz targets: every input that once mattered, others near them, and the search itself."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from fuzz.targets import MODULES, load

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "fuzz" / "corpus"
INPUTS = sorted(CORPUS.glob("*/*"))
NEAR = 25


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets point the tools at directories of their own."""
    for name in ("OVS_RUNDIR", "OVS_LOGDIR"):
        monkeypatch.setenv(name, os.environ.get(name, "/nonexistent"))


@pytest.mark.parametrize("path", INPUTS, ids=[f"{path.parent.name}-{path.name}" for path in INPUTS])
def test_the_input_does_no_harm(path: Path) -> None:
    load(path.parent.name)(path.read_bytes())


@pytest.mark.parametrize("target", MODULES)
def test_no_input_near_those_does_harm(target: str) -> None:
    inputs = [path.read_bytes() for path in INPUTS if path.parent.name == target]
    assert inputs
    dice = random.Random(zlib.crc32(target.encode()))
    run = load(target)
    for _ in range(NEAR):
        run(mutated(dice, inputs))


def mutated(dice: random.Random, inputs: list[bytes]) -> bytes:
    """One of the inputs with a few bytes changed, or its end exchanged for that of another."""
    found = bytearray(dice.choice(inputs))
    for _ in range(dice.randrange(1, 8)):
        if found:
            found[dice.randrange(len(found))] = dice.randrange(256)
    if dice.randrange(4) == 0:
        other = dice.choice(inputs)
        found[dice.randrange(len(found) + 1) :] = other[dice.randrange(len(other) + 1) :]
    return bytes(found)


def test_a_search_runs_and_says_what_it_did(tmp_path: Path) -> None:
    pytest.importorskip("atheris")
    argv = [sys.executable, "-m", "fuzz", "values", "--seconds=10", "--runs=400", "--seed=1"]
    argv.append(f"--failures={tmp_path}")
    found = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    assert found.returncode == 0, found.stderr[-4000:]
    assert "stat::number_of_executed_units: 4" in found.stderr
