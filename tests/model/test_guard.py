"""Protections in the model: what a rate means, and that no flood of addresses harms another port."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.model import DropReason, GuardConfig, State, step
from jackfield.model.fdb import NSEC_PER_SEC
from tests.scenarios.kit import BROADCAST, bridge, switch, trunk, untagged

SIZE = 24
RATES = st.sampled_from((1, 7, 100, 1_000_000))
BURSTS = st.integers(1, 20)


def admitted(rate: int, burst: int, gaps: list[int]) -> list[int]:
    """The times of those broadcasts that a port lets in, of frames so many nanoseconds apart."""
    config = switch(trunk("p1", guard=GuardConfig(storm_broadcast=rate, storm_burst=burst)), trunk("p2"))
    state, now, times = State(), NSEC_PER_SEC, []
    for gap in gaps:
        now += gap
        result = step(config, state, untagged("A", BROADCAST), "p1", now)
        state = result.state
        if result.outputs:
            times.append(now)
        else:
            assert [drop.reason for drop in result.drops] == [DropReason.STORM_BROADCAST]
    return times


@settings(max_examples=100, deadline=None)
@given(RATES, BURSTS, st.lists(st.integers(0, NSEC_PER_SEC), min_size=1, max_size=60))
def test_in_no_span_of_time_more_comes_in_than_burst_and_rate_allow(
    rate: int, burst: int, gaps: list[int]
) -> None:
    times = admitted(rate, burst, [gap // rate for gap in gaps])
    interval = NSEC_PER_SEC // rate
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + (times[last] - times[first]) // interval


@settings(max_examples=100, deadline=None)
@given(RATES, BURSTS, st.lists(st.integers(0, 1000), min_size=1, max_size=60))
def test_who_keeps_to_the_rate_loses_nothing(rate: int, burst: int, more: list[int]) -> None:
    gaps = [NSEC_PER_SEC // rate + each for each in more]
    assert len(admitted(rate, burst, gaps)) == len(gaps)


def test_a_flood_of_a_hundred_tables_takes_nothing_from_others_and_floods_nothing_to_them() -> None:
    config = switch(bridge("br0", trunk("p1"), trunk("p2"), trunk("p3"), mac_table_size=SIZE))
    victims = [f"02:01:00:00:00:{number:02x}" for number in range(SIZE // 3)]
    state = State()
    for victim in victims:
        state = step(config, state, untagged(victim, BROADCAST), "p1", 0).state
    for number in range(100 * SIZE):
        source = f"02:02:00:00:{number >> 8:02x}:{number & 255:02x}"
        state = step(config, state, untagged(source, BROADCAST), "p2", number).state
    for victim in victims:
        result = step(config, state, untagged("C", victim), "p3", 100 * SIZE)
        assert [output.port for output in result.outputs] == ["p1"]
    assert state.fdb("br0").usage()["p1"] == len(victims)
    assert state.fdb("br0").counters.evicted > 90 * SIZE
