"""Frames: taking apart, putting together, measuring."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.model.frame import Frame, Tag, is_reserved, is_truncated, parse, payload_length
from tests.scenarios.kit import ctag, frame, mac, stag, untagged
from tests.strategies import frames


@given(frames(dei=True), st.integers(0, 4))
def test_a_frame_taken_apart_and_put_together_is_the_same(data: bytes, limit: int) -> None:
    assert parse(data, limit).pack() == data


def test_tags_are_read_from_the_outermost_to_the_limit() -> None:
    data = frame("A", "B", stag(100, 7, dei=True), ctag(10), ctag(20))
    assert parse(data, 2).tags == (Tag(0x88A8, 100, 7, True), Tag(0x8100, 10))
    assert parse(data, 2).rest[:4] == bytes.fromhex("81000014")
    assert parse(data, 0).tags == ()


def test_a_tag_needs_an_ethertype_behind_it() -> None:
    data = frame("A", "B", ctag(10))
    assert is_truncated(parse(data[:17], 1))
    assert not is_truncated(parse(data[:18], 1))
    assert parse(data[:18], 1) == Frame(mac("B"), mac("A"), (ctag(10),), b"\x88\xb5")


def test_less_than_a_header_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 14 bytes"):
        parse(bytes(13), 1)


def test_the_outermost_tag_is_not_payload_and_all_others_are() -> None:
    assert payload_length(untagged("A", "B", payload=100)) == 100
    assert payload_length(frame("A", "B", stag(1), payload=100)) == 100
    assert payload_length(frame("A", "B", stag(1), ctag(2), payload=100)) == 104


def test_a_drop_eligible_indicator_makes_no_other_tag() -> None:
    assert ctag(10, 1).matches(ctag(10, 1, dei=True))
    assert not ctag(10, 1).matches(ctag(10, 2))
    assert not ctag(10).matches(stag(10))


@pytest.mark.parametrize(
    ("first", "last", "reserved"),
    [
        ("01:80:c2:00:00:00", "01:80:c2:00:00:0f", True),
        ("01:80:c2:00:00:10", "01:80:c2:00:00:21", False),
        ("01:00:0c:cc:cc:c0", "01:00:0c:cc:cc:c7", True),
        ("01:00:0c:cc:cc:cc", "01:00:0c:cc:cc:cd", True),
        ("01:00:0c:cc:cc:c8", "01:00:0c:cc:cc:cb", False),
        ("01:00:0c:cd:cd:cd", "01:00:0c:cd:cd:cd", True),
        ("00:e0:2b:00:00:00", "00:e0:2b:00:00:00", True),
        ("00:e0:2b:00:00:01", "00:e0:2b:00:00:03", False),
    ],
)
def test_reserved_addresses_are_those_of_open_vswitch(first: str, last: str, reserved: bool) -> None:
    low, high = (int.from_bytes(mac(address), "big") for address in (first, last))
    assert {is_reserved(value.to_bytes(6, "big")) for value in range(low, high + 1)} == {reserved}
