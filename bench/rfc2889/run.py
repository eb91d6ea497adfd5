"""All trials on all stages, by turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from bench.effort import Effort
from bench.rfc2889.stages import STAGES
from bench.rfc2889.trials import EACH_ROUND, ONCE, Tester


def measure(effort: Effort) -> Iterator[tuple[str, str, float]]:
    """All stages stand side by side: the trial's name, the stage's title, a value."""
    with ExitStack() as stack:
        testers = [Tester(stack.enter_context(stage()), stack) for stage in STAGES]
        for number in range(effort.rounds):
            for trial in EACH_ROUND + (ONCE if number == 0 else ()):
                for tester in testers:
                    for name, value in trial(tester, effort):
                        yield name, tester.stage.title, value
