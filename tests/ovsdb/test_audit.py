"""What a client has changed, in words for the log."""

from __future__ import annotations

import logging

import pytest

from jackfield.ovsdb import audit
from jackfield.ovsdb.database import Change, Database
from jackfield.ovsdb.schema import parse_schema
from jackfield.wire.peer import MOST_TEXT, one_line

SCHEMA = {
    "name": "D",
    "tables": {
        "Port": {"columns": {"tag": {"type": "integer"}, "counter": {"type": "integer", "ephemeral": True}}},
        "Bridge": {"columns": {"name": {"type": "string"}}},
    },
}


def changes(*wanted: tuple[str, dict[str, int] | None, dict[str, int] | None]) -> list[Change]:
    """Changes of rows, each of a table, from these columns to those."""
    database = Database(parse_schema(SCHEMA))
    found = []
    for name, *states in wanted:
        table = database.tables[name]
        rows = []
        for state in states:
            if state is None:
                rows.append(None)
                continue
            row = list(table.schema.defaults)
            for column, value in state.items():
                row[table.schema.columns[column].index] = (value,)
            rows.append(tuple(row))
        found.append(Change(table, "00000000-0000-0000-0000-000000000000", *rows))
    return found


def test_rows_are_counted_by_table_and_by_what_became_of_them() -> None:
    some = changes(
        ("Port", None, {"tag": 1}),
        ("Port", None, {}),
        ("Port", {"tag": 1}, {"tag": 2}),
        ("Bridge", {}, None),
    )
    assert audit.describe(some) == "Port: 2 new, 1 changed; Bridge: 1 gone"


def test_what_is_not_kept_on_disk_is_no_change(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    audit.note("somebody", "D", changes(("Port", {"counter": 1}, {"counter": 2})), ["statistics"])
    assert caplog.messages == []


def test_comments_stay_on_their_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    audit.note("somebody", "D", changes(("Bridge", None, {})), ["a\nb\x1b[31m"])
    assert caplog.messages == ["somebody changed D: Bridge: 1 new (a b [31m)"]
    assert len(one_line("x" * 10_000)) == MOST_TEXT + 1
