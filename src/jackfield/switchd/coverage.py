"""Counters of events, in the form of `coverage/show` (ovs-appctl(8)): pure, time is an argument."""

from __future__ import annotations

import zlib
from collections import Counter, deque

_INTERVAL = 5


class _History:
    """One event's total and its counts by interval, for an hour."""

    __slots__ = ("buckets", "total")

    def __init__(self) -> None:
        self.total = 0
        self.buckets: deque[list[int]] = deque(maxlen=3600 // _INTERVAL + 1)

    def count(self, interval: int) -> None:
        self.total += 1
        if self.buckets and self.buckets[-1][0] == interval:
            self.buckets[-1][1] += 1
        else:
            self.buckets.append([interval, 1])

    def rate(self, interval: int, span: int) -> float:
        """Events a second over the `span` whole intervals before `interval`."""
        count = sum(n for at, n in self.buckets if interval - span <= at < interval)
        return count / (span * _INTERVAL)


class Coverage:
    """Counts of events by name."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._events = {name: _History() for name in names}

    def count(self, name: str, now: float) -> None:
        """Note one event at `now`, in seconds of a monotonic clock. Raises KeyError for an unknown name."""
        self._events[name].count(int(now) // _INTERVAL)

    def totals(self) -> Counter[str]:
        """How often each event happened."""
        return Counter({name: event.total for name, event in self._events.items()})

    def listing(self, now: float) -> str:
        """The text of `coverage/show`."""
        interval = int(now) // _INTERVAL
        hit = {name: event for name, event in self._events.items() if event.total}
        ranking = " ".join(sorted(hit, key=lambda name: (-hit[name].total, name)))
        lines = [
            f"Event coverage, avg rate over last: {_INTERVAL} seconds, last minute, last hour,  "
            f"hash={zlib.crc32(ranking.encode()):08x}:"
        ]
        for name, event in hit.items():
            second, minute, hour = (event.rate(interval, span) for span in (1, 12, 720))
            lines.append(
                f"{name:<24} {second:5.1f}/sec {minute:9.3f}/sec {hour:13.4f}/sec   total: {event.total}"
            )
        lines.append(f"{len(self._events) - len(hit)} events never hit")
        return "\n".join(lines) + "\n"
