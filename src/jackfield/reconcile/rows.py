"""Reading rows of the Open_vSwitch database (ovs-vswitchd.conf.db(5)) in the form of jackfield.wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from jackfield.reconcile.renewed import renewed

Row = Mapping[str, Any]
Snapshot = Mapping[str, Mapping[str, Row]]
"""Database contents: snapshot[table][uuid] -> {column: value}, values as jackfield.wire.notation has them:
atoms, None for an empty optional, frozenset for a set, dict for a map. Absent tables and columns count as
empty."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "Open_vSwitch": ("bridges", "other_config"),
    "Bridge": (
        "name",
        "ports",
        "other_config",
        "flood_vlans",
        "datapath_type",
        "controller",
        "fail_mode",
        "stp_enable",
        "rstp_enable",
        "mcast_snooping_enable",
        "mirrors",
        "netflow",
        "sflow",
        "ipfix",
        "flow_tables",
        "auto_attach",
    ),
    "Port": (
        "name",
        "interfaces",
        "tag",
        "trunks",
        "cvlans",
        "vlan_mode",
        "protected",
        "fake_bridge",
        "mac",
        "qos",
        "lacp",
        "bond_mode",
        "bond_updelay",
        "bond_downdelay",
        "bond_fake_iface",
        "other_config",
    ),
    "Interface": (
        "name",
        "type",
        "options",
        "other_config",
        "mac",
        "mtu_request",
        "ofport",
        "ofport_request",
        "ingress_policing_rate",
        "ingress_policing_kpkts_rate",
        "bfd",
        "cfm_mpid",
        "lldp",
    ),
    "Mirror": ("output_port",),
}
"""The columns that the desired state is drawn from: what to monitor."""

_INTEGER = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]{1,64}")
_MAC = re.compile(r"[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5}")
_DIGITS = re.compile(r"([0-9]+)")


def ask_the_same(one: Snapshot, other: Snapshot) -> bool:
    """Whether all that the desired state is drawn from is equal, but for the numbers that the switch itself
    has written. Rows that are the same objects are not looked into."""
    return all(
        rows(one, table).keys() == rows(other, table).keys()
        and not otherwise(rows(one, table), rows(other, table), table, "ofport")
        for table in COLUMNS
    )


def otherwise(
    before: Mapping[str, Row], now: Mapping[str, Row], table: str, but_for: str | None = None
) -> list[str]:
    """The rows of a table that are new or ask for something else than before, but for one column. Rows that
    are the same objects are not looked into."""
    columns = [column for column in COLUMNS[table] if column != but_for]
    return [
        uuid
        for uuid in renewed(before, now)
        if (known := before.get(uuid)) is None
        or any(known.get(column) != now[uuid].get(column) for column in columns)
    ]


def rows(snapshot: Snapshot, table: str) -> Mapping[str, Row]:
    """The rows of a table by UUID."""
    return snapshot.get(table, {})


def text(row: Row, column: str) -> str:
    """A string column, empty when it is not set."""
    return row.get(column) or ""


def elements(row: Row, column: str) -> frozenset[Any]:
    """A set column; a single optional element counts as a set of one."""
    value = row.get(column)
    if value is None:
        return frozenset()
    return value if isinstance(value, frozenset) else frozenset((value,))


def pairs(row: Row, column: str) -> Mapping[str, str]:
    """A map column."""
    return row.get(column) or {}


def integer(row: Row, column: str) -> int | None:
    """An optional integer column."""
    value = row.get(column)
    return value if isinstance(value, int) else None


def integer_option(options: Mapping[str, str], key: str, default: int) -> int:
    """A decimal integer of 32 bits in a map; anything else is the default, as OVS takes it."""
    found = int_32(options.get(key, ""))
    return default if found is None else found


def int_32(value: str) -> int | None:
    """The decimal integer of 32 bits that is written there, or None for anything that is not one."""
    if not _INTEGER.fullmatch(value):
        return None
    number = int(value)
    return number if -(1 << 31) <= number < 1 << 31 else None


def true(options: Mapping[str, str], key: str) -> bool:
    """A Boolean in a map that is false by default: only "true" is true."""
    return options.get(key, "").lower() == "true"


def mac(value: str | None) -> bytes | None:
    """The MAC address that is written there, or None for anything that is not one."""
    if not value or not _MAC.fullmatch(value):
        return None
    return bytes(int(byte, 16) for byte in value.split(":"))


@lru_cache(maxsize=1 << 14)
def natural(name: str) -> tuple[str | int, ...]:
    """A sort key by which p2 comes before p10."""
    return tuple(int(part) if at % 2 else part for at, part in enumerate(_DIGITS.split(name)))


def referenced(snapshot: Snapshot, table: str, uuids: Iterable[str]) -> list[tuple[str, Row]]:
    """The rows that `uuids` name, in natural order of their names; rows that are not there are left out."""
    known = rows(snapshot, table)
    found = [(str(uuid), known[uuid]) for uuid in uuids if uuid in known]
    if len(found) > 1:
        found.sort(key=lambda pair: natural(pair[1].get("name") or ""))
    return found
