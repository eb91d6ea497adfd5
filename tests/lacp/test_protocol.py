"""LACP between ends of our own: what is agreed on, and what becomes of it when something changes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from jackfield.model.lacp import BadPdu, Information, Lacp, Lacpdu, LinkSettings, State, Status, encode
from jackfield.model.lacp.link import FAST_SECONDS, SLOW_SECONDS
from tests.lacp.wire import World, end, system

UP = State.AGGREGATION | State.SYNCHRONIZED | State.COLLECTING | State.DISTRIBUTING


def carrying(lacp: Lacp) -> list[str]:
    """The links that frames may be sent by; on the same ones they are taken."""
    sending = [name for name in lacp.links if lacp.distributing(name)]
    assert sending == [name for name in lacp.links if lacp.collecting(name)]
    return sending


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed"),
    [(True, True, True), (True, False, True), (False, True, True), (False, False, False)],
)
def test_two_ends_agree_if_one_of_them_is_active(ours: bool, theirs: bool, agreed: bool) -> None:
    one, other = end(1, "a", "b", active=ours), end(2, "a", "b", active=theirs)
    World.of(one, other).run(0.1)
    assert one.negotiated is other.negotiated is agreed
    assert carrying(one) == carrying(other) == (["a", "b"] if agreed else [])


def test_nobody_sends_before_the_other_takes_it() -> None:
    world = World.of(end(1, "a", "b"), end(2, "a", "b"))
    for _ in range(200):
        for one, other in (world.ends, world.ends[::-1]):
            for name in one.links:
                assert not one.distributing(name) or other.collecting(name)
        world.run(0.001)
    assert carrying(world.ends[0])


@pytest.mark.parametrize(
    ("fast", "period"), [(True, FAST_SECONDS), (False, SLOW_SECONDS)], ids=["fast", "slow"]
)
def test_an_end_is_told_as_often_as_it_wants(fast: bool, period: float) -> None:
    world = World.of(end(1, "a", fast=fast), end(2, "a")).run(0.5)
    begun = len(world.sent)
    world.run(10 * period)
    times = [time for time, who, _, _ in world.sent[begun:] if who == 1]
    assert len(times) == 10
    assert all(abs(late - early - period) < 0.01 for early, late in itertools.pairwise(times))


@pytest.mark.parametrize(("fast", "timeout"), [(True, 3.0), (False, 90.0)], ids=["fast", "slow"])
def test_a_silent_partner_is_given_up_after_three_periods(fast: bool, timeout: float) -> None:
    world = World.of(end(1, "a", "b", fast=fast), end(2, "a", "b")).run(2.0)
    one = world.ends[0]
    world.silence(1)
    heard = max(link.deadline for link in one.links.values()) - timeout
    world.run(heard + timeout - world.now - 0.01)
    assert carrying(one) == ["a", "b"]
    world.run(0.02)
    assert [link.status for link in one.links.values()] == [Status.EXPIRED] * 2
    assert carrying(one) == []
    world.run(3.0)
    assert [link.status for link in one.links.values()] == [Status.DEFAULTED] * 2
    assert not one.negotiated
    assert [link.counters.expired for link in one.links.values()] == [1, 1]
    assert [link.counters.defaulted for link in one.links.values()] == [1, 1]


def test_a_link_that_is_pulled_is_out_at_once_and_the_other_stays() -> None:
    world = World.of(end(1, "a", "b"), end(2, "a", "b")).run(1.0)
    world.pull((0, "a"))
    assert [carrying(lacp) for lacp in world.ends] == [["b"], ["b"]]
    world.run(40.0)
    assert [carrying(lacp) for lacp in world.ends] == [["b"], ["b"]]
    world.join((0, "a"), (1, "a"))
    world.run(0.1)
    assert [carrying(lacp) for lacp in world.ends] == [["a", "b"], ["a", "b"]]
    assert world.ends[0].links["a"].counters.carrier_changes == 2


def test_links_to_a_second_partner_are_left_out_as_long_as_the_first_is_there() -> None:
    one, other, third = end(1, "a", "b"), end(2, "a"), end(3, "b", system_priority=1)
    world = World({}, [one, other, third])
    world.join((0, "a"), (1, "a"))
    world.run(0.1)
    world.join((0, "b"), (2, "b"))
    world.run(0.1)
    assert carrying(one) == ["a"]
    world.pull((0, "a"))
    world.run(4.0)
    assert carrying(one) == ["b"]


def test_a_link_with_another_key_of_the_partner_is_left_out() -> None:
    one, other = end(1, "a", "b"), end(2, "a")
    odd = end(2, "b", links={"b": LinkSettings(7, key=99)})
    world = World({}, [one, other, odd])
    world.join((0, "a"), (1, "a"))
    world.join((0, "b"), (2, "b"))
    world.run(0.1)
    assert carrying(one) == ["a"]


def test_a_partner_that_changes_its_key_is_agreed_with_again() -> None:
    world = World.of(end(1, "a", "b"), end(2, "a", "b")).run(1.0)
    other = world.ends[1]
    keyed = {name: LinkSettings(link.settings.port, key=42) for name, link in other.links.items()}
    other.configure(other.settings, keyed, world.now)
    world.run(0.5)
    assert [link.partner.key for link in world.ends[0].links.values()] == [42, 42]
    assert [carrying(lacp) for lacp in world.ends] == [["a", "b"], ["a", "b"]]


def test_the_key_is_that_of_the_first_link_as_long_as_that_is_there() -> None:
    links = {name: LinkSettings(port) for name, port in (("a", 5), ("b", 6))}
    lacp = end(1, links=links)
    assert lacp.key == 5
    lacp.configure(lacp.settings, {"0": LinkSettings(4), **links}, 0.0)
    assert lacp.key == 5
    lacp.configure(lacp.settings, {"b": LinkSettings(6)}, 0.0)
    assert lacp.key == 6
    lacp.configure(lacp.settings, {"b": LinkSettings(6, key=77)}, 0.0)
    assert lacp.key == 77
    lacp.configure(lacp.settings, {}, 0.0)
    assert lacp.key is None


def test_a_link_to_ourselves_is_never_used() -> None:
    lacp = end(1, "a", "b")
    lacp.carrier("a", True, 0.0)
    for _, pdu in lacp.run(0.0):
        lacp.receive("a", pdu, 0.0)
    assert lacp.links["a"].loopback
    assert carrying(lacp) == []


@pytest.mark.parametrize("fallback", [True, False])
def test_without_a_partner_frames_pass_only_if_that_is_wanted(fallback: bool) -> None:
    lacp = end(1, "a", "b", fallback_ab=fallback)
    for name in ("a", "b"):
        lacp.carrier(name, True, 0.0)
    lacp.run(10.0)
    lacp.run(20.0)
    assert carrying(lacp) == (["a", "b"] if fallback else [])
    assert not lacp.negotiated
    lacp.receive(
        "a", encode(Lacpdu(Information(1, system(9), state=UP | State.ACTIVITY), Information())), 21.0
    )
    assert "b" not in carrying(lacp)


def test_a_partner_that_means_another_link_is_not_believed() -> None:
    lacp = end(1, "a")
    lacp.carrier("a", True, 0.0)
    (_, _sent), *_ = lacp.run(0.0)
    stranger = Lacpdu(Information(1, system(2), state=UP), Information(1, system(9), 3, 4, 5, UP))
    lacp.receive("a", encode(stranger), 0.1)
    assert lacp.links["a"].attached
    assert carrying(lacp) == []
    assert lacp.run(0.1), "the partner is told who we are"


def test_no_more_than_three_pdus_leave_in_a_second() -> None:
    lacp = end(1, "a", "b")
    lacp.carrier("a", True, 0.0)
    sent: list[float] = []
    for step in range(4000):
        now = step * 0.001
        flapping = State.SYNCHRONIZED * (step % 2)
        lacp.receive("a", encode(Lacpdu(Information(1, system(2), state=flapping), Information())), now)
        sent += [now for _ in lacp.run(now)]
    assert len(sent) > 8
    assert all(late - early >= 1.0 for early, late in zip(sent, sent[3:], strict=False))


def test_what_comes_without_carrier_is_not_believed() -> None:
    lacp = end(1, "a")
    lacp.receive("a", encode(Lacpdu(Information(1, system(2), state=UP), Information())), 0.0)
    assert lacp.links["a"].status is not Status.CURRENT
    assert lacp.links["a"].counters.rx == 1


@pytest.mark.parametrize("data", [b"", bytes(110), b"\x01\x01\x01\x14" + bytes(106)])
def test_a_malformed_pdu_is_counted_and_changes_nothing(data: bytes) -> None:
    world = World.of(end(1, "a"), end(2, "a")).run(1.0)
    lacp = world.ends[0]
    before = lacp.memory("a")
    with pytest.raises(BadPdu):
        lacp.receive("a", data, world.now)
    assert lacp.memory("a") == before
    assert lacp.links["a"].counters.bad == 1


def test_a_marker_is_answered_and_counted() -> None:
    lacp = end(1, "a")
    answer = lacp.receive("a", b"\x02\x01\x01\x10" + bytes(106), 0.0)
    assert answer is not None
    assert answer[2] == 2
    assert lacp.links["a"].counters.markers == 1


@pytest.mark.parametrize("away", [0.5, 2.0, 25.0])
def test_an_end_that_comes_back_in_time_goes_on_without_a_change(away: float) -> None:
    fast = away < 3
    world = World.of(end(1, "a", "b", fast=True), end(2, "a", "b", fast=fast)).run(5.0)
    one, _other = world.ends
    memories = {name: one.memory(name) for name in one.links}
    settings, links = one.settings, {name: link.settings for name, link in one.links.items()}
    del world.ends[0]
    world.ends.insert(0, silent := end(1))
    wires, world.wires = world.wires, {}
    world.run(away)
    assert silent.wakeup() > world.now
    again = end(1)
    again.configure(settings, links, world.now, memories)
    for name in links:
        again.carrier(name, True, world.now)
    world.ends[0], world.wires = again, wires
    assert carrying(again) == ["a", "b"]
    changes: Sequence[str] = world.states(1)
    for _ in range(40):
        world.run(0.1)
        assert [carrying(lacp) for lacp in world.ends] == [["a", "b"], ["a", "b"]]
    assert world.states(1) == changes
    assert again.key == one.key


def test_an_idle_end_has_nothing_to_do_until_the_next_pdu() -> None:
    world = World.of(end(1, "a"), end(2, "a")).run(1.0)
    assert all(lacp.wakeup() - world.now > 20 for lacp in world.ends)
