"""The search for loops, with a clock of the test's own."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from jackfield.model.loops import Finder, Loop, Place, Probe
from jackfield.model.loops.probe import packed, probe_address, unpacked
from tests.scenarios.kit import access, native_tagged, trunk

A, B = Place("a", 0), Place("b", 0)
SECRET = bytes(range(16))


def test_nothing_is_to_be_done_without_a_suspicion() -> None:
    finder = Finder()
    assert finder.wakeup() == math.inf
    assert finder.probes(0.0) == []


def test_a_suspicion_that_is_not_confirmed_costs_three_probes_a_port_and_is_forgotten() -> None:
    finder = Finder()
    finder.suspect((A, B), 10.0)
    sent = []
    now = 10.0
    while finder.wakeup() < math.inf:
        now = max(now, finder.wakeup())
        sent += finder.probes(now)
    assert sorted(sent) == [A] * 3 + [B] * 3
    assert now < 12.0
    assert finder.loops == ()


def test_a_port_is_not_suspected_again_at_once() -> None:
    finder = Finder()
    for tick in range(100):
        finder.suspect((A,), tick / 100)
        finder.probes(tick / 100)
    assert finder.probes(0.99) == []


def test_a_probe_that_comes_back_proves_a_loop_once() -> None:
    finder = Finder()
    finder.suspect((A, B), 0.0)
    assert finder.probes(0.0) == [A, B]
    assert finder.returned(A, B, 0.01).found == (Loop(A, B),)
    assert finder.returned(B, A, 0.01).found == ()
    assert finder.loops == (Loop(A, B),)


def test_a_loop_is_watched_and_is_gone_when_nothing_comes_back_for_a_while() -> None:
    finder = Finder()
    finder.returned(A, B, 0.0)
    for second in range(1, 60):
        assert finder.probes(float(second)) == [A, B]
        finder.returned(A, B, second + 0.01)
        assert finder.ended(second + 0.5).gone == ()
    assert finder.ended(63.0).gone == ()
    assert finder.ended(64.5).gone == (Loop(A, B),)
    assert finder.wakeup() == math.inf


def test_ports_that_are_gone_take_their_loops_along() -> None:
    finder = Finder()
    finder.returned(A, B, 0.0)
    finder.suspect((B,), 0.0)
    assert finder.forget(("b",)).gone == (Loop(A, B),)
    assert finder.probes(100.0) == []


def test_a_probe_comes_back_as_it_was_sent() -> None:
    for config in (trunk("p"), access("p", 10), native_tagged("p", 10)):
        frame = packed(Probe(7, 10), config, 0x123456, SECRET)
        assert frame is not None
        assert len(frame) >= 60
        assert frame[:6] == probe_address(0x123456)
        assert unpacked(frame, SECRET) == Probe(7, 10)
        assert unpacked(frame, bytes(16)) is None


def test_no_probe_is_sent_by_a_port_that_does_not_carry_the_vlan() -> None:
    assert packed(Probe(7, 20), access("p", 10), 1, SECRET) is None


@given(st.binary(max_size=200))
def test_anything_may_come_in(data: bytes) -> None:
    assert unpacked(data, SECRET) is None
