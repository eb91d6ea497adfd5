"""The commands that work on any table: ovs-vsctl(8), "Database Commands"."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jackfield.cli.vsctl.bridges import drop_model
from jackfield.cli.vsctl.context import Command, Context, Needs, Syntax
from jackfield.cli.vsctl.errors import ControlError
from jackfield.cli.vsctl.lookup import (
    column_of,
    find_column,
    find_record,
    find_table,
    parse_selector,
    parse_setting,
)
from jackfield.cli.vsctl.relations import OPERATORS, satisfies
from jackfield.cli.vsctl.schema import Column, ColumnType, Table, parse_type
from jackfield.cli.vsctl.tables import Listing
from jackfield.cli.vsctl.transaction import Record
from jackfield.cli.vsctl.values import (
    atom_text,
    from_atoms,
    parse_atom,
    parse_elements,
    parse_value,
    set_of,
    to_atoms,
    unbounded,
    value_text,
)
from jackfield.wire.notation import Atom, Value

_UUID_NAMES = ("_uuid", "-uuid")
_UUID_TYPE = parse_type("uuid")


def set_column(ctx: Context, table: Table, record: Record, word: str, *, as_element: bool = False) -> Column:
    """Carry out COLUMN[:KEY]=VALUE on a row and return the column; raises ControlError.

    `as_element` lets the commit change just that key, whatever else the map holds by then.
    """
    setting = parse_setting(table, word)
    column, kind = setting.column, setting.column.type
    _check_mutable(record, column)
    if setting.key is None:
        ctx.txn.write(record, column.name, parse_value(kind, setting.value, ctx.symbols))
        return column
    if kind.value is None:
        raise ControlError(f"cannot specify key to set for non-map column {column.name}")
    key = parse_atom(kind.key, setting.key, ctx.symbols)
    value = parse_atom(kind.value, setting.value, ctx.symbols)
    if as_element:
        ctx.txn.insert_pairs(record, column.name, {key: value})
        return column
    old = ctx.read(record, column.name)
    assert isinstance(old, dict)
    ctx.txn.verify(record, column.name)
    ctx.txn.write(record, column.name, {**old, key: value})
    return column


def _check_mutable(record: Record, column: Column) -> None:
    if not column.mutable and not record.is_new:
        raise ControlError(f"cannot modify read-only column {column.name} in table {record.table}")


def _table(ctx: Context) -> Table:
    return find_table(ctx.schema, ctx.command.arguments[0])


def _needs_columns(skip: int, uuid_too: bool = False) -> Callable[[Needs, Command], None]:
    """Needs of commands whose arguments from `skip` on begin with a column's name, or are `_uuid`."""

    def needs(needs: Needs, command: Command) -> None:
        table = find_table(needs.schema, command.arguments[0])
        needs.table(table.name)
        for word in command.arguments[skip:]:
            if not (uuid_too and word.lower() in _UUID_NAMES):
                needs.add(table.name, column_of(table, word).name)

    return needs


def _needs_names(last: int | None) -> Callable[[Needs, Command], None]:
    """Needs of commands whose arguments from the third one to before `last` are columns' names."""

    def needs(needs: Needs, command: Command) -> None:
        table = find_table(needs.schema, command.arguments[0])
        needs.table(table.name)
        for word in command.arguments[2:last]:
            needs.add(table.name, find_column(table, word).name)

    return needs


def _get(ctx: Context) -> None:
    row_id = ctx.command.options.get("--id")
    if row_id is not None and ctx.has("--if-exists"):
        raise ControlError("--if-exists and --id may not be specified together")
    table = _table(ctx)
    record = ctx.find(table, ctx.command.arguments[1])
    if record is None:
        return
    if row_id is not None:
        symbol, is_new = ctx.symbols.create(row_id)
        if not is_new:
            raise ControlError(f'row id "{row_id}" specified on "get" command was used before it was defined')
        symbol.uuid = record.uuid
        symbol.strong = True
    for word in ctx.command.arguments[2:]:
        if word.lower() in _UUID_NAMES:
            ctx.put(record.uuid)
        else:
            ctx.put(_get_column(ctx, table, record, word))


def _get_column(ctx: Context, table: Table, record: Record, word: str) -> str:
    selector = parse_selector(table, word)
    column, kind = selector.column, selector.column.type
    ctx.txn.verify(record, column.name)
    value = ctx.read(record, column.name)
    if selector.key is None:
        return value_text(kind, value)
    if kind.value is None:
        raise ControlError(f"cannot specify key to get for non-map column {column.name}")
    key = parse_atom(kind.key, selector.key, ctx.symbols)
    assert isinstance(value, dict)
    if key in value:
        return atom_text(value[key])
    if not ctx.has("--if-exists"):
        raise ControlError(
            f'no key "{selector.key}" in {table.name} record "{ctx.command.arguments[1]}" '
            f"column {column.name}"
        )
    return ""


