"""The switch program by itself: nanoseconds a frame, by BPF_PROG_TEST_RUN with many repetitions (bpf(2))."""

from __future__ import annotations

import os

from bench.counts import testrun
from bench.counts.names import UNICAST
from bench.effort import Effort
from bench.measure import LESS, Found, Measure, Tell
from bench.netns import BenchError
from bench.switch import Switch


def _cases(effort: Effort) -> dict[str, testrun.Prepare]:
    most = effort.addresses[-1]
    return {**testrun.CASES, f"{UNICAST}, {most} learned addresses": testrun.addresses(most)}


def measures(effort: Effort) -> dict[str, Measure]:
    """What is measured, by name."""
    return {name: Measure(name, "ns", better=LESS) for name in _cases(effort)}


def measure(effort: Effort, tell: Tell) -> Found:
    """Each case: the kernel's own loop around the program is taken off, round by round."""
    cases = _cases(effort)
    idle = testrun.nothing()
    try:
        with testrun.loaded() as at:
            for number, (name, prepare) in enumerate(cases.items()):
                tell(number / len(cases), name)
                frame = prepare(at)
                testrun.run(at.program, frame, effort.runs)  # warms up
                for _ in range(effort.rounds):
                    returned, took = testrun.run(at.program, frame, effort.runs)
                    if returned != testrun.REDIRECT:
                        raise BenchError(f"{name}: the program returned {returned}")
                    yield name, Switch.title, took - testrun.run(idle, frame, effort.runs)[1]
    finally:
        os.close(idle)
