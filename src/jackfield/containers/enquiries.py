"""Asking container engines where targets run, each engine in a thread of its own: what hangs delays nobody
else's, as whoever asks does not wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread

from jackfield.client.errors import Failure
from jackfield.containers.engine import ANSWER_SECONDS, NoAnswer
from jackfield.containers.targets import Running, Target, look_up

Answer = Callable[[], Running | None]
"""Where the target runs, None when it does not; raises NoContainer and Failure as `look_up` does."""
Then = Callable[[Answer], None]


@dataclass(slots=True, eq=False)
class _Enquiry:
    """A question, and who wants to hear the answer, by what it is about."""

    target: Target
    then: dict[Hashable, Then] = field(default_factory=dict)
    begun: bool = False


class Enquiries:
    """Questions that are not answered yet. Belongs to one thread, but for those that ask the engines."""

    def __init__(self, ring: Callable[[], None]) -> None:
        """`ring` is called, by another thread, when there is something for `tell`."""
        self._ring = ring
        self._lines: dict[str, SimpleQueue[_Enquiry]] = {}
        self._open: dict[_Enquiry, None] = {}
        self._latest: dict[str, _Enquiry] = {}
        self._answered: SimpleQueue[tuple[_Enquiry, Answer]] = SimpleQueue()

    def ask(self, target: Target, about: Hashable, then: Then) -> None:
        """Have `tell` call `then` when the engine of a container has answered. A question that waits for its
        turn is asked once, however often it was posed; of those who pose it about the same the last one is
        told."""
        enquiry = self._latest.get(target.key)
        if enquiry is None or enquiry.begun:
            # An answer that is under way may be older than the reason to ask.
            enquiry = self._latest[target.key] = _Enquiry(target)
            self._open[enquiry] = None
            self._line(target.engine).put(enquiry)
        enquiry.then[about] = then

    def tell(self) -> None:
        """Tell what has been answered until now."""
        while not self._answered.empty():
            self._close(*self._answered.get_nowait())

    def finish(self, seconds: float) -> None:
        """Tell all answers that come within so many seconds, and of the others that there is none."""
        deadline = time.monotonic() + seconds
        while self._open and (left := deadline - time.monotonic()) > 0:
            try:
                self._close(*self._answered.get(timeout=left))
            except Empty:
                break
        for enquiry in list(self._open):
            self._close(enquiry, _no_answer(enquiry.target))

    def _close(self, enquiry: _Enquiry, answer: Answer) -> None:
        if self._latest.get(enquiry.target.key) is enquiry:
            del self._latest[enquiry.target.key]
        if enquiry in self._open:
            del self._open[enquiry]
            for then in enquiry.then.values():
                then(answer)

    def _line(self, engine: str) -> SimpleQueue[_Enquiry]:
        line = self._lines.get(engine)
        if line is None:
            line = self._lines[engine] = SimpleQueue()
            Thread(target=self._serve, args=(line,), daemon=True, name=f"asking {engine}").start()
        return line

    def _serve(self, line: SimpleQueue[_Enquiry]) -> None:
        """Runs in a thread of its own, for ever."""
        while True:
            enquiry = line.get()
            enquiry.begun = True
            self._answered.put((enquiry, _asked(enquiry.target)))
            self._ring()


def _asked(target: Target) -> Answer:
    try:
        running = look_up(target)
    except Failure as failure:
        return _refusal(failure)
    return lambda: running


def _no_answer(target: Target) -> Answer:
    what = f"{target.kind.capitalize()} at {target.engine}"
    return _refusal(NoAnswer(f"{what} has not answered within {ANSWER_SECONDS:g} seconds"))


def _refusal(failure: Failure) -> Answer:
    def answer() -> Running | None:
        raise failure

    return answer
