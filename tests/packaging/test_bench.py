"""The benchmark's own arithmetic, its report and its chart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import scale
from bench.__main__ import BEGIN, END
from bench.chart import svg
from bench.control import ADD_PORT, MANY_ADDED, READY, SOME_WEIGH, measures
from bench.effort import QUICK
from bench.netns import BenchError
from bench.pages import put_between
from bench.peers import INTERNAL, LIMIT, LINUX_BRIDGE, OVS
from bench.report import Results, machine, markdown, ratios, targets
from bench.rfc2889.trials import CAPACITY, MEASURES
from bench.summary import summary
from bench.switch import Switch
from bench.traffic import TCP, UDP

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def results() -> Results:
    said = {**machine(), "date": "2026-01-31"}
    tcp = {INTERNAL: [9e9, 19.6e9, 30e9], LINUX_BRIDGE: [8e9, 16e9, 24e9], LIMIT: [1e10, 2e10, 3e10]}
    udp = {INTERNAL: [8e5, 8e5, 8e5], LINUX_BRIDGE: [8e5, 8e5, 8e5], LIMIT: [1e6, 1e6, 1e6]}
    control = {ADD_PORT: {Switch.title: [20.0, 30.0, 250.0], OVS: [10.0, 10.0, 10.0]}}
    return Results(said, QUICK, {TCP: tcp, UDP: udp}, control=control)


def test_ratios_are_taken_round_by_round(results: Results) -> None:
    assert ratios(results.rates[TCP], INTERNAL, LIMIT) == pytest.approx([0.9, 0.98, 1.0])


def test_a_promise_is_judged_by_the_median(results: Results) -> None:
    met = {target.text: target.met for target in targets(results)}
    assert met[f"TCP, one stream: {INTERNAL} at least 0.97 of {LIMIT}"]
    assert not met[f"UDP, 64-byte frames: {INTERNAL} at least 0.93 of {LIMIT}"]
    assert met["`ovs-vsctl add-port` to the first frame forwarded at most 100 ms"]


def test_the_report_gives_medians_and_spreads(results: Results) -> None:
    lines = list(markdown(results))
    assert f"| {INTERNAL} | 19.6 (9 to 30) | 0.98 (0.90 to 1.00) |" in lines
    assert f"| Control plane | unit | {Switch.title} | {OVS} |" in lines


def test_the_first_page_gets_rates_and_the_control_plane(results: Results) -> None:
    names = (READY, SOME_WEIGH, MANY_ADDED)
    results.control |= {name: {Switch.title: [700.0], OVS: [40.0]} for name in names}
    lines = list(summary(results))
    assert f"| {INTERNAL} | 19.6 Gb/s, 0.98 | 800,000 packets/s, 0.80 |" in lines
    assert f"| {LIMIT} | 20 Gb/s | 1,000,000 packets/s |" in lines
    assert "The daemon is ready in 0.7 s and has" in lines


def test_the_chart_is_well_formed_and_names_every_peer(results: Results) -> None:
    words = [element.text for element in ElementTree.fromstring(svg(results)).iter() if element.text]
    assert {INTERNAL, LINUX_BRIDGE, LIMIT} <= set(words)


def test_there_is_no_chart_without_the_limit(results: Results) -> None:
    del results.rates[UDP][LIMIT]
    with pytest.raises(ValueError, match=LIMIT):
        svg(results)


def test_a_page_without_marks_is_left_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing of ours\n", encoding="utf-8")
    with pytest.raises(BenchError, match="put these two lines into it"):
        put_between(page, "<!-- a -->", "<!-- b -->", ["new"])
    assert page.read_text(encoding="utf-8") == "nothing of ours\n"


def test_every_measure_is_taken_and_put_into_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    words = (
        "--quick",
        "--rounds",
        "1",
        "--only",
        "control",
        "rfc2889",
        "scale",
        "--output",
        tmp_path,
        "--page",
        page,
    )
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words, "--output", tmp_path, "--page", page],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert found["control"].keys() == measures(QUICK).keys()
    assert all(set(values) == {Switch.title, OVS} for values in found["control"].values())
    assert found["rfc2889"].keys() == MEASURES.keys()
    assert all({Switch.title, LINUX_BRIDGE, OVS} <= set(values) for values in found["rfc2889"].values())
    assert found["rfc2889"][CAPACITY][Switch.title] == [float(QUICK.addresses[-1])]
    assert found["scale"].keys() == scale.measures(QUICK).keys()
    text = page.read_text(encoding="utf-8")
    assert "old" not in text
    assert text.startswith("before") and text.endswith("after\n")
    assert "| Control plane |" in text
