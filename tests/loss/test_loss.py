"""A short run of what `scripts/kills` does at length."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jackfield.switchd.failpoint import fail_point
from tests.loss.kills import kill_again_and_again, rest_is_in_order
from tests.loss.numbered import Flow
from tests.loss.site import Site, new_site
from tests.loss.soak import leaks, soak
from tests.loss.soak import prepare as prepare_cards
from tests.loss.steps import PLANS, Plan, kill_after_steps, prepare
from tests.loss.traffic import FlowPlan, Verdict, traffic
from tests.netlab import until

RATE = 200.0


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with new_site() as site:
        prepare(site)
        prepare_cards(site)
        yield site


def faults(verdicts: list[Verdict]) -> list[Verdict]:
    assert all(verdict.sent for verdict in verdicts)
    return [verdict for verdict in verdicts if verdict.faults]


def test_the_receiver_sees_what_is_lost_doubled_and_overtaken() -> None:
    flow = Flow()
    for number in (0, 1, 4, 3, 3, 5):
        flow.take(number, now=float(number))
    assert (flow.arrived, flow.missing, flow.overtaken, flow.doubled) == (6, {2}, 1, 1)


def test_a_frame_that_goes_astray_is_noticed(site: Site) -> None:
    a, b, far = (site.ends[name] for name in ("a", "b", "far"))
    plans = [FlowPlan("to a port that goes", a, b, RATE), FlowPlan("to one that is forgotten", a, far, RATE)]
    with traffic(plans) as running:
        site.switch.appctl("fdb/flush", "br0")
        site.switch.host.ip("link", "set", "eth1", "down")
        until(lambda: site.switch.drops("eth1"), what="frames that were dropped")
        site.switch.host.ip("link", "set", "eth1", "up")
        forgotten, lost = running.stop()
    assert forgotten.elsewhere > 0
    assert lost.lost > 0


def test_no_frame_is_lost_by_kills_at_random_moments(site: Site) -> None:
    assert faults(kill_again_and_again(site, 6, RATE, seed=7)) == []
    assert rest_is_in_order(site) == []


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_no_frame_is_lost_by_a_kill_after_a_step_of_a_plan(site: Site, plan: Plan) -> None:
    kills, disorder, verdicts = kill_after_steps(site, plan, stride=13, rate=RATE)
    assert kills > 0
    assert disorder == []
    assert faults(verdicts) == []


def test_the_daemon_has_no_fail_point_unless_it_is_told() -> None:
    for _ in range(3):
        fail_point({})()


def test_nothing_is_lost_or_leaked_in_half_a_minute_of_random_operations(site: Site) -> None:
    verdicts, done, held = soak(site, 30.0, RATE, seed=3)
    assert faults(verdicts) == []
    assert len(done) > 5
    assert leaks(held) == []
    assert rest_is_in_order(site) == []
