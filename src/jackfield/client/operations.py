"""Operations of database transactions (RFC 7047 section 5.2) in the words of a switch. Pure.

A Port or Interface row lives as long as something refers to it, so that taking a port off its bridge removes
both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jackfield.wire.notation import Atom, NamedUuid, Uuid, Value, encode

Operation = dict[str, Any]
Columns = Mapping[str, Value | Iterable[Atom]]
"""New values by column; a set may be any iterable of atoms."""


def insert(table: str, columns: Columns, name: str | None = None) -> Operation:
    """A new row; by `name` other operations of the transaction can refer to it."""
    operation: Operation = {"op": "insert", "table": table, "row": _row(columns)}
    return operation if name is None else operation | {"uuid-name": str(name)}


def update(table: str, uuid: Uuid, columns: Columns) -> Operation:
    """New values for columns of a row."""
    return {"op": "update", "table": table, "where": _is(uuid), "row": _row(columns)}


def mutate(table: str, uuid: Uuid, *mutations: tuple[str, str, Any]) -> Operation:
    """Mutations of a row: column, mutator ("insert", "delete", "+=" …), and the value in JSON's notation."""
    return {"op": "mutate", "table": table, "where": _is(uuid), "mutations": [list(m) for m in mutations]}


def delete(table: str, uuid: Uuid) -> Operation:
    """Remove a row of a root table."""
    return {"op": "delete", "table": table, "where": _is(uuid)}


def wait(table: str, uuid: Uuid, columns: Columns) -> Operation:
    """Have the transaction fail with Conflict unless the row still has these values."""
    row = _row(columns)
    return {"op": "wait", "table": table, "where": _is(uuid), "columns": list(row), "until": "==",
            "rows": [row], "timeout": 0}  # fmt: skip


def increment(root: Uuid) -> Operation:
    """Tell the switch that there is something new (`next_cfg`)."""
    return mutate("Open_vSwitch", root, ("next_cfg", "+=", 1))


def set_keys(table: str, uuid: Uuid, column: str, pairs: Mapping[str, str | None]) -> Operation:
    """Set keys of a map, such as external_ids, and remove those whose value is None; others stay."""
    new: dict[Atom, Atom] = {key: value for key, value in pairs.items() if value is not None}
    mutations = [(column, "delete", ["set", sorted(pairs)])]
    if new:
        mutations.append((column, "insert", encode(new)))
    return mutate(table, uuid, *mutations)


def add_port(
    bridge: Uuid, name: str, *, port: Columns | None = None, interface: Columns | None = None
) -> list[Operation]:
    """A port with one interface of the same name; its rows are the results of the first two operations,
    Interface and Port. Further columns of both may be given."""
    mark = name.encode().hex()  # the name of a row in a transaction is letters and digits
    new_interface, new_port = NamedUuid(f"interface_{mark}"), NamedUuid(f"port_{mark}")
    return [
        insert("Interface", {"name": name, **(interface or {})}, new_interface),
        insert("Port", {"name": name, "interfaces": [new_interface], **(port or {})}, new_port),
        mutate("Bridge", bridge, ("ports", "insert", encode([new_port]))),
    ]


def delete_port(bridge: Uuid, port: Uuid) -> Operation:
    """Take a port off its bridge, and with it its interfaces."""
    return mutate("Bridge", bridge, ("ports", "delete", encode([port])))


def add_bridge(root: Uuid, name: str, columns: Columns | None = None) -> list[Operation]:
    """A bridge with its own port, as `add-br` makes it."""
    mark = name.encode().hex()
    new_bridge = NamedUuid(f"bridge_{mark}")
    own_interface, own_port = NamedUuid(f"interface_{mark}"), NamedUuid(f"port_{mark}")
    return [
        insert("Interface", {"name": name, "type": "internal"}, own_interface),
        insert("Port", {"name": name, "interfaces": [own_interface]}, own_port),
        insert("Bridge", {"name": name, "ports": [own_port], **(columns or {})}, new_bridge),
        mutate("Open_vSwitch", root, ("bridges", "insert", encode([new_bridge]))),
    ]


def delete_bridge(root: Uuid, bridge: Uuid) -> Operation:
    """Remove a bridge with all its ports."""
    return mutate("Open_vSwitch", root, ("bridges", "delete", encode([bridge])))


def _row(columns: Columns) -> dict[str, Any]:
    return {name: encode(value) for name, value in columns.items()}


def _is(uuid: Uuid) -> list[Any]:
    return [["_uuid", "==", encode(uuid)]]
