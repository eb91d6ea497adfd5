"""What a figure is: its name for people, its unit, and where it is defined."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

MORE, LESS = "more", "less"

Table = Mapping[str, Mapping[str, Sequence[float]]]
"""Values by measure and by what was measured, one for each round."""

Found = Iterator[tuple[str, str, float]]
"""What is measured one after the other: a measure's name, what was measured, the value."""

Tell = Callable[[float, str], None]
"""Takes what share of a part is done (0 to 1) and what comes next."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured, in which unit; `scale` is by how much to divide a value for people."""

    title: str
    unit: str
    scale: float = 1.0
    section: str = ""
    """The section of RFC 2889 that defines it."""
    better: str = MORE
    """Whether MORE or LESS is better, or neither ("")."""
