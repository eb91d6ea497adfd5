"""Which members of a bond are enabled and which one is active."""

from __future__ import annotations

import math

import pytest

from jackfield.model.bonding import BondSettings, Members
from jackfield.model.config import BondMode


def bond(*names: str, up: str | None = None, **settings: object) -> Members:
    """A bond with members; those in `up`, or all, have a link and are enabled."""
    members = Members(BondSettings(**settings))  # type: ignore[arg-type]
    members.configure(members.settings, names)
    for name in names:
        works = up is None or name in up.split()
        members.add(name, up=works, may_enable=True, enabled=works)
    members.run(0.0)
    members.take_announce()
    members.take_notes()
    return members


def link(members: Members, name: str, up: bool, now: float) -> None:
    members.link(name, up=up, may_enable=True)
    members.run(now)


def test_the_first_member_is_active() -> None:
    assert bond("a", "b").active == "a"


def test_another_member_takes_over_at_once() -> None:
    members = bond("a", "b")
    link(members, "a", False, 1.0)
    assert members.enabled() == ["b"]
    assert members.active == "b"
    assert members.take_announce()
    assert members.take_notes() == [
        "member a: link state down",
        "member a: disabled",
        "active member is now b",
    ]


def test_a_member_that_comes_back_stays_in_reserve() -> None:
    members = bond("a", "b")
    link(members, "a", False, 1.0)
    link(members, "a", True, 2.0)
    assert members.enabled() == ["a", "b"]
    assert members.active == "b"


def test_the_primary_takes_over_again_when_it_comes_back() -> None:
    members = bond("a", "b", primary="b")
    assert members.active == "b"
    link(members, "b", False, 1.0)
    assert members.active == "a"
    link(members, "b", True, 2.0)
    assert members.active == "b"


def test_of_several_that_come_back_the_last_one_that_was_active_is_again() -> None:
    members = bond("a", "b", "c")
    members.set_active("b")
    for name in ("a", "b", "c"):
        members.link(name, up=False, may_enable=True)
    members.run(1.0)
    assert members.active is None
    for name in ("a", "b", "c"):
        members.link(name, up=True, may_enable=True)
    members.run(2.0)
    assert members.active == "b"


def test_a_downdelay_bears_with_a_short_interruption() -> None:
    members = bond("a", "b", downdelay_ms=100)
    link(members, "a", False, 1.0)
    assert members.active == "a"
    assert members.wakeup() == pytest.approx(1.1)
    link(members, "a", True, 1.05)
    assert members.wakeup() == math.inf
    assert members.take_notes()[-1] == "member a: will not be disabled"
    link(members, "a", False, 2.0)
    members.run(2.1)
    assert members.active == "b"


def test_an_updelay_keeps_a_member_out_until_its_link_has_proved_itself() -> None:
    members = bond("a", "b", updelay_ms=500, up="a")
    link(members, "b", True, 1.0)
    assert members.enabled() == ["a"]
    assert "member b: will be enabled if it stays up for 500 ms" in members.take_notes()
    members.run(1.5)
    assert members.enabled() == ["a", "b"]


def test_the_updelay_is_skipped_when_no_member_is_enabled() -> None:
    members = bond("a", "b", updelay_ms=500, up="")
    link(members, "b", True, 1.0)
    assert members.enabled() == ["b"]
    assert members.active == "b"
    link(members, "a", True, 1.1)
    assert members.enabled() == ["b"]


def test_a_rising_member_takes_over_from_one_that_fails() -> None:
    members = bond("a", "b", updelay_ms=500, up="a")
    link(members, "b", True, 1.0)
    link(members, "a", False, 1.2)
    assert members.active == "b"
    assert members.enabled() == ["b"]


def test_what_is_disabled_by_hand_stays_so_until_its_link_changes() -> None:
    members = bond("a", "b")
    members.enable("a", False)
    members.run(1.0)
    members.run(100.0)
    assert members.enabled() == ["b"]
    link(members, "a", False, 101.0)
    link(members, "a", True, 102.0)
    assert members.enabled() == ["a", "b"]


def test_the_active_member_is_set_by_hand_if_it_is_enabled() -> None:
    members = bond("a", "b", "c", up="a b")
    assert members.set_active("b")
    assert not members.set_active("b")
    members.run(1.0)
    assert members.active == "b"
    with pytest.raises(ValueError, match="cannot make disabled member active"):
        members.set_active("c")


def test_lacp_has_a_say() -> None:
    members = bond("a", "b", mode=BondMode.BALANCE_TCP)
    members.link("a", up=True, may_enable=False)
    members.run(1.0)
    assert members.enabled() == ["b"]


def test_a_member_that_is_taken_away_hands_over() -> None:
    members = bond("a", "b")
    members.configure(members.settings, ["b"])
    members.run(1.0)
    assert members.active == "b"
    assert members.take_announce()


def test_without_members_nothing_is_active() -> None:
    members = bond("a")
    members.configure(members.settings, [])
    members.run(1.0)
    assert members.active is None
    assert members.wakeup() == math.inf
