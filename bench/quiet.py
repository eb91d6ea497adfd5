"""Whether other work goes on on the machine: how much of each processor a busy thread gets."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

PROBE_SECONDS = 0.1
QUIET = 0.9  # of a processor; less, and others have a good part of it


def free_share() -> float:
    """The share of a processor that a busy thread gets, of the processor where that is least. Work of the
    class SCHED_IDLE gives way, and is not noticed.
    """
    found: list[float] = []
    for cpu in sorted(os.sched_getaffinity(0)):
        thread = threading.Thread(target=_probe, args=(cpu, found))
        thread.start()
        thread.join()
    return min(found)


def _probe(cpu: int, found: list[float]) -> None:
    os.sched_setaffinity(0, {cpu})
    begin, used = time.monotonic(), time.thread_time()
    while time.monotonic() - begin < PROBE_SECONDS:
        pass
    found.append((time.thread_time() - used) / (time.monotonic() - begin))


def warning(shares: Sequence[float]) -> str:
    """What is to be known of a run before whose parts a thread got these shares; "" if it was quiet."""
    if not shares or min(shares) >= QUIET:
        return ""
    return (
        f"**The machine was not quiet**: beside other work, a busy thread got {min(shares):.0%} to "
        f"{max(shares):.0%} of a processor before the parts of this run. These figures say little."
    )
