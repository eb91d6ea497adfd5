"""The relations that `find` and `wait-until` test: ovs-vsctl(8), "Database Commands", find."""

from __future__ import annotations

from typing import Any

from jackfield.cli.vsctl.errors import ControlError
from jackfield.cli.vsctl.lookup import Setting
from jackfield.cli.vsctl.symbols import Symbols
from jackfield.cli.vsctl.values import elements_of, parse_atom, parse_value, set_of
from jackfield.wire.notation import Value

OPERATORS = ("=", "!=", "<", ">", "<=", ">=", "{=}", "{!=}", "{<}", "{>}", "{<=}", "{>=}", "{in}", "{not-in}")


def satisfies(value: Value, setting: Setting, symbols: Symbols) -> bool:
    """Whether a column's value, or the value of one key of it, stands in the relation that `setting` names.

    Raises ControlError for a key of a column without keys and for values that do not parse.
    """
    kind = setting.column.type
    if setting.key is None:
        return _holds(
            elements_of(value), setting.operator, elements_of(parse_value(kind, setting.value, symbols))
        )
    if kind.value is None:
        raise ControlError(f"cannot specify key to check for non-map column {setting.column.name}")
    key = parse_atom(kind.key, setting.key, symbols)
    wanted = elements_of(parse_value(set_of(kind.value, kind.low), setting.value, symbols))
    assert isinstance(value, dict)
    if key in value:
        return _holds([value[key]], setting.operator, wanted)
    return setting.operator.startswith("{") and _holds([], setting.operator, wanted)


def _holds(have: list[Any], operator: str, want: list[Any]) -> bool:
    match operator:
        case "=" | "{=}":
            return have == want
        case "!=" | "{!=}":
            return have != want
        case "<":
            return _order(have) < _order(want)
        case ">":
            return _order(have) > _order(want)
        case "<=":
            return _order(have) <= _order(want)
        case ">=":
            return _order(have) >= _order(want)
        case "{<}":
            return len(have) < len(want) and set(have) <= set(want)
        case "{>}":
            return len(have) > len(want) and set(have) >= set(want)
        case "{<=}" | "{in}":
            return set(have) <= set(want)
        case "{>=}":
            return set(have) >= set(want)
    return not set(have) & set(want)


def _order(elements: list[Any]) -> tuple[int, list[Any], list[Any]]:
    """A sort key: the number of elements, then the keys, then the values."""
    if elements and isinstance(elements[0], tuple):
        return len(elements), [key for key, _ in elements], [value for _, value in elements]
    return len(elements), elements, []
