"""The commands about datapaths: their connection tracking zones and capabilities (ovs-vsctl(8))."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jackfield.cli.vsctl.context import Command, Context, Needs, Syntax
from jackfield.cli.vsctl.errors import ControlError
from jackfield.cli.vsctl.switch import leading_integer
from jackfield.cli.vsctl.transaction import Record
from jackfield.cli.vsctl.values import Pair, from_pairs
from jackfield.wire.notation import Atom, Uuid

_ZONE = re.compile(r"zone=\s*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)")
_TIMEOUT = re.compile(r"[, \t\r\n]*([^:=(, \t\r\n]+)(?:[:=]([^, \t\r\n]*)|\(([^)]*))?")


def _needs_zones(needs: Needs, _: Command) -> None:
    needs.add("Open_vSwitch", "datapaths")
    needs.add("Datapath", "ct_zones")
    needs.add("CT_Zone", "timeout_policy")
    needs.add("CT_Timeout_Policy", "timeouts")


def _needs_capabilities(needs: Needs, _: Command) -> None:
    needs.add("Open_vSwitch", "datapaths")
    needs.add("Datapath", "capabilities")


def _map(ctx: Context, record: Record, column: str) -> Mapping[Atom, Atom]:
    value = ctx.read(record, column)
    assert isinstance(value, dict)
    return value


def _datapath(ctx: Context, missing: str) -> Record:
    """The datapath that the command's first argument names; ControlError says `missing` about it."""
    name = ctx.command.arguments[0]
    uuid = _map(ctx, ctx.root, "datapaths").get(name)
    record = ctx.txn.record("Datapath", uuid) if isinstance(uuid, Uuid) else None
    if record is None:
        raise ControlError(missing.format(name))
    return record


def _zone_id(ctx: Context) -> int:
    word = ctx.command.arguments[1]
    found = _ZONE.match(word)
    if found is None:
        raise ControlError(f'{word}: not a zone: use "zone=ID"')
    digits = found[2]
    if digits[:2].lower() == "0x":
        number = int(digits, 16)
    elif digits.startswith("0"):
        octal = re.match("[0-7]+", digits)
        assert octal is not None
        number = int(octal[0], 8)
    else:
        number = int(digits)
    return -number if found[1] == "-" else number


def _timeouts(words: list[str]) -> list[Pair]:
    timeouts: list[Pair] = []
    for word in words:
        found = _TIMEOUT.match(word)
        if found is None:
            raise ControlError(f'{word}: not a timeout: use "NAME=SECONDS"')
        timeouts.append((found[1], leading_integer(found[2] or found[3] or "")))
    return timeouts


def _policy(ctx: Context, timeouts: list[Pair]) -> Record:
    """The row of these timeouts: one that is there already, or a new one.

    Of a timeout given twice, the original looks for the last value and writes the least.
    """
    wanted = dict(timeouts)
    for record in ctx.txn.records("CT_Timeout_Policy"):
        if _map(ctx, record, "timeouts") == wanted:
            ctx.txn.verify(record, "timeouts")
            return record
    record = ctx.txn.insert("CT_Timeout_Policy")
    ctx.txn.write(record, "timeouts", from_pairs(timeouts))
    return record


def _zone(ctx: Context, datapath: Record, zone_id: int) -> Record | None:
    uuid = _map(ctx, datapath, "ct_zones").get(zone_id)
    return ctx.txn.record("CT_Zone", uuid) if isinstance(uuid, Uuid) else None


def _add_zone(ctx: Context) -> None:
    zone_id = _zone_id(ctx)
    datapath = _datapath(ctx, "datapath {} does not exist")
    zone = _zone(ctx, datapath, zone_id)
    if zone is not None and not ctx.has("--may-exist"):
        raise ControlError(f"zone id {zone_id} already exists")
    policy = _policy(ctx, _timeouts(ctx.command.arguments[2:]))
    if zone is None:
        zone = ctx.txn.insert("CT_Zone")
        ctx.txn.insert_pairs(datapath, "ct_zones", {zone_id: zone.uuid})
    ctx.txn.write(zone, "timeout_policy", policy.uuid)


def _del_zone(ctx: Context) -> None:
    zone_id = _zone_id(ctx)
    datapath = _datapath(ctx, "datapath {} does not exist")
    if _zone(ctx, datapath, zone_id) is not None:
        ctx.txn.remove_key(datapath, "ct_zones", zone_id)
    elif not ctx.has("--if-exists"):
        raise ControlError(f"zone id {zone_id % (1 << 64)} does not exist")


def _list_zones(ctx: Context) -> None:
    datapath = _datapath(ctx, "datapath: {} record not found")
    for zone_id in sorted(_map(ctx, datapath, "ct_zones")):
        zone = _zone(ctx, datapath, int(zone_id))
        uuid = ctx.read(zone, "timeout_policy") if zone is not None else None
        policy = ctx.txn.record("CT_Timeout_Policy", uuid) if isinstance(uuid, Uuid) else None
        text = "system default" if policy is None else _pairs(_map(ctx, policy, "timeouts"))
        ctx.put(f"Zone:{zone_id}, Timeout Policies: {text}".removesuffix(" "))


def _list_capabilities(ctx: Context) -> None:
    datapath = _datapath(ctx, 'datapath "{}" record not found')
    ctx.put(_pairs(_map(ctx, datapath, "capabilities")))


def _pairs(pairs: Mapping[Atom, Atom]) -> str:
    return " ".join(f"{key}={pairs[key]}" for key in sorted(pairs))


COMMANDS = (
    Syntax("add-zone-tp", 3, None, "", ("--may-exist",), True, _add_zone, _needs_zones),
    Syntax("del-zone-tp", 2, 2, "", ("--if-exists",), True, _del_zone, _needs_zones),
    Syntax("list-zone-tp", 1, 1, "", (), False, _list_zones, _needs_zones),
    Syntax("list-dp-cap", 1, 1, "", (), False, _list_capabilities, _needs_capabilities),
)
