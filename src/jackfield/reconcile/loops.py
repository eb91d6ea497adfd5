"""From other_config of Bridge and Port to what is done about loops. A port goes before its bridge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jackfield.model.loops.settings import LoopSettings
from jackfield.reconcile.outcome import Warning
from jackfield.reconcile.rows import Row, pairs, text

ACTION, RECOVER = "loop-action", "loop-recover-seconds"
_ACTIONS = ("report", "disable")
_LONGEST = 86400


def loop_settings(bridge: Row, port: Row) -> LoopSettings:
    """The settings of a port."""
    options = {**_valid(bridge), **_valid(port)}
    recover = int(options.get(RECOVER, "0"))
    return LoopSettings(options.get(ACTION) == "disable", recover or None)


def loop_warnings(table: str, row: Row) -> Iterator[Warning]:
    """What a Bridge or Port row has that cannot be obeyed."""
    options = pairs(row, "other_config")
    for key in options.keys() & {ACTION, RECOVER} - _valid(row).keys():
        wanted = " or ".join(_ACTIONS) if key == ACTION else f"a number of seconds from 0 to {_LONGEST}"
        told = f'ignoring other_config:{key} "{options[key]}": it must be {wanted}'
        yield Warning(table, text(row, "name"), told)


def _valid(row: Row) -> Mapping[str, str]:
    options = pairs(row, "other_config")
    return {key: options[key] for key in (ACTION, RECOVER) if key in options and _is_valid(key, options[key])}


def _is_valid(key: str, value: str) -> bool:
    if key == ACTION:
        return value in _ACTIONS
    return value.isascii() and value.isdigit() and len(value) <= 5 and int(value) <= _LONGEST
