from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.wire.notation import (
    NamedUuid,
    NotationError,
    Shape,
    Uuid,
    decode,
    default_of,
    encode,
    shape_of,
)
from jackfield.wire.replica import Replica, ReplicaError

U1, U2 = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
SCHEMA: dict[str, Any] = {
    "name": "D",
    "tables": {
        "T": {
            "columns": {
                "name": {"type": "string"},
                "number": {"type": {"key": "integer", "min": 0, "max": 1}},
                "members": {"type": {"key": "integer", "min": 0, "max": "unlimited"}},
                "pairs": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
            }
        }
    },
}
BLANK = {"name": "", "number": None, "members": frozenset(), "pairs": {}}


@pytest.mark.parametrize(
    ("kind", "shape", "default"),
    [
        ("integer", Shape.SCALAR, 0),
        ({"key": "string", "min": 0}, Shape.OPTIONAL, None),
        ({"key": "boolean", "min": 0, "max": 3}, Shape.SET, frozenset()),
        (
            {"key": {"type": "uuid"}, "max": "unlimited"},
            Shape.SET,
            frozenset({Uuid("0" * 8 + "-0000" * 3 + "-" + "0" * 12)}),
        ),
        ({"key": "string", "value": "real", "min": 0, "max": "unlimited"}, Shape.MAP, {}),
    ],
)
def test_a_column_type_has_a_shape_and_a_default(kind: Any, shape: Shape, default: Any) -> None:
    assert shape_of(kind) is shape
    assert default_of(kind) == default


@pytest.mark.parametrize(
    ("json", "shape", "value"),
    [
        (5, Shape.SCALAR, 5),
        (["uuid", U1], Shape.SCALAR, Uuid(U1)),
        (["named-uuid", "x"], Shape.SCALAR, NamedUuid("x")),
        (["set", []], Shape.OPTIONAL, None),
        ("x", Shape.OPTIONAL, "x"),
        (["set", ["x"]], Shape.OPTIONAL, "x"),
        ("x", Shape.SET, frozenset({"x"})),
        (["set", [["uuid", U1], ["uuid", U2]]], Shape.SET, frozenset({Uuid(U1), Uuid(U2)})),
        (["map", [["a", 1], ["b", 2]]], Shape.MAP, {"a": 1, "b": 2}),
    ],
)
def test_values_decode_by_shape_and_encode_again(json: Any, shape: Shape, value: Any) -> None:
    decoded = decode(json, shape)
    assert decoded == value
    assert type(decoded) is type(value)
    assert decode(encode(decoded), shape) == value


@pytest.mark.parametrize(
    ("json", "shape"),
    [
        (None, Shape.SCALAR),
        ({}, Shape.SCALAR),
        (["set", []], Shape.SCALAR),
        (["set", [1, 2]], Shape.OPTIONAL),
        (5, Shape.MAP),
        (["map", [[1]]], Shape.MAP),
        (["map", 5], Shape.MAP),
        (["x", 1], Shape.SET),
    ],
)
def test_what_is_no_value_is_refused(json: Any, shape: Shape) -> None:
    with pytest.raises(NotationError):
        decode(json, shape)


def test_update2_differences_are_applied_by_element() -> None:
    replica = Replica(SCHEMA)
    replica.feed(
        {"T": {U1: {"initial": {"name": "a", "members": ["set", [1, 2]], "pairs": ["map", [["k", "v"]]]}}}}
    )
    first = replica.tables["T"][Uuid(U1)]
    modify = {"members": ["set", [2, 3]], "pairs": ["map", [["k", "w"], ["l", "x"]]], "number": 7}
    (change,) = replica.feed({"T": {U1: {"modify": modify}}})
    assert change.old == first == BLANK | {"name": "a", "members": {1, 2}, "pairs": {"k": "v"}}
    assert change.new == BLANK | {"name": "a", "members": {1, 3}, "pairs": {"k": "w", "l": "x"}, "number": 7}
    replica.feed({"T": {U1: {"modify": {"pairs": ["map", [["k", "w"]]], "number": ["set", []]}}}})
    assert replica.tables["T"][Uuid(U1)] == BLANK | {"name": "a", "members": {1, 3}, "pairs": {"l": "x"}}
    (gone,) = replica.feed({"T": {U1: {"delete": None}}})
    assert gone.new is None
    assert replica.tables == {"T": {}}


def test_updates_of_version_1_are_understood_too() -> None:
    replica = Replica(SCHEMA, {"T": ["name", "number"]})
    assert replica.requests() == {"T": [{"columns": ["name", "number"]}]}
    replica.feed({"T": {U1: {"new": {"name": "a", "number": ["set", []]}}}})
    replica.feed({"T": {U1: {"old": {"number": ["set", []]}, "new": {"name": "a", "number": 4}}}})
    assert replica.tables["T"][Uuid(U1)] == {"name": "a", "number": 4}
    replica.feed({"T": {U1: {"old": {"name": "a", "number": 4}}}})
    assert replica.tables == {"T": {}}


@pytest.mark.parametrize(
    "updates",
    [
        {"X": {U1: {"insert": {}}}},
        {"T": {U1: {"insert": {"x": 1}}}},
        {"T": {U1: {"modify": {}}}},
        {"T": 5},
        {"T": {U1: 5}},
    ],
)
def test_updates_that_make_no_sense_are_refused(updates: Any) -> None:
    with pytest.raises(ReplicaError):
        Replica(SCHEMA).feed(updates)


def test_unknown_columns_cannot_be_asked_for() -> None:
    with pytest.raises(ReplicaError, match="nope"):
        Replica(SCHEMA, {"T": ["nope"]})


@given(st.frozensets(st.integers(-5, 5)) | st.dictionaries(st.text("ab"), st.text("xy")))
def test_encoding_is_stable(value: Any) -> None:
    again = (
        dict(reversed(value.items())) if isinstance(value, dict) else frozenset(sorted(value, reverse=True))
    )
    assert encode(value) == encode(again)
