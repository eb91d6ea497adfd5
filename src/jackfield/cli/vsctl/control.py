"""The commands about controllers, managers and SSL, and `emer-reset`: ovs-vsctl(8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jackfield.cli.vsctl.bridges import model, needs_model
from jackfield.cli.vsctl.context import Command, Context, Needs, Syntax
from jackfield.cli.vsctl.errors import ControlError
from jackfield.cli.vsctl.switch import leading_integer
from jackfield.cli.vsctl.transaction import Record
from jackfield.cli.vsctl.values import to_atoms
from jackfield.wire.notation import Uuid

_NETWORK = ("tcp", "ssl", "ptcp", "pssl", "unix", "punix")


def _bridge_record(ctx: Context, real: bool) -> Record:
    name = ctx.command.arguments[0]
    return (model(ctx).real_bridge(name) if real else model(ctx).bridge(name)).record


def _referred(ctx: Context, record: Record, column: str, table: str) -> Iterator[Record]:
    for uuid in to_atoms(ctx.read(record, column)):
        found = ctx.txn.record(table, uuid) if isinstance(uuid, Uuid) else None
        if found is not None:
            yield found


def _verified_targets(ctx: Context, record: Record, column: str, table: str) -> list[Record]:
    """The rows that `column` refers to; the answer stands only while they and their targets do."""
    ctx.txn.verify(record, column)
    rows = list(_referred(ctx, record, column, table))
    for row in rows:
        ctx.txn.verify(row, "target")
    return rows


def _put_targets(ctx: Context, rows: Iterable[Record]) -> None:
    for target in sorted(str(ctx.read(row, "target")) for row in rows):
        ctx.put(target)


def _replace_targets(ctx: Context, record: Record, column: str, table: str, targets: list[str]) -> None:
    for row in _verified_targets(ctx, record, column, table):
        ctx.txn.delete(row)
    probe = ctx.command.options.get("--inactivity-probe")
    uuids = []
    for target in targets:
        method, colon, _ = target.partition(":")
        if not colon or method not in _NETWORK:
            ctx.warn(f'target type "{target}" is possibly erroneous')
        row = ctx.txn.insert(table)
        ctx.txn.write(row, "target", target)
        if probe is not None:
            ctx.txn.write(row, "inactivity_probe", leading_integer(probe))
        uuids.append(row.uuid)
    ctx.txn.write(record, column, frozenset(uuids))


def _needs_controller(needs: Needs, command: Command) -> None:
    needs_model(needs, command)
    needs.add("Controller", "target", "inactivity_probe")


def _get_controller(ctx: Context) -> None:
    _put_targets(ctx, _verified_targets(ctx, _bridge_record(ctx, False), "controller", "Controller"))


def _set_controller(ctx: Context) -> None:
    record = _bridge_record(ctx, True)
    _replace_targets(ctx, record, "controller", "Controller", ctx.command.arguments[1:])


def _get_fail_mode(ctx: Context) -> None:
    record = _bridge_record(ctx, False)
    ctx.txn.verify(record, "fail_mode")
    mode = ctx.read(record, "fail_mode")
    if mode:
        ctx.put(str(mode))


def _set_fail_mode(ctx: Context) -> None:
    record = _bridge_record(ctx, True)
    mode = ctx.command.arguments[1] if len(ctx.command.arguments) > 1 else None
    if mode not in (None, "standalone", "secure"):
        raise ControlError('fail-mode must be "standalone" or "secure"')
    ctx.txn.write(record, "fail_mode", mode)


def _needs_manager(needs: Needs, _: Command) -> None:
    needs.add("Open_vSwitch", "manager_options")
    needs.add("Manager", "target", "inactivity_probe")


def _get_manager(ctx: Context) -> None:
    _put_targets(ctx, _verified_targets(ctx, ctx.root, "manager_options", "Manager"))


def _set_manager(ctx: Context) -> None:
    _replace_targets(ctx, ctx.root, "manager_options", "Manager", ctx.command.arguments)


_SSL_COLUMNS = ("private_key", "certificate", "ca_cert", "bootstrap_ca_cert")


def _needs_ssl(needs: Needs, _: Command) -> None:
    needs.add("Open_vSwitch", "ssl")
    needs.add("SSL", *_SSL_COLUMNS)


def _get_ssl(ctx: Context) -> None:
    ctx.txn.verify(ctx.root, "ssl")
    for row in _referred(ctx, ctx.root, "ssl", "SSL"):
        for column in _SSL_COLUMNS:
            ctx.txn.verify(row, column)
        ctx.put(f"Private key: {ctx.read(row, 'private_key')}")
        ctx.put(f"Certificate: {ctx.read(row, 'certificate')}")
        ctx.put(f"CA Certificate: {ctx.read(row, 'ca_cert')}")
        ctx.put(f"Bootstrap: {'true' if ctx.read(row, 'bootstrap_ca_cert') else 'false'}")


def _del_ssl(ctx: Context) -> None:
    ctx.txn.verify(ctx.root, "ssl")
    for row in _referred(ctx, ctx.root, "ssl", "SSL"):
        ctx.txn.delete(row)
        ctx.txn.write(ctx.root, "ssl", None)


def _set_ssl(ctx: Context) -> None:
    _del_ssl(ctx)
    row = ctx.txn.insert("SSL")
    for column, word in zip(_SSL_COLUMNS, ctx.command.arguments, strict=False):
        ctx.txn.write(row, column, word)
    ctx.txn.write(row, "bootstrap_ca_cert", ctx.has("--bootstrap"))
    ctx.txn.write(ctx.root, "ssl", row.uuid)


_RESET_TABLES = ("Mirror", "Controller", "Manager", "NetFlow", "SSL", "sFlow", "IPFIX",
                 "Flow_Sample_Collector_Set")  # fmt: skip
_RESET_COLUMNS = {
    "Open_vSwitch": ("manager_options", "ssl"),
    "Bridge": (
        "controller",
        "fail_mode",
        "mirrors",
        "netflow",
        "sflow",
        "ipfix",
        "flood_vlans",
        "other_config",
    ),
    "Port": ("other_config",),
    "Interface": ("ingress_policing_rate", "ingress_policing_burst"),
}


def _needs_reset(needs: Needs, _: Command) -> None:
    for table in _RESET_TABLES:
        needs.table(table)
    for table, columns in _RESET_COLUMNS.items():
        needs.add(table, *columns)


def _emer_reset(ctx: Context) -> None:
    for table, names in _RESET_COLUMNS.items():
        columns = ctx.schema.table(table).columns
        for record in list(ctx.txn.records(table)):
            for name in names:
                value = columns[name].type.default
                if (table, name) == ("Bridge", "other_config"):
                    old = ctx.read(record, name)
                    assert isinstance(old, dict)
                    value = {key: item for key, item in old.items() if key == "hwaddr"}
                ctx.txn.write(record, name, value)
    for table in _RESET_TABLES:
        for record in list(ctx.txn.records(table)):
            ctx.txn.delete(record)
    ctx.model = None


_PROBE = ("--inactivity-probe=",)

COMMANDS = (
    Syntax("get-controller", 1, 1, "BRIDGE", (), False, _get_controller, _needs_controller),
    Syntax("del-controller", 1, 1, "BRIDGE", (), True, _set_controller, _needs_controller),
    Syntax("set-controller", 1, None, "BRIDGE TARGET...", _PROBE, True, _set_controller, _needs_controller),
    Syntax("get-fail-mode", 1, 1, "BRIDGE", (), False, _get_fail_mode, needs_model),
    Syntax("del-fail-mode", 1, 1, "BRIDGE", (), True, _set_fail_mode, needs_model),
    Syntax("set-fail-mode", 2, 2, "BRIDGE MODE", (), True, _set_fail_mode, needs_model),
    Syntax("get-manager", 0, 0, "", (), False, _get_manager, _needs_manager),
    Syntax("del-manager", 0, 0, "", (), True, _set_manager, _needs_manager),
    Syntax("set-manager", 1, None, "TARGET...", _PROBE, True, _set_manager, _needs_manager),
    Syntax("get-ssl", 0, 0, "", (), False, _get_ssl, _needs_ssl),
    Syntax("del-ssl", 0, 0, "", (), True, _del_ssl, _needs_ssl),
    Syntax("set-ssl", 3, 3, "PRIVATE-KEY CERTIFICATE CA-CERT", ("--bootstrap",), True, _set_ssl, _needs_ssl),
    Syntax("emer-reset", 0, 0, "", (), True, _emer_reset, _needs_reset),
)  # fmt: skip
