"""The page about speed is made from counts: goals are judged, and what is missed is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bench.counts.names import CONTAINERS, HOST, JACKFIELD_INTERNAL, LINUX_BRIDGE, NIC, VETH, path_name
from bench.counts.page import goals, markdown, svg
from bench.counts.report import BEGIN, END
from bench.goals import verdicts
from bench.pages import put_between

LIMIT = path_name(VETH, CONTAINERS)


def counts(to_host: float = 900) -> dict[str, Any]:
    def values(peer: str, host: float) -> dict[str, Any]:
        added = {CONTAINERS: 1300.0, HOST: host, NIC: 950.0}
        return {path_name(peer, kind): {"middle": 8000.0 + more} for kind, more in added.items()}

    limit = {LIMIT: {"middle": 8000.0}}
    paths = {"one way": limit | values(LINUX_BRIDGE, 1000) | values(JACKFIELD_INTERNAL, to_host)}
    program = {"known unicast": 300.0, "known unicast, 1000 ports": 340.0}
    return {"kernel": "6.12.1", "paths": paths, "program": program}


def test_a_goal_is_a_bound_on_what_is_added_to_a_plain_veth_pair() -> None:
    met = {goal.text: goal.met for goal in goals(counts())}
    assert met["Container to container, one way, over plain veth pair"]
    assert met["Container to host, one way: below Linux bridge"]
    assert not met["The program: known unicast, 1000 ports"]


def test_a_goal_that_is_missed_says_by_how_much() -> None:
    text = "\n".join(verdicts(list(goals(counts(to_host=1250)))))
    assert (
        "below Linux bridge | ≤ 1,000 instructions | **1,250 instructions** | 250 instructions (25.0%) |"
        in text
    )
    tables = "\n".join(markdown(counts(to_host=1250), "performance.svg"))
    assert "| Jackfield, internal ports: container to host | 9250 | +1250 |" in tables


def test_the_chart_names_every_switch_on_every_way() -> None:
    texts = [element.text or "" for element in ElementTree.fromstring(svg(counts())).iter() if element.text]
    assert texts.count(LINUX_BRIDGE) == texts.count(JACKFIELD_INTERNAL) == 3
    assert "+900" in texts


def test_only_the_marked_part_of_a_page_is_made_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    for _ in range(2):
        put_between(page, BEGIN, END, ["new"])
    assert page.read_text() == f"# Before\n\n{BEGIN}\nnew\n{END}\n\nAfter.\n"
