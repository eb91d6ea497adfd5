"""What a scenario is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jackfield.lab.stage import Stage
from jackfield.lab.switches import Switch


@dataclass(frozen=True, slots=True)
class Measuring:
    """How much is measured where speed is compared: rounds, and the seconds of each turn of a round."""

    rounds: int = 3
    seconds: float = 0.6


@dataclass(frozen=True, slots=True)
class Scenario:
    """An experiment with a definite outcome. `about` tells what it shows, in a few sentences.

    `play` is called once for each of `switches` (by kind) that this machine can run, with a stage that has
    that switch; or, if the experiment compares them by measurement, `compare` once for all of them.
    """

    name: str
    title: str
    about: str
    switches: tuple[str, ...]
    play: Callable[[Stage], None] | None = None
    compare: Callable[[Stage, Mapping[str, type[Switch]], Measuring], None] | None = None
