"""The commands about auto-attach, which maps I-SIDs to VLANs: ovs-vsctl(8), "Auto Attach Commands"."""

from __future__ import annotations

import re

from jackfield.cli.vsctl.bridges import model, needs_model
from jackfield.cli.vsctl.context import Command, Context, Needs, Syntax
from jackfield.cli.vsctl.errors import ControlError
from jackfield.cli.vsctl.transaction import Record
from jackfield.cli.vsctl.values import from_pairs
from jackfield.wire.notation import Atom, Uuid

_UINT64_MAX = (1 << 64) - 1


def _number(text: str) -> int:
    """The number at the start of `text`, wrapped to 64 bits as strtoull(3) does; raises ControlError."""
    found = re.match(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)", text)
    if found is None:
        raise ControlError(f"Invalid argument {text}")
    magnitude = int(found[2])
    if magnitude > _UINT64_MAX:
        magnitude = 1
    elif found[1] != "-":
        magnitude = -magnitude
    unsigned = -magnitude & _UINT64_MAX
    return unsigned - (_UINT64_MAX + 1) if unsigned >> 63 else unsigned


def _needs_mappings(needs: Needs, command: Command) -> None:
    needs_model(needs, command)
    needs.add("Bridge", "auto_attach")
    needs.add("AutoAttach", "mappings")


def _bridge(ctx: Context) -> Record:
    return model(ctx).bridge(ctx.command.arguments[0]).record


def _mappings(ctx: Context, bridge: Record) -> tuple[Record | None, dict[Atom, Atom]]:
    """The bridge's auto-attach row, if it has one, and the mappings in it."""
    ctx.txn.verify(bridge, "auto_attach")
    uuid = ctx.read(bridge, "auto_attach")
    row = ctx.txn.record("AutoAttach", uuid) if isinstance(uuid, Uuid) else None
    if row is None:
        return None, {}
    ctx.txn.verify(row, "mappings")
    mappings = ctx.read(row, "mappings")
    assert isinstance(mappings, dict)
    return row, mappings


def _add_mapping(ctx: Context) -> None:
    isid, vlan = map(_number, ctx.command.arguments[1:])
    bridge = _bridge(ctx)
    row, mappings = _mappings(ctx, bridge)
    if row is None:
        row = ctx.txn.insert("AutoAttach")
        ctx.txn.write(bridge, "auto_attach", row.uuid)
    ctx.txn.write(row, "mappings", from_pairs([*mappings.items(), (isid, vlan)]))


def _del_mapping(ctx: Context) -> None:
    """Like the original, removing a mapping also removes all others of its I-SID or its VLAN."""
    isid, vlan = map(_number, ctx.command.arguments[1:])
    row, mappings = _mappings(ctx, _bridge(ctx))
    if row is not None and (isid, vlan) in mappings.items():
        left = {key: value for key, value in mappings.items() if key != isid and value != vlan}
        ctx.txn.write(row, "mappings", left)


def _get_mapping(ctx: Context) -> None:
    _, mappings = _mappings(ctx, _bridge(ctx))
    for isid in sorted(mappings):
        ctx.put(f"{isid} {mappings[isid]}")


COMMANDS = (
    Syntax("add-aa-mapping", 3, 3, "BRIDGE ARG ARG", (), True, _add_mapping, _needs_mappings),
    Syntax("del-aa-mapping", 3, 3, "BRIDGE ARG ARG", (), True, _del_mapping, _needs_mappings),
    Syntax("get-aa-mapping", 1, 1, "BRIDGE", (), False, _get_mapping, _needs_mappings),
)
