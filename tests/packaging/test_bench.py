"""The benchmark's own arithmetic, its report and its charts; and each measure, in its shortest form."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import control, overview, rates, scale
from bench.__main__ import MEASURED, publish
from bench.chart import charts
from bench.counts.names import CONTAINERS, HOST, NIC
from bench.effort import FULL, QUICK, kind_of_run
from bench.goals import TOPICS, Goal, anchor, verdicts
from bench.netns import BenchError
from bench.pages import put_between
from bench.parts import CONTROL, FLOODING, PARTS, PROGRAM, RATES, RFC2889
from bench.peers import INTERNAL, LIMIT, LINUX_BRIDGE, OVS, peers
from bench.progress import Progress
from bench.quiet import warning
from bench.report import as_json, markdown, targets
from bench.results import Results, machine
from bench.rfc2889.trials import CAPACITY
from bench.summary import summary
from bench.switch import Switch
from bench.table import ratios
from bench.traffic import CONNECT, MEASURES, TCP, TRIP, UDP, key, reach

ROOT = Path(__file__).resolve().parents[2]
TINY = dataclasses.replace(
    QUICK, rounds=1, seconds=0.1, ports=5, idle_seconds=0.1, trial_seconds=0.05, addresses=(50, 200),
    broadcasts=20, vlans=10, bridges=3, commits=5,
)  # fmt: skip
TCP_RATE, UDP_RATE = key(CONTAINERS, TCP), key(CONTAINERS, UDP)


@pytest.fixture
def results() -> Results:
    said = {**machine(), "date": "2026-01-31"}
    tcp = {INTERNAL: [9e9, 19.6e9, 30e9], LINUX_BRIDGE: [8e9, 16e9, 24e9], LIMIT: [1e10, 2e10, 3e10]}
    udp = {INTERNAL: [8e5, 8e5, 8e5], LINUX_BRIDGE: [8e5, 8e5, 8e5], LIMIT: [1e6, 1e6, 1e6]}
    lives = {control.ADD_PORT: {Switch.title: [20.0, 30.0, 250.0], OVS: [10.0, 10.0, 10.0]}}
    return Results(said, QUICK, {RATES: {TCP_RATE: tcp, UDP_RATE: udp}, CONTROL: lives}, [1.0])


def texts(svg: str) -> list[str]:
    return [element.text for element in ElementTree.fromstring(svg).iter() if element.text]


def test_ratios_are_taken_round_by_round(results: Results) -> None:
    assert ratios(results.tables[RATES][TCP_RATE], INTERNAL, LIMIT) == pytest.approx([0.9, 0.98, 1.0])


def test_a_promise_is_judged_by_the_median(results: Results) -> None:
    met = {target.text: target.met for target in targets(results)}
    assert met[f"TCP, one stream: {INTERNAL}, of {LIMIT}"]
    assert not met[f"UDP, 64-byte frames: {INTERNAL}, of {LIMIT}"]
    assert met["`ovs-vsctl add-port` to the first frame forwarded"]


def test_what_is_missed_says_by_how_much_and_where_the_reason_is_told() -> None:
    lines = list(
        verdicts([Goal("Rate", 0.97, 0.95, "", TOPICS[0], at_least=True), Goal("Time", 20, 1.5, "s", "")])
    )
    assert f"| Rate | ≥ 0.97 | **0.95** | 0.02 (2.1%) | [{TOPICS[0]}](#the-hosts-own-port) |" in lines
    assert "| Time | ≤ 20 s | 1.5 s |" in lines


def test_a_goal_survives_its_way_through_json() -> None:
    goal = Goal("Rate", 0.97, 0.95, "", "Flooding", at_least=True)
    assert Goal.of_json(json.loads(json.dumps(goal.as_json()))) == goal


def test_an_earlier_run_is_read_back(results: Results) -> None:
    assert Results.of_json(json.loads(json.dumps(as_json(results)))) == results


def test_the_page_tells_of_every_topic_and_has_all_marks() -> None:
    text = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    headings = {anchor(found) for found in re.findall(r"^#+ (.+)$", text, re.M)}
    assert {anchor(topic) for topic in TOPICS} <= headings
    assert all(mark in text for mark in (*overview.MARKS, *MEASURED))


def test_the_report_gives_medians_and_spreads(results: Results) -> None:
    lines = list(markdown(results, {}))
    row = next(line for line in lines if line.startswith("| TCP, one stream | Gb/s |"))
    assert "| 19.6 (9 to 30)<br>0.98 (0.90 to 1.00) |" in row
    assert f"| Control plane | unit | {Switch.title} | {OVS} |" in lines


def test_a_run_that_is_not_full_or_not_alone_says_so(results: Results) -> None:
    assert kind_of_run(FULL) == "" and warning([0.95, 1.0]) == ""
    results.quiet = [0.99, 0.4]
    text = "\n".join(markdown(results, {}))
    assert kind_of_run(QUICK) in text
    assert "got 40% to 99% of a processor" in text


def test_the_first_page_gets_rates_and_the_control_plane(results: Results) -> None:
    names = (control.READY, control.SOME_WEIGH, control.MANY_ADDED)
    results.tables[CONTROL] |= {name: {Switch.title: [700.0], OVS: [40.0]} for name in names}
    for name in (TRIP, CONNECT):
        results.tables[RATES][key(CONTAINERS, name)] = {INTERNAL: [11.0] * 3, LIMIT: [10.0] * 3}
    lines = list(summary(results))
    assert f"| {INTERNAL} | 19.6, 0.98 | 800, 0.80 | 11, 1.10 | 0.011, 1.10 |" in lines
    assert f"| {LIMIT} | 20 | 1,000 | 10 | 0.01 |" in lines
    assert "The daemon is ready in 0.7 s and has" in lines


def test_charts_are_well_formed_and_name_every_peer(results: Results) -> None:
    drawn = charts(results)
    assert drawn.keys() == {RATES, CONTROL}
    assert {INTERNAL, LINUX_BRIDGE, LIMIT, "0.98"} <= set(texts(drawn[RATES]))
    assert {Switch.title, OVS, "30", "ms, less is better"} <= set(texts(drawn[CONTROL]))
    assert all("prefers-color-scheme:dark" in svg for svg in drawn.values())


def test_progress_tells_what_is_left_of_this_part_and_the_next() -> None:
    said: list[str] = []
    times = iter([0.0, 0.0, 10.0, 60.0])
    progress = Progress({"one": 100, "two": 200}, lambda: next(times), said.append)
    progress.begin("one")
    progress.tell(0.1, "a")
    progress.tell(0.5, "b")
    assert said == [" 0:10 one, 10%: a; about 5 min left", " 1:00 one, 50%: b; about 4 min left"]


def test_a_page_begins_with_the_goals_of_both_kinds_of_run(tmp_path: Path, results: Results) -> None:
    page = tmp_path / "performance.md"
    page.write_text("\n".join(["# Speed", *overview.MARKS, *MEASURED, ""]), encoding="utf-8")
    counts = {"kernel": "6.12", "program": {"known unicast": 400.0}}
    page.with_suffix(".json").write_text(json.dumps(counts), encoding="utf-8")
    publish(results, page)
    text = page.read_text(encoding="utf-8")
    assert "| The program by itself, known unicast | ≤ 350 instructions | **400 instructions** |" in text
    assert re.search(r"\*\*Of 6 goals 3 are met and 3 missed\.\*\*", text)
    assert text.index("Of 6 goals") < text.index("(bench-rates.svg)")
    assert {path.name for path in tmp_path.glob("*.svg")} == {
        "goals.svg",
        "bench-rates.svg",
        "bench-control.svg",
    }


def test_a_page_without_marks_is_left_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing of ours\n", encoding="utf-8")
    with pytest.raises(BenchError, match="put these two lines into it"):
        put_between(page, "<!-- a -->", "<!-- b -->", ["new"])
    assert page.read_text(encoding="utf-8") == "nothing of ours\n"


def test_what_is_measured_is_put_into_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marks = "\n".join([*overview.MARKS, MEASURED[0], "old", MEASURED[1]])
    page.write_text(f"before\n{marks}\nafter\n", encoding="utf-8")
    parts = (FLOODING, PROGRAM)
    words = ("--quick", "--rounds", "1", "--only", *parts, "--output", tmp_path, "--page", page)
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert all(found[name].keys() == PARTS[name].measures(QUICK).keys() for name in parts)
    assert all(values.keys() == {Switch.title, LINUX_BRIDGE, OVS} for values in found[FLOODING].values())
    text = page.read_text(encoding="utf-8")
    assert "old" not in text
    assert text.startswith("before") and text.endswith("after\n")
    assert all((tmp_path / f"bench-{name}.svg").exists() for name in parts)


def test_large_switches_are_measured_beside_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = {name: scale.CASES[name] for name in (scale.PORTS, scale.ADDRESSES, scale.VLANS, scale.BRIDGES)}
    monkeypatch.setattr(scale, "CASES", cases)
    monkeypatch.setattr(scale, "SUBJECTS", (Switch,))
    found = list(scale.measure(TINY, lambda *_: None))
    assert {name for name, _, _ in found} == scale.measures(TINY).keys()
    assert all(value > 0 for _, _, value in found)


@pytest.mark.parametrize("part", [RFC2889, CONTROL])
def test_every_measure_is_taken(part: str) -> None:
    found = Results({}, TINY)
    for name, subject, value in PARTS[part].measure(TINY, lambda *_: None):
        found.note(part, name, subject, value)
    values = found.tables[part]
    assert values.keys() == PARTS[part].measures(TINY).keys()
    assert all({Switch.title, OVS} <= set(each) for each in values.values())
    if part == RFC2889:
        assert all(LINUX_BRIDGE in each for each in values.values())
        assert values[CAPACITY][Switch.title] == [float(TINY.addresses[-1])]


def test_a_page_that_lacks_the_marks_is_told_of_before_anything_is_measured(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n", encoding="utf-8")
    words = [sys.executable, "-m", "bench", "--quick", "--page", page, "--output", tmp_path]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "put these two lines into it" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "report.json").exists()


def test_every_rate_is_taken_on_every_way(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: peer for name, peer in peers(TINY).items() if name in (INTERNAL, LIMIT)}
    monkeypatch.setattr(rates, "peers", lambda _: few)
    found = list(rates.measure(TINY, lambda *_: None))
    assert {name for name, _, _ in found} == MEASURES.keys()
    assert all({subject for each, subject, _ in found if each == name} == few.keys() for name in MEASURES)
    assert all(value > 0 for _, _, value in found)


@pytest.mark.parametrize("peer", [LINUX_BRIDGE, OVS])
def test_the_host_and_the_outside_are_reached_on_every_switch(peer: str) -> None:
    with peers(QUICK)[peer]() as ways:
        assert ways.keys() == {CONTAINERS, HOST, NIC}
        for ends in ways.values():
            reach(ends)