def _listed_columns(table: Table, command: Command) -> list[str]:
    names = command.options.get("--columns")
    if names is None:
        return ["_uuid", *table.columns]
    columns = [
        "_uuid" if word.lower() == "_uuid" else find_column(table, word).name
        for word in re.split("[, ]+", names)
        if word
    ]
    if not columns:
        raise ControlError("must specify at least one column name")
    return columns


def _needs_listing(needs: Needs, command: Command) -> None:
    table = find_table(needs.schema, command.arguments[0])
    needs.table(table.name)
    needs.add(table.name, *(name for name in _listed_columns(table, command) if name != "_uuid"))


def _needs_find(needs: Needs, command: Command) -> None:
    _needs_listing(needs, command)
    _needs_columns(1)(needs, command)


def _start_listing(ctx: Context, table: Table) -> Callable[[Record], None]:
    """Begin the command's listing and return what adds a row to it."""
    names = _listed_columns(table, ctx.command)
    kinds: list[ColumnType] = [_UUID_TYPE if name == "_uuid" else table.columns[name].type for name in names]
    listing = ctx.result.listing = Listing(list(zip(names, kinds, strict=True)))

    def add(record: Record) -> None:
        listing.rows.append([record.uuid if name == "_uuid" else ctx.read(record, name) for name in names])

    return add


def _list(ctx: Context) -> None:
    table = _table(ctx)
    add = _start_listing(ctx, table)
    words = ctx.command.arguments[1:]
    if not words:
        for record in ctx.txn.records(table.name):
            add(record)
    for word in words:
        found = ctx.find(table, word)
        if found is not None:
            add(found)


def _find(ctx: Context) -> None:
    table = _table(ctx)
    add = _start_listing(ctx, table)
    records = list(ctx.txn.records(table.name))
    # Like the original, an empty table finds no fault with the conditions.
    words = ctx.command.arguments[1:] if records else []
    conditions = [parse_setting(table, word, OPERATORS) for word in words]
    for record in records:
        if all(satisfies(ctx.read(record, c.column.name), c, ctx.symbols) for c in conditions):
            add(record)


def _set(ctx: Context) -> None:
    table = _table(ctx)
    record = ctx.find(table, ctx.command.arguments[1])
    if record is None:
        return
    for word in ctx.command.arguments[2:]:
        column = set_column(ctx, table, record, word, as_element=ctx.is_last)
        drop_model(ctx, table.name, column.name)


def _open_column(ctx: Context) -> tuple[Record, Column] | None:
    """The row and column that `add` and `remove` change, or None when the row may be absent and is."""
    table = _table(ctx)
    column = find_column(table, ctx.command.arguments[2])
    record = ctx.find(table, ctx.command.arguments[1])
    if record is None:
        return None
    _check_mutable(record, column)
    return record, column


def _add(ctx: Context) -> None:
    opened = _open_column(ctx)
    if opened is None:
        return
    record, column = opened
    kind = column.type
    added = [
        element
        for word in ctx.command.arguments[3:]
        for element in parse_elements(unbounded(kind, 1), word, ctx.symbols)
    ]
    if ctx.is_last:
        _add_elements(ctx, record, column, added)
        return
    value = ctx.read(record, column.name)
    count: int
    new: Value
    if isinstance(value, dict):
        new = {**_first_pairs(added), **value}
        count = len(new)
    else:
        atoms = to_atoms(value) | frozenset(added)
        new, count = from_atoms(kind, atoms), len(atoms)
    if count > kind.high:
        raise ControlError(
            f'"add" operation would put {count} {_noun(kind)} in column {column.name} of table '
            f"{record.table} but the maximum number is {kind.high}"
        )
    _replace(ctx, record, column, new)


def _add_elements(ctx: Context, record: Record, column: Column, added: list[Any]) -> None:
    """What `add` does when no command follows: the database judges the outcome, and new pairs win."""
    if column.type.value is not None:
        ctx.txn.insert_pairs(record, column.name, _first_pairs(added))
    else:
        ctx.txn.insert_elements(record, column.name, added)


def _first_pairs(pairs: list[tuple[Atom, Atom]]) -> dict[Atom, Atom]:
    """A map in which of pairs with the same key the first stays."""
    return dict(reversed(pairs))


def _remove(ctx: Context) -> None:
    opened = _open_column(ctx)
    if opened is None:
        return
    record, column = opened
    kind = column.type
    value = ctx.read(record, column.name)
    count: int
    new: Value
    if isinstance(value, dict):
        new = dict(value)
        for word in ctx.command.arguments[3:]:
            _remove_pairs(ctx, kind, new, word)
        count = len(new)
    else:
        atoms = to_atoms(value)
        for word in ctx.command.arguments[3:]:
            atoms -= frozenset(parse_elements(unbounded(kind, 1), word, ctx.symbols))
        new, count = from_atoms(kind, atoms), len(atoms)
    if count < kind.low:
        raise ControlError(
            f'"remove" operation would put {count} {_noun(kind)} in column {column.name} of table '
            f"{record.table} but the minimum number is {kind.low}"
        )
    _replace(ctx, record, column, new)


