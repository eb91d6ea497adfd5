"""The --timeout of OVS's tools: the process dies of SIGALRM, which a shell reports as exit code 142."""

from __future__ import annotations

import os
import signal
from types import FrameType

from jackfield.cli.journal import Journal


def parse_seconds(text: str) -> int | None:
    """The seconds that `text` says, or None when it is not a positive whole number."""
    seconds = int(text) if text.isascii() and text.isdigit() else 0
    return seconds if 0 < seconds < 1 << 32 else None


def arm(seconds: int | None, journal: Journal) -> None:
    """End the process after `seconds`, or after $OVS_CTL_TIMEOUT when it is None; never if neither is set."""
    if seconds is None:
        seconds = parse_seconds(os.environ.get("OVS_CTL_TIMEOUT", ""))
    if seconds is None:
        return

    def expire(number: int, _frame: FrameType | None) -> None:
        journal.warn("fatal_signal", "terminating with signal 14 (Alarm clock)")
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
