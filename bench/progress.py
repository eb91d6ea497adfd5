"""How far a run is, and when it will be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

SURE_SHARE = 0.2  # from when on a part's own pace says more than what was estimated of it


class Progress:
    """Says what is being measured, with the time since the beginning and about how much is left.

    `estimates` are the seconds of each part, in their order; `clock` gives seconds, `say` takes a line.
    """

    def __init__(
        self, estimates: Mapping[str, float], clock: Callable[[], float], say: Callable[[str], None]
    ) -> None:
        self._estimates, self._clock, self._say = dict(estimates), clock, say
        self._begin = self._part_began = clock()
        self._part = ""

    def begin(self, part: str) -> None:
        """A part begins."""
        self._part, self._part_began = part, self._clock()

    def tell(self, share: float, text: str) -> None:
        """So much of the part is done, from 0 to 1, and this comes next."""
        now = self._clock()
        left = self._left(share, now)
        minutes = f"about {left / 60:.0f} min left" if left >= 90 else f"about {left:.0f} s left"
        spent = int(now - self._begin)
        self._say(f"{spent // 60:2}:{spent % 60:02} {self._part}, {share:.0%}: {text}; {minutes}")

    def _left(self, share: float, now: float) -> float:
        names = list(self._estimates)
        later = sum(self._estimates[name] for name in names[names.index(self._part) + 1 :])
        estimated = self._estimates[self._part]
        whole = (now - self._part_began) / share if share >= SURE_SHARE else estimated
        return later + whole * (1 - share)
