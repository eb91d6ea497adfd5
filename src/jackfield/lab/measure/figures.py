"""What was measured in interleaved rounds: medians, spreads, and ratios. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jackfield.lab.measure.workloads import Sample

# The 97.5th percentile of Student's t with 1, 2, ... degrees of freedom.
STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, with the least and the most."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(min(values), statistics.median(values), max(values))

    def text(self, form: str) -> str:
        """The median, in brackets the least and the most."""
        low, middle, high = (format(value, form) for value in (self.low, self.middle, self.high))
        return f"{middle} ({low} to {high})"


@dataclass(slots=True)
class Figures:
    """`samples[workload][peer]`: a sample a round, in the order of the rounds, alike for all peers."""

    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)

    def add(self, turn: Mapping[tuple[str, str], Sample]) -> None:
        """Take in a whole round: a sample by workload and peer."""
        for (workload, peer), sample in turn.items():
            self.samples.setdefault(workload, {}).setdefault(peer, []).append(sample)

    def rate(self, workload: str, peer: str) -> Spread:
        """Rates a second."""
        return Spread.of([sample.rate for sample in self.samples[workload][peer]])

    def detail(self, workload: str, peer: str, name: str) -> Spread:
        """Another figure of the samples."""
        return Spread.of([sample.details[name] for sample in self.samples[workload][peer]])

    def ratio(self, workload: str, peer: str, to: str) -> Spread:
        """How much of another's rate, round by round, so that a slow moment of the machine meets both."""
        return Spread.of(self._ratios(workload, peer, to))

    def may_be_as_fast(self, workload: str, peer: str, to: str, tolerance: float) -> bool:
        """Whether the rounds leave it possible that one has the other's rate, less a tolerated share of it:
        the upper end of the 95 % confidence interval of their geometric mean (Student's t) reaches that. One
        round alone rules out nothing.
        """
        logarithms = [math.log(max(ratio, 1e-9)) for ratio in self._ratios(workload, peer, to)]
        count = len(logarithms)
        if count < 2:
            return True
        quantile = STUDENT[min(count - 1, len(STUDENT)) - 1]
        bound = statistics.fmean(logarithms) + quantile * statistics.stdev(logarithms) / math.sqrt(count)
        return math.exp(bound) >= 1 - tolerance

    def _ratios(self, workload: str, peer: str, to: str) -> list[float]:
        pairs = zip(self.samples[workload][peer], self.samples[workload][to], strict=True)
        return [mine.rate / theirs.rate if theirs.rate else 0.0 for mine, theirs in pairs]
