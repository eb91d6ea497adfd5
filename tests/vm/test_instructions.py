"""What the switch program costs a frame may not grow unnoticed: executed instructions, counted exactly.

The figures are in instructions.json. A change that makes the program dearer by more than 3 % changes them in
the same commit: `scripts/vm 6.12 --icount -- .venv/bin/python -m bench.counts --only program` prints them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.vm.guest import in_guest

RECORDED = json.loads((Path(__file__).parent / "instructions.json").read_text(encoding="utf-8"))
TOLERANCE = 0.03


@pytest.mark.timeout(1500)
def test_a_known_unicast_takes_no_more_instructions_than_recorded() -> None:
    done = in_guest(
        RECORDED["kernel"],
        *(sys.executable, "-m", "bench.counts", "--only", "program"),
        options=("--icount",),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counted = json.loads(done.stdout)["program"]
    assert counted.keys() == RECORDED["program"].keys()
    dearer = {
        case: f"{count:g} instructions, recorded are {RECORDED['program'][case]:g}"
        for case, count in counted.items()
        if count > RECORDED["program"][case] * (1 + TOLERANCE)
    }
    assert not dearer
