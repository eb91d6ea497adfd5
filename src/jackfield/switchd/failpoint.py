"""A daemon that kills itself at a chosen step, for tests of what a crash leaves behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping

VARIABLE = "JACKFIELD_FAIL_AFTER_STEP"


def fail_point(environment: Mapping[str, str]) -> Callable[[], None]:
    """What to call after each step on the kernel: kills the process after as many as VARIABLE says, 1 for the
    first; does nothing when that is not set."""
    text = environment.get(VARIABLE, "")
    if not text.isdecimal():
        return _nothing
    left = int(text)

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def _nothing() -> None:
    return None
