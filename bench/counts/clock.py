"""Counting by a clock that advances two nanoseconds an executed instruction (`scripts/vm --icount`)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NANOSECONDS_PER_INSTRUCTION = 2


@dataclass(frozen=True, slots=True)
class Count:
    """Instructions for one of something: the median of many short spells, and the least and the most of the
    middle half, which the kernel's own timers touch the least.
    """

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Count:
        """Of four values at least."""
        low, middle, high = statistics.quantiles(values, n=4)
        return cls(round(middle, 1), round(low, 1), round(high, 1))


def count(action: Callable[[], object], each: int) -> float:
    """Instructions that an action takes, divided by how many of something it does."""
    begin = time.monotonic_ns()
    action()
    return (time.monotonic_ns() - begin) / NANOSECONDS_PER_INSTRUCTION / each
