from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jackfield.ovsdb.errors import OvsdbError
from jackfield.ovsdb.schema import DatabaseSchema, parse_schema
from jackfield.switchd.schema import open_vswitch_schema

OVS_FILE = Path("/usr/share/openvswitch/vswitch.ovsschema")


@pytest.mark.skipif(not OVS_FILE.exists(), reason="OVS's schema is not installed")
def test_the_schema_is_that_of_ovs(schema: DatabaseSchema) -> None:
    theirs = parse_schema(json.loads(OVS_FILE.read_text())).to_json()
    del theirs["cksum"]
    assert schema.to_json() == theirs


def test_a_schema_survives_its_json(schema: DatabaseSchema) -> None:
    assert parse_schema(schema.to_json()) == schema
    assert json.loads(json.dumps(open_vswitch_schema())) == open_vswitch_schema()


def table(**columns: Any) -> dict[str, Any]:
    return {
        "name": "D",
        "tables": {"T": {"columns": {name: {"type": kind} for name, kind in columns.items()}}},
    }


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (5, "Object expected"),
        ({"name": "D"}, "'tables' member is missing"),
        ({"name": "D", "tables": {}, "version": "1"}, "x.y.z"),
        ({"name": "D", "tables": {}, "x": 1}, "not allowed here"),
        (table(), "at least one column"),
        (table(_a="integer"), "reserved"),
        (table(a="number"), "not an atomic-type"),
        (table(a={"key": "integer", "min": 2}), "constraint checks"),
        (table(a={"key": "integer", "max": 0}), "constraint checks"),
        (
            table(a={"key": {"type": "integer", "minInteger": 5, "maxInteger": 4}}),
            "minInteger exceeds maxInteger",
        ),
        (table(a={"key": {"type": "uuid", "refTable": "X"}}), "undefined table X"),
        (table(a={"key": {"type": "uuid", "refTable": "T", "refType": "odd"}}), "strong"),
        (
            {"name": "D", "tables": {"T": {"columns": {"a": {"type": "string"}}, "indexes": [["b"]]}}},
            "distinct column",
        ),
        (
            {"name": "D", "tables": {"T": {"columns": {"a": {"type": "string"}}, "indexes": [[]]}}},
            "at least one",
        ),
        ({"name": "D", "tables": {"T": {"columns": {"a": {"type": "string"}}, "maxRows": 0}}}, "maxRows"),
        (
            {
                "name": "D",
                "tables": {
                    "T": {"columns": {"a": {"type": "string", "ephemeral": True}}, "indexes": [["a"]]}
                },
            },
            "ephemeral",
        ),
    ],
)
def test_a_wrong_schema_is_refused_with_the_reason(wrong: Any, why: str) -> None:
    with pytest.raises(OvsdbError, match=why):
        parse_schema(wrong)
