"""How load is spread over members and moved between them."""

from __future__ import annotations

import random

import pytest

from jackfield.model.bonding import BUCKETS, halved, hand_over, rebalance, spread

MEGABYTE = 1_000_000


def loads(**by_bucket: int) -> list[int]:
    """Bytes by bucket: b3=… is that of bucket 3."""
    return [by_bucket.get(f"b{bucket}", 0) for bucket in range(BUCKETS)]


def test_buckets_are_dealt_out_in_turn() -> None:
    buckets = spread(["a", "b", "c"])
    assert buckets[:4] == ["a", "b", "c", "a"]
    assert len(buckets) == BUCKETS


def test_a_loser_s_buckets_go_to_the_others_in_turn_and_no_other_bucket_moves() -> None:
    before = spread(["a", "b", "c"])
    after = hand_over(before, {"a"}, ["b", "c"])
    assert all(new == old for new, old in zip(after, before, strict=True) if old != "a")
    assert abs(after.count("b") - after.count("c")) <= 1


def test_load_moves_from_the_member_that_has_more() -> None:
    buckets = ["a"] * BUCKETS
    shifts = rebalance(buckets, loads(b1=4 * MEGABYTE, b2=3 * MEGABYTE, b3=3 * MEGABYTE), ["a", "b"])
    assert [(shift.bucket, shift.source, shift.target) for shift in shifts] == [(1, "a", "b")]
    assert shifts[0].load == 4 * MEGABYTE


@pytest.mark.parametrize(
    ("load", "why"),
    [
        (loads(b1=9 * MEGABYTE), "one flow cannot be split"),
        (loads(b1=40_000, b2=40_000), "so little is not worth it"),
        (loads(), "there is none"),
    ],
)
def test_nothing_moves_when_it_would_not_help(load: list[int], why: str) -> None:
    assert rebalance(["a"] * BUCKETS, load, ["a", "b"]) == [], why


def test_a_balance_within_three_percent_is_left_alone() -> None:
    buckets = ["a", "b"] * (BUCKETS // 2)
    load = loads(b0=50 * MEGABYTE, b2=51 * MEGABYTE, b1=50 * MEGABYTE, b3=50 * MEGABYTE)
    assert rebalance(buckets, load, ["a", "b"]) == []


def test_disabled_members_get_nothing() -> None:
    shifts = rebalance(["a"] * BUCKETS, loads(b1=MEGABYTE, b2=MEGABYTE, b3=MEGABYTE), ["a", "b"])
    assert {shift.target for shift in shifts} == {"b"}
    assert rebalance(["a"] * BUCKETS, loads(b1=MEGABYTE, b2=MEGABYTE), ["a"]) == []


@pytest.mark.parametrize("seed", range(20))
def test_any_load_becomes_better_balanced_and_none_worse(seed: int) -> None:
    source = random.Random(seed)
    members = ["a", "b", "c"][: 2 + seed % 2]
    buckets = [source.choice(members) for _ in range(BUCKETS)]
    load = [source.choice((0, 0, 1, 10, 300)) * 10_000 for _ in range(BUCKETS)]

    def gap() -> int:
        totals = dict.fromkeys(members, 0)
        for owner, size in zip(buckets, load, strict=True):
            totals[owner] += size
        return max(totals.values()) - min(totals.values())

    before = gap()
    for shift in rebalance(buckets, load, members):
        assert buckets[shift.bucket] == shift.source
        buckets[shift.bucket] = shift.target
    assert gap() <= before
    assert gap() <= max(sum(load) // len(members) // 4, 3_000_000)


def test_what_was_measured_fades_away() -> None:
    assert halved([5, 0, 1]) == [2, 0, 0]
