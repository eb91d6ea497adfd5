"""The benchmark's own arithmetic, its report and its chart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.chart import svg
from bench.control import ADD_PORT
from bench.peers import INTERNAL, LIMIT, LINUX_BRIDGE
from bench.report import Results, machine, markdown, ratios, targets
from bench.traffic import TCP, UDP

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def results() -> Results:
    said = {**machine(), "date": "2026-01-31", "rounds": 3, "seconds": 1}
    tcp = {INTERNAL: [9e9, 19e9, 30e9], LINUX_BRIDGE: [8e9, 16e9, 24e9], LIMIT: [1e10, 2e10, 3e10]}
    udp = {INTERNAL: [8e5, 8e5, 8e5], LINUX_BRIDGE: [8e5, 8e5, 8e5], LIMIT: [1e6, 1e6, 1e6]}
    return Results(said, {TCP: tcp, UDP: udp}, {ADD_PORT: [20.0, 30.0, 250.0]})


def test_ratios_are_taken_round_by_round(results: Results) -> None:
    assert ratios(results.rates[TCP], INTERNAL, LIMIT) == pytest.approx([0.9, 0.95, 1.0])


def test_a_promise_is_judged_by_the_median(results: Results) -> None:
    met = {target.text: target.met for target in targets(results)}
    assert met[f"TCP, one stream: {INTERNAL} at least 0.95 of {LIMIT}"]
    assert not met[f"UDP, 64-byte frames: {INTERNAL} at least 0.90 of {LIMIT}"]
    assert met["add-port to first frame forwarded at most 100 ms"]


def test_the_report_gives_medians_and_spreads(results: Results) -> None:
    assert f"| {INTERNAL} | 19 (9 to 30) | 0.95 (0.90 to 1.00) |" in list(markdown(results))


def test_the_chart_is_well_formed_and_names_every_peer(results: Results) -> None:
    words = [element.text for element in ElementTree.fromstring(svg(results)).iter() if element.text]
    assert {INTERNAL, LINUX_BRIDGE, LIMIT} <= set(words)


def test_there_is_no_chart_without_the_limit(results: Results) -> None:
    del results.rates[UDP][LIMIT]
    with pytest.raises(ValueError, match=LIMIT):
        svg(results)


def test_a_measurement_ends_in_a_file_with_its_values(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--only", ADD_PORT, "--rounds", "2", "--output", output],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads(output.read_text(encoding="utf-8"))["control"][ADD_PORT]) == 2
