"""Random transactions on our server and on OVS's own: the same outcome, the same errors, the same rows."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.database.client import Client
from fuzz.choices import Choices
from fuzz.operations import operations
from jackfield.wire.stream import encode
from tests.ovsdb.conftest import Served, real_server
from tests.ovsdb.test_transactions import OPERATIONS
from tests.ovsdb.world import SCHEMA_JSON, delete, schema, select

pytestmark = pytest.mark.skipif(shutil.which("ovsdb-server") is None, reason="OVS's tools are not installed")

# OVS's server takes null bytes for no JSON and ends the session; 3.1 ends itself where it multiplies by 0.
UNFIT = ("\\u0000", '"*="')

Pair = tuple[Client, Client]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A client of each server, ours first, on a schema with every kind of column."""
    ours = Served(tmp_path_factory.mktemp("ours"), schema())
    with real_server(tmp_path_factory.mktemp("theirs"), SCHEMA_JSON) as remote:
        with (
            contextlib.closing(Client(ours.socket)) as one,
            contextlib.closing(Client(Path(remote.removeprefix("unix:")))) as other,
        ):
            yield one, other
        ours.stop()


def both(pair: Pair, requested: list[Any]) -> tuple[list[Any], list[Any]]:
    request = encode({"method": "transact", "params": ["World", *requested], "id": 0})
    ours, theirs = (client.ask(request) for client in pair)
    return ours, theirs


def errors(results: list[Any]) -> list[str | None]:
    """The error of each operation, "ok" if it has none, None if it has not run."""
    return [None if result is None else str(result.get("error", "ok")) for result in results]


def rows(pair: Pair) -> tuple[Any, Any]:
    """Every row of both, in a stable order."""
    ours, theirs = (
        [sorted(table["rows"], key=lambda row: str(row["_uuid"])) for table in results]
        for results in both(
            pair,
            [
                select(name, columns=["_uuid", *table["columns"]])
                for name, table in SCHEMA_JSON["tables"].items()
            ],
        )
    )
    return ours, theirs


def clear(pair: Pair) -> None:
    for results in both(pair, [delete(name) for name in ("Needy", "Root", "Leaf")]):
        assert errors(results) == ["ok"] * 3


@settings(deadline=None, max_examples=60)
@given(st.lists(OPERATIONS, min_size=1, max_size=8))
def test_transactions_that_make_sense_have_the_same_outcome(pair: Pair, history: list[list[Any]]) -> None:
    clear(pair)
    for requested in history:
        ours, theirs = both(pair, requested)
        assert errors(ours) == errors(theirs)
        counts = [[result and result.get("count") for result in results] for results in (ours, theirs)]
        assert counts[0] == counts[1]
        found = rows(pair)
        assert found[0] == found[1]


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200))
def test_nonsense_fails_at_the_same_place(pair: Pair, data: bytes) -> None:
    requested = [
        operation | {"timeout": 0} if isinstance(operation, dict) and "timeout" in operation else operation
        for operation in operations(Choices(data))
    ]
    if any(text in json.dumps(requested) for text in UNFIT):
        return
    ours, theirs = both(pair, requested)
    # Where one operation has several faults, which of them is told is a matter of a hash table's order.
    assert [error == "ok" for error in errors(ours)] == [error == "ok" for error in errors(theirs)]
