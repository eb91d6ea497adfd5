"""Finding the engine that has a container: in their order, but one that hangs holds up none behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from threading import Thread

from jackfield.client.errors import Failure
from jackfield.containers.engine import Container, Engine, NoContainer

PATIENCE_SECONDS = 0.25
"""How long an engine may take before the next one is asked beside it."""

_Answers = SimpleQueue[tuple[Engine, Container | Exception]]


def search(name: str, asked: Sequence[Engine]) -> tuple[Container, Engine]:
    """The container of that name or id, and its engine: the first that answers that it has it.

    Engines are asked in order, so that of two that have the name and answer at once the first is meant.
    Raises NoContainer when none has it, and Failure when one of them could not be asked and no other has it.
    """
    answers: _Answers = SimpleQueue()
    rest, under_way = deque(asked), 0
    refusals: list[Failure] = []
    while rest or under_way:
        if rest:
            Thread(target=_ask, args=(rest.popleft(), name, answers), daemon=True).start()
            under_way += 1
        try:
            # Each engine has a deadline of its own, so there is an answer in the end.
            engine, answer = answers.get(timeout=PATIENCE_SECONDS if rest else None)
        except Empty:
            continue
        under_way -= 1
        match answer:
            case Container():
                return answer, engine
            case Failure():
                refusals.append(answer)
            case _:
                raise answer
    kind = NoContainer if all(isinstance(each, NoContainer) for each in refusals) else Failure
    raise kind("; ".join(map(str, refusals)))


def _ask(engine: Engine, name: str, answers: _Answers) -> None:
    """Runs in a thread of its own, which nobody waits for."""
    try:
        answers.put((engine, engine.inspect(name)))
    except Exception as error:
        answers.put((engine, error))
