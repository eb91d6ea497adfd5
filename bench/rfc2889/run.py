"""All trials on all stages, by turns."""

from __future__ import annotations

from contextlib import ExitStack

from bench.effort import Effort
from bench.measure import Found, Tell
from bench.rfc2889.stages import STAGES
from bench.rfc2889.trials import EACH_ROUND, ONCE, Tester


def measure(effort: Effort, tell: Tell) -> Found:
    """All stages stand side by side: the trial's name, the stage's title, a value."""
    tell(0.0, "setting up")
    with ExitStack() as stack:
        testers = [Tester(stack.enter_context(stage()), stack) for stage in STAGES]
        learning = 2  # takes about as long as so many rounds
        for number in range(effort.rounds):
            share = (number + (learning if number else 0)) / (effort.rounds + learning)
            tell(share, f"round {number + 1} of {effort.rounds}{'' if number else ', and learning'}")
            for trial in EACH_ROUND + (ONCE if number == 0 else ()):
                for tester in testers:
                    for name, value in trial(tester, effort):
                        yield name, tester.stage.title, value
