"""Token buckets for log lines: pure, time is an argument."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float
    dropped: int = 0
    first_dropped: float = 0.0
    last_dropped: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a line; `note` tells of lines dropped before it, or is empty."""

    admitted: bool
    note: str = ""


class RateLimiter:
    """Admits each key `burst` times at once and `per_minute` times a minute after that.

    Only the `keys` most recently used keys are remembered.
    """

    def __init__(self, burst: int, per_minute: int, keys: int = 512) -> None:
        self._burst = burst
        self._per_second = per_minute / 60
        self._keys = keys
        self._buckets: OrderedDict[object, _Bucket] = OrderedDict()

    def admit(self, key: object, now: float) -> Verdict:
        """Judge one line; `now` is in seconds of a monotonic clock."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._burst, now)
            if len(self._buckets) > self._keys:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled) * self._per_second)
        bucket.filled = now
        if bucket.tokens < 1:
            if not bucket.dropped:
                bucket.first_dropped = now
            bucket.dropped += 1
            bucket.last_dropped = now
            return Verdict(False)
        bucket.tokens -= 1
        if not bucket.dropped:
            return Verdict(True)
        note = (
            f"Dropped {bucket.dropped} log messages in last {now - bucket.first_dropped:.0f} seconds "
            f"(most recently, {now - bucket.last_dropped:.0f} seconds ago) due to excessive rate"
        )
        bucket.dropped = 0
        return Verdict(True, note)
