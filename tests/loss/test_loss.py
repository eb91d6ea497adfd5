"""A short run of what `scripts/kills` does at length."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield.switchd.failpoint import fail_point
from tests.loss.builds import CHANGED_CONFIGURATION, CHANGED_PROGRAMS, CHANGED_STATE, Build
from tests.loss.kills import kill_again_and_again, rest_is_in_order
from tests.loss.numbered import Flow
from tests.loss.site import Site, new_site
from tests.loss.soak import leaks, soak
from tests.loss.soak import prepare as prepare_cards
from tests.loss.steps import PLANS, Plan, kill_after_steps, prepare
from tests.loss.traffic import FlowPlan, Verdict, traffic
from tests.loss.upgrades import Cost, Upgrades
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
    assert lost.queued == 0


def test_what_a_full_queue_of_the_kernel_drops_is_not_put_down_to_the_switch(site: Site) -> None:
    a, b, far = (site.ends[name] for name in ("a", "b", "far"))
    plans = [FlowPlan("to a slow card", a, far, RATE), FlowPlan("past it", a, b, RATE)]
    slow = "root tbf rate 8kbit burst 1600 limit 1600"
    site.switch.host.run("tc", "qdisc", "add", "dev", "eth1", *slow.split())

    def overflown() -> int:
        (queue,) = json.loads(site.switch.host.run("tc", "-s", "-j", "qdisc", "show", "dev", "eth1").stdout)
        return int(queue["drops"])

    try:
        with traffic(plans) as running:
            until(overflown, what="a full queue")
            site.switch.host.ip("link", "set", "eth1", "down")
            until(lambda: site.switch.drops("eth1"), what="frames that were dropped by the switch")
            planted = overflown()
            to_card, past = running.stop()
    finally:
        site.switch.host.run("tc", "qdisc", "del", "dev", "eth1", "root")
        site.switch.host.ip("link", "set", "eth1", "up")
    assert (to_card.queued, past.queued) == (planted, 0)
    assert to_card.lost > 0
    assert past.lost == 0


def test_no_frame_is_lost_by_kills_at_random_moments(site: Site) -> None:
    assert faults(kill_again_and_again(site, 6, RATE, seed=7)) == []
    assert rest_is_in_order(site) == []


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_no_frame_is_lost_by_a_kill_after_a_step_of_a_plan(site: Site, plan: Plan) -> None:
    kills, disorder, verdicts = kill_after_steps(site, plan, stride=13, rate=RATE)
    assert kills > 0
    assert disorder == []
    assert faults(verdicts) == []


@pytest.fixture
def upgrades(site: Site, tmp_path: Path) -> Upgrades:
    return Upgrades(site, tmp_path, RATE)


def frames(cost: Cost) -> tuple[int, int, int, int]:
    assert cost.sent > 0
    assert cost.disorder == ()
    return cost.lost, cost.doubled, cost.overtaken, cost.elsewhere


@pytest.mark.parametrize("build", [CHANGED_PROGRAMS, CHANGED_CONFIGURATION], ids=lambda build: build.name)
def test_no_frame_is_lost_by_an_upgrade_and_a_downgrade(upgrades: Upgrades, build: Build) -> None:
    assert frames(upgrades.to_and_fro(build)) == (0, 0, 0, 0)


def test_a_build_with_another_learning_table_loses_nothing_and_learns_again(upgrades: Upgrades) -> None:
    *faults, flooded = frames(upgrades.to_and_fro(CHANGED_STATE))
    assert faults == [0, 0, 0]
    assert flooded > 0


def test_no_frame_is_lost_when_all_is_unpinned_under_the_daemon(upgrades: Upgrades) -> None:
    assert frames(upgrades.pins_go()) == (0, 0, 0, 0)


def test_what_was_unpinned_while_no_daemon_ran_is_made_again_by_the_next(upgrades: Upgrades) -> None:
    lost, doubled, overtaken, _flooded = frames(upgrades.pins_go_meanwhile())
    assert lost > 0
    assert (doubled, overtaken) == (0, 0)


def test_no_frame_is_lost_to_ports_that_a_restored_database_has_too(upgrades: Upgrades) -> None:
    assert frames(upgrades.file_comes_back()) == (0, 0, 0, 0)
    assert frames(upgrades.backup_comes_back()) == (0, 0, 0, 0)


def test_the_daemon_has_no_fail_point_unless_it_is_told() -> None:
    for _ in range(3):
        fail_point({})()


def test_nothing_is_lost_or_leaked_in_half_a_minute_of_random_operations(site: Site) -> None:
    verdicts, done, held = soak(site, 30.0, RATE, seed=3)
    assert faults(verdicts) == []
    assert len(done) > 5
    assert leaks(held) == []
    assert rest_is_in_order(site) == []
