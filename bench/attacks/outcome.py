"""What became of an attack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """A sentence for people and figures for programs."""

    text: str
    figures: Mapping[str, int] = field(default_factory=dict)


NOT_THERE = Outcome("it has none")
"""Of what a switch does not have, nothing can be attacked."""
