"""What the switch program costs a frame may not grow unnoticed: executed instructions, counted exactly.

The figures are in instructions.json. A change that makes the program dearer by more than 3 % changes them in
the same commit. What prints them:
`scripts/vm 6.12 --icount -- .venv/bin/python -m bench.counts --only program bonds`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.vm.guest import in_guest

RECORDED = json.loads((Path(__file__).parent / "instructions.json").read_text(encoding="utf-8"))
TOLERANCE = 0.03
COUNTED = ("program", "bonds")


def dearer(counted: Mapping[str, float], recorded: Mapping[str, float]) -> dict[str, str]:
    """The cases that take more instructions than they may, and how many."""
    return {
        case: f"{count:g} instructions, recorded are {recorded[case]:g}"
        for case, count in counted.items()
        if count > recorded[case] * (1 + TOLERANCE)
    }


def test_a_program_that_is_dearer_by_more_than_the_tolerance_is_named() -> None:
    recorded = {"known unicast": 1000, "known unicast, tagged": 1000}
    counted = {"known unicast": 1031, "known unicast, tagged": 1029}
    assert dearer(counted, recorded) == {"known unicast": "1031 instructions, recorded are 1000"}


@pytest.mark.timeout(1500)
def test_a_known_unicast_takes_no_more_instructions_than_recorded() -> None:
    done = in_guest(
        RECORDED["kernel"],
        *(sys.executable, "-m", "bench.counts", "--only", *COUNTED),
        options=("--icount",),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counted = json.loads(done.stdout)
    for part in COUNTED:
        assert counted[part].keys() == RECORDED[part].keys()
        assert not dearer(counted[part], RECORDED[part])
