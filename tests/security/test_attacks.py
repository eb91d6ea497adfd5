"""The attacks of `scripts/bench attacks`, in short, on Jackfield alone: what must hold of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.attacks import network, sockets
from bench.attacks.__main__ import ATTACKS, markdown
from bench.attacks.outcome import Outcome
from bench.attacks.subjects import TABLE_SIZE, Jackfield, Subject, standing


@pytest.fixture(scope="module")
def switch() -> Iterator[Subject]:
    with standing(Jackfield) as subject:
        yield subject


def test_a_flood_of_addresses_leaks_nothing(switch: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "FLOOD", 5 * TABLE_SIZE)
    found = network.flood_of_addresses(switch).figures
    assert (found["arrived"], found["leaked"]) == (found["sent"], 0)
    assert (found["new_arrived"], found["new_leaked"]) == (found["sent"], 0)
    assert found["entries"] <= TABLE_SIZE


def test_broken_frames_break_nothing(switch: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "BROKEN", 300)
    found = network.broken_frames(switch).figures
    assert found["arrived"] == found["sent"]
    assert found["alive"]


def test_garbage_on_every_socket_harms_nobody(switch: Subject) -> None:
    found = sockets.garbage(switch).figures
    assert found["alive"] and found["served"]


def test_a_message_without_an_end_takes_no_more_than_its_limit(
    switch: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HUGE", 80 << 20)
    found = sockets.endless_message(switch).figures
    assert found["alive"] and found["served"]
    assert found["database_took_mb"] <= 66
    assert found["control_took_mb"] <= 3


def test_many_connections_keep_nobody_out(switch: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "CONNECTIONS", 700)
    found = sockets.many_connections(switch).figures
    assert found["alive"] and found["served"] and found["commands_served"]


def test_who_does_not_read_keeps_nobody_waiting(switch: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "CHANGES", 10)
    found = sockets.slow_reader(switch).figures
    assert found["alive"] and found["served"]


def test_the_table_has_a_row_for_each_attack() -> None:
    results = {name: {"Jackfield": Outcome("holds")} for name in ATTACKS}
    lines = markdown(results)
    assert len(lines) == 2 + len(ATTACKS)
    assert all(line.endswith("| holds |") for line in lines[2:])
