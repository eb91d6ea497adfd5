"""The switch as the database describes it: bridges, their ports and interfaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from jackfield.client.database import Database
from jackfield.wire.notation import Uuid, Value
from jackfield.wire.replica import Row

_COLUMNS = {
    "Open_vSwitch": ("bridges",),
    "Bridge": ("name", "ports"),
    "Port": ("name", "tag", "trunks", "cvlans", "vlan_mode", "interfaces"),
    "Interface": ("name", "type", "ofport", "link_state", "mac_in_use", "mtu", "options", "error"),
}


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface of a port, as the switch reports it; None where it has reported nothing."""

    bridge: str
    port: str
    name: str
    type: str
    vlan: str
    ofport: int | None
    link: str | None
    mac: str | None
    mtu: int | None
    peer: str | None
    error: str | None


def fetch() -> Mapping[str, Mapping[Uuid, Row]]:
    """The part of the database that the topology is made of; raises Failure when it cannot be had."""
    with Database.open(_COLUMNS) as database:
        return database.tables


def bridges(tables: Mapping[str, Mapping[Uuid, Row]]) -> dict[str, list[Interface]]:
    """The bridges by name, each with its interfaces: its own first, then by port and name."""
    found = {}
    for bridge in _referred(tables, "Bridge", [row["bridges"] for row in tables["Open_vSwitch"].values()]):
        name = str(bridge["name"])
        interfaces = [
            _interface(name, port, interface)
            for port in _referred(tables, "Port", [bridge["ports"]])
            for interface in _referred(tables, "Interface", [port["interfaces"]])
        ]
        found[name] = sorted(interfaces, key=lambda i: (i.port != i.bridge, i.port, i.name))
    return dict(sorted(found.items()))


def as_json(found: Mapping[str, list[Interface]]) -> dict[str, Any]:
    """The topology for programs."""
    return {
        "bridges": [
            {"name": name, "interfaces": [asdict(interface) for interface in interfaces]}
            for name, interfaces in found.items()
        ]
    }


def vlan_text(port: Row) -> str:
    """A port's VLAN mode in a few characters: "10", "trunk", "trunk 1,5-7", "tunnel 10" and so on."""
    tag = port["tag"]
    ranges = ranges_text(port["trunks"])
    mode = port["vlan_mode"] or ("trunk" if tag is None or ranges else "access")
    match mode:
        case "access":
            return "" if tag is None else str(tag)
        case "dot1q-tunnel":
            return f"tunnel {tag or 0} {ranges_text(port['cvlans'])}".rstrip()
        case "trunk":
            return f"trunk {ranges}".rstrip()
    return f"{mode} {tag or 0} {ranges}".rstrip()


def ranges_text(numbers: Value) -> str:
    """A set of numbers as "1,5-7"."""
    assert isinstance(numbers, frozenset)
    runs: list[list[int]] = []
    for number in sorted(n for n in numbers if isinstance(n, int)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


def _referred(tables: Mapping[str, Mapping[Uuid, Row]], table: str, references: list[Value]) -> list[Row]:
    rows = tables[table]
    return [
        rows[uuid]
        for uuids in references
        if isinstance(uuids, frozenset)
        for uuid in uuids
        if isinstance(uuid, Uuid) and uuid in rows
    ]


def _interface(bridge: str, port: Row, row: Row) -> Interface:
    options = row["options"]
    return Interface(
        bridge=bridge,
        port=str(port["name"]),
        name=str(row["name"]),
        type=str(row["type"] or "system"),
        vlan=vlan_text(port),
        ofport=_number(row["ofport"]),
        link=_text(row["link_state"]),
        mac=_text(row["mac_in_use"]),
        mtu=_number(row["mtu"]),
        peer=_text(options.get("peer")) if isinstance(options, dict) else None,
        error=_text(row["error"]),
    )


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) and value else None
