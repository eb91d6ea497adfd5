"""Ports of containers in the switch's database: found by what their Interface rows tell of them.

They are asked for one at a time, so that the thousandth container costs no more than the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.client.operations import Columns, Operation, add_port
from jackfield.wire.notation import Shape, Uuid, Value, decode, encode

_COLUMNS = {
    "_uuid": Shape.SCALAR,
    "name": Shape.SCALAR,
    "external_ids": Shape.MAP,
    "options": Shape.MAP,
    "error": Shape.OPTIONAL,
    "mac_in_use": Shape.OPTIONAL,
    "mtu": Shape.OPTIONAL,
}


@dataclass(frozen=True, slots=True)
class PortInterface:
    """An Interface row, as far as it matters here."""

    uuid: Uuid
    name: str
    external_ids: Mapping[str, str]
    options: Mapping[str, str]
    error: str
    mac: str
    mtu: int


def find_bridge(database: Database, name: str) -> Uuid:
    """The bridge of that name; raises Failure when there is none."""
    for row in select(database, "Bridge", ["name", "==", name], ("_uuid",)):
        return Uuid(str(decode(row["_uuid"], Shape.SCALAR)))
    raise Failure(f"there is no bridge {name}; `jackfield vsctl add-br {name}` makes one")


def find_interface(database: Database, name: str) -> PortInterface | None:
    """The interface of that name, None when there is none."""
    return next(iter(_interfaces(database, ["name", "==", name])), None)


def interfaces_with(database: Database, ids: Mapping[str, str]) -> Sequence[PortInterface]:
    """The interfaces that have all of these external ids."""
    return _interfaces(database, ["external_ids", "includes", encode(dict(ids))])


def make_port(
    database: Database, bridge: str, name: str, *, port: Columns, interface: Columns
) -> PortInterface:
    """Make a port with an interface of its name, in the place of one that was left over, and wait until the
    switch has it. Raises Failure, and then leaves no port behind."""
    operations = [
        *removal(database, (name,)),
        *add_port(find_bridge(database, bridge), name, port=port, interface=interface),
    ]
    try:
        database.commit(operations)
        made = find_interface(database, name)
        if made is None:
            raise Failure(f"port {name} was removed by somebody else meanwhile")
        if made.error:
            raise Failure(made.error)
    except Failure:
        with suppress(Failure):
            remove_ports(database, (name,))
        raise
    return made


def remove_ports(database: Database, names: Sequence[str]) -> None:
    """Take ports off their bridges and wait until the switch has done so; no error for one that is not
    there. Raises Failure."""
    operations = removal(database, names)
    if operations:
        database.commit(operations)


def removal(database: Database, names: Sequence[str]) -> list[Operation]:
    """The operations that take ports off whatever bridge they are on."""
    found = []
    for name in names:
        for row in select(database, "Port", ["name", "==", name], ("_uuid",)):
            port = row["_uuid"]
            found.append(
                {
                    "op": "mutate",
                    "table": "Bridge",
                    "where": [["ports", "includes", port]],
                    "mutations": [["ports", "delete", port]],
                }
            )
    return found


def select(
    database: Database, table: str, condition: list[Any], columns: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows for which a condition holds, values in JSON's notation (RFC 7047 section 5.2.2)."""
    operation = {"op": "select", "table": table, "where": [condition], "columns": list(columns)}
    (result,) = database.transact([operation])
    return list(result["rows"])


def _interfaces(database: Database, condition: list[Any]) -> list[PortInterface]:
    rows = select(database, "Interface", condition, tuple(_COLUMNS))
    return [_interface({key: decode(row[key], shape) for key, shape in _COLUMNS.items()}) for row in rows]


def _interface(row: Mapping[str, Value]) -> PortInterface:
    mtu = row["mtu"]
    return PortInterface(
        uuid=Uuid(str(row["_uuid"])),
        name=str(row["name"]),
        external_ids=_texts(row["external_ids"]),
        options=_texts(row["options"]),
        error=str(row["error"] or ""),
        mac=str(row["mac_in_use"] or ""),
        mtu=mtu if isinstance(mtu, int) else 0,
    )


def _texts(value: Value) -> Mapping[str, str]:
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}
