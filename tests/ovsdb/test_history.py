"""The checker of histories: sound ones pass, and every kind of violation that is planted is found."""

from __future__ import annotations

import random

import pytest

from tests.ovsdb.history import (
    Asked,
    Done,
    Event,
    Recovered,
    Refused,
    Seen,
    Sent,
    Tag,
    Told,
    violations,
)

A, B, C, D = (0, 1), (1, 1), (0, 2), (1, 2)


def sound() -> list[Event]:
    """Two clients, one transaction in flight at the crash that survives and one that does not."""
    return [
        Sent(A),
        Sent(B),
        Done(A, 1),
        Seen(A),
        Done(B, 2),
        Asked(0),
        Told(0, 2),
        Sent(C),
        Sent(D),
        Recovered(3, (A, B, C), (B, A, C)),
        Sent((0, 3)),
        Refused((0, 3)),
        Sent((1, 3)),
        Done((1, 3), 4),
        Recovered(4, (A, B, C, (1, 3)), (A, B, C, (1, 3))),
    ]


def test_a_sound_history_is_sound() -> None:
    assert violations(sound()) == []


def replaced(old: Event, *new: Event) -> list[Event]:
    """The sound history with other events in the place of one."""
    history = sound()
    at = history.index(old)
    return [*history[:at], *new, *history[at + 1 :]]


FIRST = Recovered(3, (A, B, C), (B, A, C))
LAST = Recovered(4, (A, B, C, (1, 3)), (A, B, C, (1, 3)))


@pytest.mark.parametrize(
    ("history", "problem"),
    [
        (replaced(FIRST, Recovered(2, (A, C), (A, C))), "durability: (1, 1) was acknowledged and is lost"),
        (replaced(FIRST, Recovered(1, (B,), (B,))), "durability: (0, 1) was seen and is lost"),
        (replaced(FIRST, Recovered(3, (A, B, C), (A, B))), "atomicity: half of (0, 2) is there"),
        (replaced(FIRST, Recovered(3, (A, B), (A, B))), "atomicity: the counter says 3"),
        (replaced(FIRST, Recovered(1, (A, B), (A, B))), "durability: the counter is 1, and 2 was known"),
        (replaced(FIRST, Recovered(3, (A, B, C, C), (A, B, C))), "happened more than once"),
        (replaced(FIRST, Recovered(3, (A, B, (7, 7)), (A, B, (7, 7)))), "was never sent"),
        (replaced(Done(B, 2), Done(B, 1)), "order: serial 1 was given twice"),
        (replaced(Done((1, 3), 4), Done((1, 3), 3)), "order: (1, 3) has serial 3, though 3 was known"),
        (replaced(Done(B, 2), Done(B, 3)), "order: 2 was read when 3 was known already"),
        (replaced(Told(0, 2), Told(0, 1)), "order: 1 was read when 2 was known already"),
        (replaced(Told(0, 2), Told(0, 4)), "durability: the counter is 3, and 4 was known already"),
        (replaced(Sent(A), Sent(A), Sent(A)), "(0, 1): sent twice"),
        (replaced(Done(A, 1), Done(A, 1), Done(A, 1)), "acknowledged without being asked"),
        (replaced(Seen(A), Seen((8, 8))), "was seen and never sent"),
        (replaced(Refused((0, 3)), Seen((0, 3)), Refused((0, 3))), "was refused, and seen"),
        (replaced(Refused((0, 3)), Refused((0, 3)), Seen((0, 3))), "was refused or lost, and seen"),
        (
            replaced(LAST, Recovered(5, (A, B, C, D, (1, 3)), (A, B, C, D, (1, 3)))),
            "durability: (1, 2) has come back after it was lost",
        ),
        (
            replaced(LAST, Recovered(5, (A, B, C, (0, 3), (1, 3)), (A, B, C, (0, 3), (1, 3)))),
            "atomicity: (0, 3) is there and was refused",
        ),
        (
            replaced(LAST, Recovered(3, (A, B, (1, 3)), (A, B, (1, 3)))),
            "durability: (0, 2) was recovered once and is lost",
        ),
        (replaced(Done(A, 1), Done(A, 9)), "order: 2 serials are free for 1 unanswered"),
    ],
)
def test_a_planted_violation_is_found(history: list[Event], problem: str) -> None:
    assert any(problem in found for found in violations(history)), violations(history)


def simulated(seed: int) -> tuple[list[Event], list[Tag]]:
    """A sound history of a database that is a list, with crashes; and what it holds at the end."""
    chance = random.Random(seed)
    history: list[Event] = []
    held: list[Tag] = []
    for crash in range(4):
        flying: list[Tag] = []
        for number in range(chance.randrange(1, 12)):
            tag = (number % 3, crash * 100 + number)
            history.append(Sent(tag))
            flying.append(tag)
            while flying and chance.random() < 0.7:
                done = flying.pop(chance.randrange(len(flying)))
                held.append(done)
                history += [Seen(done), Done(done, len(held))]
        chance.shuffle(flying)
        held += flying[: chance.randrange(len(flying) + 1)]
        history.append(Recovered(len(held), tuple(held), tuple(sorted(held))))
    return history, held


@pytest.mark.parametrize("seed", range(50))
def test_simulated_histories_pass_and_lose_nothing_unnoticed(seed: int) -> None:
    history, held = simulated(seed)
    assert violations(history) == []
    # Whatever single transaction is lost at the end, it is noticed.
    done = [event.tag for event in history if isinstance(event, Done)]
    for tag in done:
        left = tuple(each for each in held if each != tag)
        assert violations([*history[:-1], Recovered(len(left), left, left)]) != []