def _remove_pairs(ctx: Context, kind: ColumnType, pairs: dict[Atom, Atom], word: str) -> None:
    try:
        for key, value in parse_elements(unbounded(kind, 1), word, ctx.symbols):
            if key in pairs and pairs[key] == value:
                del pairs[key]
    except ControlError:
        for key in parse_elements(set_of(kind.key, 1), word, ctx.symbols):
            pairs.pop(key, None)


def _noun(kind: ColumnType) -> str:
    return "values" if kind.value is None else "pairs"


def _replace(ctx: Context, record: Record, column: Column, value: Value) -> None:
    ctx.txn.verify(record, column.name)
    ctx.txn.write(record, column.name, value)
    drop_model(ctx, record.table, column.name)


def _clear(ctx: Context) -> None:
    table = _table(ctx)
    record = ctx.find(table, ctx.command.arguments[1])
    if record is None:
        return
    for word in ctx.command.arguments[2:]:
        column = find_column(table, word)
        _check_mutable(record, column)
        if column.type.low > 0:
            raise ControlError(
                f'"clear" operation cannot be applied to column {column.name} of table {table.name}, '
                "which is not allowed to be empty"
            )
        ctx.txn.write(record, column.name, column.type.default)
        drop_model(ctx, table.name, column.name)


def _needs_create(needs: Needs, command: Command) -> None:
    table = find_table(needs.schema, command.arguments[0])
    if "--id" not in command.options and not table.is_root:
        needs.journal.warn(
            "db_ctl_base",
            f'applying "create" command to table {table.name} without --id option will have no effect',
        )


def _create(ctx: Context) -> None:
    table = _table(ctx)
    row_id = ctx.command.options.get("--id")
    uuid = None
    if row_id is not None:
        symbol, _ = ctx.symbols.create(row_id)
        symbol.strong |= table.is_root
        uuid = symbol.uuid
    record = ctx.txn.insert(table.name, uuid)
    for word in ctx.command.arguments[1:]:
        set_column(ctx, table, record, word)
    ctx.result.created = record.uuid


def _needs_rows(needs: Needs, command: Command) -> None:
    needs.table(find_table(needs.schema, command.arguments[0]).name)


def _destroy(ctx: Context) -> None:
    table = _table(ctx)
    words = ctx.command.arguments[1:]
    if ctx.has("--all") and words:
        raise ControlError("--all and records argument should not be specified together")
    if ctx.has("--all") and ctx.has("--if-exists"):
        raise ControlError("--all and --if-exists should not be specified together")
    if ctx.has("--all"):
        for record in list(ctx.txn.records(table.name)):
            ctx.txn.delete(record)
    elif not words:
        ctx.warn("either --all or records argument should be specified", "db_ctl_base")
    for word in words:
        found = ctx.find(table, word)
        if found is not None:
            ctx.txn.delete(found)
    drop_model(ctx, table.name)


def _wait_until(ctx: Context) -> None:
    table = _table(ctx)
    record = find_record(ctx.schema, ctx.txn, table, ctx.command.arguments[1], must_exist=False)
    if record is None:
        ctx.result.try_again = True
        return
    for word in ctx.command.arguments[2:]:
        condition = parse_setting(table, word, OPERATORS)
        if not satisfies(ctx.read(record, condition.column.name), condition, ctx.symbols):
            ctx.result.try_again = True
            return


def _comment(_: Context) -> None:
    """The words are in the transaction's comment with the rest of the command line."""


_IF_EXISTS = ("--if-exists",)

COMMANDS = (
    Syntax("comment", 0, None, "[ARG]...", (), False, _comment),
    Syntax("get", 2, None, "TABLE RECORD [COLUMN[:KEY]]...", ("--if-exists", "--id="), False, _get,
           _needs_columns(2, uuid_too=True)),
    Syntax("list", 1, None, "TABLE [RECORD]...", ("--if-exists", "--columns="), False, _list, _needs_listing),
    Syntax("find", 1, None, "TABLE [COLUMN[:KEY]=VALUE]...", ("--columns=",), False, _find, _needs_find),
    Syntax("set", 3, None, "TABLE RECORD COLUMN[:KEY]=VALUE...", _IF_EXISTS, True, _set, _needs_columns(2)),
    Syntax("add", 4, None, "TABLE RECORD COLUMN [KEY=]VALUE...", _IF_EXISTS, True, _add, _needs_names(3)),
    Syntax("remove", 4, None, "TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...", _IF_EXISTS, True, _remove,
           _needs_names(3)),
    Syntax("clear", 3, None, "TABLE RECORD COLUMN...", _IF_EXISTS, True, _clear, _needs_names(None)),
    Syntax("create", 2, None, "TABLE COLUMN[:KEY]=VALUE...", ("--id=",), True, _create, _needs_create),
    Syntax("destroy", 1, None, "TABLE [RECORD]...", ("--if-exists", "--all"), True, _destroy, _needs_rows),
    Syntax("wait-until", 2, None, "TABLE RECORD [COLUMN[:KEY]=VALUE]...", (), False, _wait_until,
           _needs_columns(2)),
)  # fmt: skip
