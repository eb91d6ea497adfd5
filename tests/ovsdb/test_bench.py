"""The benchmark of the database server: that it measures what it says, not how fast anything is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.database.client import Client, listeners, message
from bench.database.measures import DATABASE, MEASURES, Committer, commits_with, initial, switch_of
from bench.database.report import Results, markdown, svg, targets
from bench.database.servers import OURS, THEIRS, place, serving
from bench.netns import BenchError
from tests.ovsdb.conftest import Served

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def filled(served: Served) -> Iterator[Any]:
    """What the benchmark takes for a running server, with ten ports in it."""
    with closing(Client(served.socket)) as client:
        client.transact(*switch_of(10))
    yield SimpleNamespace(place=SimpleNamespace(socket=served.socket))


def test_commits_are_made_and_heard_by_every_monitor(filled: Any) -> None:
    with closing(Committer(filled, 3)) as committer, listeners(filled.place.socket, ["Interface"], 2):
        assert len(list(committer.alone(5))) == 5
        assert committer.together(7) > 0
    with closing(Client(filled.place.socket)) as client:
        select = {"op": "select", "table": "Interface", "where": [], "columns": ["external_ids"]}
        (found,) = client.transact(select)
    numbers = [value for row in found["rows"] for key, value in row["external_ids"][1] if key == "number"]
    assert len(numbers) == 3
    assert "12" in numbers


def test_the_initial_reply_is_read_to_its_end(filled: Any) -> None:
    with closing(Client(filled.place.socket)) as client:
        assert initial(client) > 0
        assert client.ask(message("echo", "next")) == ["next"]


def test_a_transaction_that_fails_is_no_measurement(filled: Any) -> None:
    with closing(Client(filled.place.socket)) as client:
        with pytest.raises(BenchError, match="constraint violation"):
            client.transact({"op": "insert", "table": DATABASE, "row": {}})
        with pytest.raises(BenchError, match="refused"):
            client.ask(message("dance"))


@pytest.mark.parametrize("name", [OURS, THEIRS])
def test_both_servers_are_started_and_stopped_alike(name: str) -> None:
    with place(name) as where, serving(name, where) as running:
        assert running.ready > 0
        assert running.resident() > 1
        assert running.processor() > 0
        with closing(Client(where.socket)) as client:
            client.transact(*switch_of(3))


def test_the_verdict_follows_from_the_medians() -> None:
    results = Results({"cpu": "c", "cores": 2, "kernel": "k", "date": "d", "rounds": 3})
    for ours, theirs in ((250.0, 100.0), (290.0, 100.0), (900.0, 100.0)):
        results.add(commits_with(10), OURS, ours)
        results.add(commits_with(10), THEIRS, theirs)
        results.add("ready", OURS, ours * 10)
        results.add("ready", THEIRS, theirs)
    assert [(target.measured, target.met) for target in targets(results)] == [(2.9, True), (2900.0, False)]
    text = "\n".join(markdown(results))
    assert "| durable commit of one row, 10 monitors | µs | 290 (250 to 900) | 100 (100 to 100) |" in text
    assert "**no**" in text
    assert set(results.values) <= set(MEASURES)
    assert f">{OURS}<" in svg(results) and ">290<" in svg(results)


def test_the_command_explains_itself() -> None:
    argv = [sys.executable, "-m", "bench.database", "--help"]
    found = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.startswith("usage: scripts/bench database")
