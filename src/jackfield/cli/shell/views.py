"""What the shell shows of the daemon's answers and of the topology, as rows of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jackfield.cli.shell.output import Column, show_table
from jackfield.cli.shell.topology import Interface

_NAME, _ERROR = "bold cyan", "red"

TOPOLOGY = (
    Column("Bridge", style="bold"),
    Column("Port", style=_NAME),
    Column("Type"),
    Column("VLAN", style="magenta"),
    Column("ofport", is_number=True),
    Column("Link", style="green"),
    Column("MAC"),
    Column("MTU", is_number=True),
    Column("Note", style=_ERROR, is_remark=True),
)

PORTS = (
    Column("Bridge", style="bold"),
    Column("Port", style=_NAME),
    Column("Link", style="green"),
    Column("VLAN", style="magenta"),
    Column("RX pkts", is_number=True),
    Column("RX bytes", is_number=True),
    Column("TX pkts", is_number=True),
    Column("TX bytes", is_number=True),
    Column("Drops", is_number=True, style=_ERROR),
)

DROPS = (
    Column("Port", style=_NAME),
    Column("Reason", style=_ERROR),
    Column("Count", is_number=True),
    Column("Meaning"),
)

FDB = (
    Column("Bridge", style="bold"),
    Column("VLAN", is_number=True, style="magenta"),
    Column("MAC"),
    Column("Port", style=_NAME),
    Column("Age", is_number=True),
)

TABLES = (
    Column("Bridge", style="bold"),
    Column("Port", style=_NAME),
    Column("Addresses", is_number=True),
    Column("Most", is_number=True),
    Column("Learned", is_number=True),
    Column("Evicted", is_number=True, style=_ERROR),
    Column("Refused", is_number=True, style=_ERROR),
)

PROTECTIONS = (Column("Port", style=_NAME), Column("Protection"), Column("Value"))

OBJECTS = (Column("Kind"), Column("Name", style=_NAME), Column("State"), Column("Message", style=_ERROR))


def topology_rows(bridges: Mapping[str, Sequence[Interface]]) -> list[list[object]]:
    """A row an interface; an interface of a bond is named PORT/INTERFACE."""
    rows: list[list[object]] = []
    for name, interfaces in bridges.items():
        if not interfaces:
            rows.append([name, *[""] * (len(TOPOLOGY) - 1)])
        for interface in interfaces:
            own = interface.name == interface.port
            note = interface.error or (f"peer {interface.peer}" if interface.peer else "")
            rows.append([
                name, interface.name if own else f"{interface.port}/{interface.name}", interface.type,
                interface.vlan, interface.ofport, interface.link, interface.mac, interface.mtu, note,
            ])  # fmt: skip
    return rows


def show_ports(ports: Sequence[Mapping[str, Any]]) -> None:
    """The ports' counters, and below them why frames were dropped."""
    rows = [
        [
            port.get("bridge"), port.get("name"), port.get("link"), port.get("vlan"),
            port.get("rx_packets"), port.get("rx_bytes"), port.get("tx_packets"), port.get("tx_bytes"),
            sum(drop["count"] for drop in port.get("drops", {}).values()),
        ]
        for port in ports
    ]  # fmt: skip
    show_table(PORTS, rows)
    guarded = [
        [port.get("name"), key, value] for port in ports for key, value in port.get("protections", {}).items()
    ]
    if guarded:
        print()
        show_table(PROTECTIONS, guarded, "Protections")
    drops = [
        [port.get("name"), reason, drop["count"], drop.get("text")]
        for port in ports
        for reason, drop in port.get("drops", {}).items()
        if drop["count"]
    ]
    if drops:
        print()
        show_table(DROPS, drops, "Dropped frames")


def fdb_rows(entries: Sequence[Mapping[str, Any]]) -> list[list[object]]:
    """A row a learned address; static ones have no age."""
    return [
        [
            entry.get("bridge"), entry.get("vlan"), entry.get("mac"), entry.get("port"),
            "static" if entry.get("static") else entry.get("age"),
        ]
        for entry in entries
    ]  # fmt: skip


def table_rows(tables: Iterable[Mapping[str, Any]]) -> list[list[object]]:
    """A row a learning table, and one for each port that has or had something in it."""
    counts = ("learned", "evicted", "refused")
    rows: list[list[object]] = []
    for table in tables:
        whole = [table["entries"] + table["static"], table["size"], *(table[key] for key in counts)]
        rows.append([table["bridge"], "", *whole])
        rows += [
            ["", port["port"], port["entries"], port["limit"], *(port[key] for key in counts)]
            for port in table["ports"]
            if port["limit"] is not None or any(port[key] for key in ("entries", *counts))
        ]
    return rows


def show_status(status: Mapping[str, Any]) -> None:
    """The daemon in a few lines, objects that are not as they should be, and what is asked for in vain."""
    trouble = status.get("trouble")
    state = "in trouble" if trouble else "ready" if status.get("ready") else "starting"
    lines = [
        ("Switch", f"{state}, version {status.get('version')}, pid {status.get('pid')}"),
        ("Since", status.get("since")),
        ("Instance", status.get("instance")),
        ("Kernel", f"{status.get('kernel')}, attached by {status.get('attach')}"),
        ("Bridges", status.get("bridges")),
        ("Ports", status.get("ports")),
    ]
    if trouble:
        lines.insert(1, ("Trouble", trouble))
    for name, text in lines:
        print(f"{name:<9} {text}")
    wrong = [
        [item.get("kind"), item.get("name"), item.get("state"), item.get("message")]
        for item in status.get("objects", [])
        if item.get("state") != "ok"
    ]
    wrong += [
        ["Loop", ", ".join(item.get("ports", [])), "loop", item.get("message")]
        for item in status.get("loops", [])
    ]
    wrong += [
        [item.get("table"), item.get("name"), "warning", item.get("text")]
        for item in status.get("warnings", [])
    ]
    wrong += [["Port", item.get("port"), "alarm", item.get("text")] for item in status.get("alarms", [])]
    if wrong:
        print()
        show_table(OBJECTS, wrong, "Needs attention")
