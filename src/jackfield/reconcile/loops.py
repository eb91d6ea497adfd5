"""What other_config of Bridge and Port says about loops, and what is done to ports that are in one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from jackfield.datapath._abi import Guard, GuardFlag, Name, NameKey, NameKind
from jackfield.model.loops.settings import LoopSettings
from jackfield.model.protection import GuardConfig
from jackfield.reconcile.outcome import Warning
from jackfield.reconcile.rows import Row, pairs, text
from jackfield.reconcile.wanted import Desired, WantedPort

ACTION, RECOVER = "loop-action", "loop-recover-seconds"
_ACTIONS = ("report", "disable")
_LONGEST = 86400


def loop_settings(bridge: Row, port: Row) -> LoopSettings:
    """The settings of a port: its own go before its bridge's."""
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


def damped(wanted: Desired, ports: Collection[str]) -> Desired:
    """The same, with low limits for what these ports may flood."""
    if not ports:
        return wanted

    def port(each: WantedPort) -> WantedPort:
        if each.name not in ports:
            return each
        guard = replace(each.config.guard or GuardConfig(), damped=True)
        return replace(each, config=replace(each.config, guard=guard))

    bridges = (replace(bridge, ports=tuple(map(port, bridge.ports))) for bridge in wanted.bridges)
    return replace(wanted, bridges=tuple(bridges))


def damped_before(
    guards: Iterable[tuple[int, Guard]], names: Callable[[NameKey], Name | None]
) -> frozenset[str]:
    """The ports that an earlier process left so."""
    ids = (number for number, guard in guards if guard.flags & GuardFlag.DAMPED)
    found = (names(NameKey(int(NameKind.PORT), number)) for number in ids)
    return frozenset(name.name for name in found if name is not None)


def _valid(row: Row) -> Mapping[str, str]:
    options = pairs(row, "other_config")
    return {key: options[key] for key in (ACTION, RECOVER) if key in options and _is_valid(key, options[key])}


def _is_valid(key: str, value: str) -> bool:
    if key == ACTION:
        return value in _ACTIONS
    return value.isascii() and value.isdigit() and len(value) <= 5 and int(value) <= _LONGEST
