"""Values of columns as text, there and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield.cli.vsctl.errors import ControlError
from jackfield.cli.vsctl.schema import Column, ColumnType, Schema, parse_type
from jackfield.cli.vsctl.symbols import Symbols
from jackfield.cli.vsctl.values import elements_of, parse_uuid, parse_value, take_token, value_text
from jackfield.switchd.schema import open_vswitch_schema
from jackfield.wire.notation import Uuid

ATOMS = {
    "integer": st.integers(-(1 << 63), (1 << 63) - 1),
    "real": st.floats(-1e300, 1e300).map(lambda x: float(f"{x:.15g}") or 0.0),
    "boolean": st.booleans(),
    "string": st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    "uuid": st.uuids().map(Uuid),
}
SCHEMA = Schema(open_vswitch_schema())
COLUMNS = [column for name in SCHEMA.names for column in SCHEMA.table(name).columns.values()]


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[ColumnType, Any]:
    key = draw(st.sampled_from(sorted(ATOMS)))
    value = draw(st.sampled_from(sorted(ATOMS)))
    match draw(st.sampled_from(("scalar", "optional", "set", "map"))):
        case "scalar":
            return parse_type(key), draw(ATOMS[key])
        case "optional":
            return parse_type({"key": key, "min": 0}), draw(st.none() | ATOMS[key])
        case "set":
            return parse_type({"key": key, "min": 0, "max": "unlimited"}), draw(st.frozensets(ATOMS[key]))
    kind = parse_type({"key": key, "value": value, "min": 0, "max": "unlimited"})
    return kind, draw(st.dictionaries(ATOMS[key], ATOMS[value]))


# The table of all characters takes a while, the first time that it is made.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(typed_values())
def test_a_value_survives_being_written_and_read(typed: tuple[ColumnType, Any]) -> None:
    kind, value = typed
    assert parse_value(kind, value_text(kind, value), Symbols()) == value


@given(st.sampled_from(COLUMNS), st.text('abc019-=,:[]{}"\\ @\n.', max_size=30) | st.text(max_size=20))
def test_any_text_is_either_a_value_or_one_error(column: Column, text: str) -> None:
    kind = column.type
    try:
        value = parse_value(kind, text, Symbols())
    except ControlError as error:
        assert str(error)
    else:
        assert kind.low <= len(elements_of(value)) <= kind.high


@given(st.text('ab:="\\ ,[', max_size=12))
def test_a_token_ends_at_a_delimiter_or_at_the_end(text: str) -> None:
    try:
        _, end = take_token(text, 0)
    except ControlError:
        return
    assert end == len(text) or text[end] in ":=, []{}!<>"


@pytest.mark.parametrize(
    ("text", "value"),
    [("1-4,9", {1, 2, 3, 4, 9}), ("[]", set()), ("[1, 2]", {1, 2}), ("1 2", {1, 2}), (" [ 7 ] ", {7})],
)
def test_sets_of_vlans_may_be_written_in_several_ways(text: str, value: set[int]) -> None:
    assert parse_value(SCHEMA.table("Port").columns["trunks"].type, text, Symbols()) == value


def test_a_uuid_is_one_in_upper_case_too() -> None:
    text = "0A1B2C3D-0000-1111-2222-333344445555"
    assert parse_uuid(text) == text.lower()
    assert parse_uuid(text[:-1]) is None
