"""`show`: the configuration as an indented tree (ovs-vsctl(8), "Open vSwitch Commands")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jackfield.cli.vsctl.context import Command, Context, Needs, Syntax
from jackfield.cli.vsctl.transaction import Record
from jackfield.cli.vsctl.values import elements_of, value_text


class _Shown(NamedTuple):
    """What is shown of a table: the column that heads a row, and those beneath it."""

    heading: str | None
    columns: tuple[str, ...]


_TABLES = {
    "Open_vSwitch": _Shown(None, ("manager_options", "bridges", "ovs_version")),
    "Bridge": _Shown("name", ("controller", "fail_mode", "datapath_type", "ports")),
    "Port": _Shown("name", ("tag", "trunks", "interfaces")),
    "Interface": _Shown("name", ("type", "options", "error", "bfd_status")),
    "Controller": _Shown("target", ("is_connected",)),
    "Manager": _Shown("target", ("is_connected",)),
}


def _needs(needs: Needs, _: Command) -> None:
    for name, shown in _TABLES.items():
        needs.add(name, *([shown.heading] if shown.heading else []), *shown.columns)


def _show(ctx: Context) -> None:
    for record in ctx.txn.records("Open_vSwitch"):
        for line in _lines(ctx, record, 0):
            ctx.put(line)


def _lines(ctx: Context, record: Record, level: int) -> Iterator[str]:
    shown = _TABLES[record.table]
    columns = ctx.schema.table(record.table).columns
    if shown.heading is None:
        yield "    " * level + record.uuid
    else:
        heading = value_text(columns[shown.heading].type, ctx.read(record, shown.heading))
        yield f"{'    ' * level}{record.table} {heading}"
    for name in shown.columns:
        if name not in columns:
            continue
        kind, value = columns[name].type, ctx.read(record, name)
        if kind.key.ref_table in _TABLES:
            for uuid in elements_of(value):
                below = ctx.txn.record(kind.key.ref_table, uuid)
                if below is not None:
                    yield from _lines(ctx, below, level + 1)
        elif value != kind.default:
            yield f"{'    ' * (level + 1)}{name}: {value_text(kind, value)}"


COMMANDS = (Syntax("show", 0, 0, "", (), False, _show, _needs),)
