"""What a figure is: its name for people, its unit, and where it is defined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Values = Mapping[str, Mapping[str, Sequence[float]]]
"""Values by measure and by what was measured, one for each round."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured, in which unit; `scale` is by how much to divide a value for people."""

    title: str
    unit: str
    scale: float = 1.0
    section: str = ""
    """The section of RFC 2889 that defines it."""
