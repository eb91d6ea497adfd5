"""What the switch writes into its database: an outcome in, changes of status columns out. Pure.

The columns are those that ovs-vswitchd.conf.db(5) calls status: clients read them, the switch writes them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jackfield.reconcile.outcome import (
    BridgeOutcome,
    InterfaceOutcome,
    Outcome,
    PortOutcome,
    State,
    Warning,
)
from jackfield.reconcile.renewed import renewed
from jackfield.reconcile.rows import COLUMNS, Snapshot
from jackfield.wire.notation import Value, encode

STATUS_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "Open_vSwitch": (
        "cur_cfg",
        "ovs_version",
        "db_version",
        "system_type",
        "system_version",
        "iface_types",
        "datapath_types",
    ),
    "Bridge": ("datapath_id", "datapath_version", "status"),
    "Port": ("status", "bond_active_slave"),
    "Interface": (
        "ofport",
        "ifindex",
        "mac_in_use",
        "mtu",
        "admin_state",
        "link_state",
        "link_resets",
        "link_speed",
        "duplex",
        "status",
        "error",
        "statistics",
        "lacp_current",
    ),
}

MONITORED: Mapping[str, tuple[str, ...]] = {
    table: tuple(
        dict.fromkeys(
            (
                *COLUMNS.get(table, ()),
                *STATUS_COLUMNS.get(table, ()),
                *(("next_cfg",) if table == "Open_vSwitch" else ()),
            )
        )
    )
    for table in dict.fromkeys((*COLUMNS, *STATUS_COLUMNS))
}
"""All that the switch follows of its database: what it obeys and what it writes."""

_OBEYED: Mapping[str, frozenset[str]] = {
    table: frozenset(columns) - frozenset(STATUS_COLUMNS.get(table, ()))
    for table, columns in MONITORED.items()
}


class Update(NamedTuple):
    """New values for columns of one row."""

    table: str
    uuid: str
    columns: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Platform:
    """What a database tells of the machine and the program it belongs to."""

    ovs_version: str
    db_version: str
    system_type: str
    system_version: str
    datapath_version: str
    iface_types: frozenset[str] = frozenset({"internal", "patch", "system"})
    datapath_types: frozenset[str] = frozenset({"system"})


def is_configuration(table: str, old: Mapping[str, Value] | None, new: Mapping[str, Value] | None) -> bool:
    """Whether a row's change is one that the switch must obey, not merely status."""
    if old is None or new is None:
        return True
    return any(old[column] != new[column] for column in _OBEYED[table])


class LinkResets:
    """Counts how often each interface's link state changed (Interface.link_resets) since the start."""

    def __init__(self) -> None:
        self._told: Sequence[InterfaceOutcome] = ()
        self._seen: Mapping[str, InterfaceOutcome] = {}
        self._counts: dict[str, int] = {}

    def count(self, interfaces: Sequence[InterfaceOutcome]) -> Mapping[str, int]:
        """Take note of the present states; the number of changes so far, by interface name."""
        if interfaces is self._told:
            return self._counts
        self._told = interfaces
        before, now = self._seen, {each.name: each for each in interfaces}
        for name in renewed(before, now):
            known = before.get(name, now[name])
            self._counts[name] = self._counts.get(name, 0) + (known.link_state != now[name].link_state)
        for name in before.keys() - now.keys():
            del self._counts[name]
        self._seen = now
        return self._counts


def status_updates(
    outcome: Outcome,
    platform: Platform,
    resets: Mapping[str, int],
    statistics: Mapping[str, Mapping[str, int]],
) -> Iterator[Update]:
    """The status columns of bridges, ports and interfaces; `resets` and `statistics` go by interface name.

    Statistics are written for the interfaces that `statistics` names, and taken from those that failed. The
    columns of bonds and of LACP are emptied where there is neither; else they are `switchd.bonds`' matter.
    """
    notes = notes_by_object(outcome.warnings)
    for bridge in outcome.bridges:
        yield bridge_update(bridge, notes.get(("Bridge", bridge.name), ()), platform)
    for port in outcome.ports:
        if port.uuid is not None:
            yield port_update(port, notes.get(("Port", port.name), ()))
    for each in outcome.interfaces:
        if each.uuid is not None:
            remarks = notes.get(("Interface", each.name), ())
            yield interface_update(each, resets.get(each.name, 0), remarks, statistics.get(each.name))


def bridge_update(bridge: BridgeOutcome, notes: Sequence[str], platform: Platform) -> Update:
    """The status columns of one bridge."""
    columns = {
        "datapath_id": bridge.datapath_id,
        "datapath_version": platform.datapath_version,
        "status": _status({}, notes, bridge.error),
    }
    return Update("Bridge", bridge.uuid, columns)


def port_update(port: PortOutcome, notes: Sequence[str]) -> Update:
    """The status columns of one port."""
    disabled = {} if port.disabled is None else {"disabled": port.disabled.by.value}
    columns: dict[str, Any] = {"status": _status(disabled, notes, port.error)}
    if port.bond is None:
        columns["bond_active_slave"] = None
    return Update("Port", port.uuid or "", columns)


def interface_update(
    interface: InterfaceOutcome, resets: int, notes: Sequence[str], statistics: Mapping[str, int] | None
) -> Update:
    """All status columns of one interface."""
    columns = interface_columns(interface, resets)
    columns["status"] = _status(interface.status, notes, None)
    if interface.lacp is None:
        columns["lacp_current"] = None
    if interface.ofport < 0:
        columns["statistics"] = {}
    elif statistics is not None:
        columns["statistics"] = dict(statistics)
    return Update("Interface", interface.uuid or "", columns)


def interface_columns(interface: InterfaceOutcome, resets: int) -> dict[str, Any]:
    """The plain status columns of one interface; one that could not be had has none but its error."""
    if interface.ofport < 0:
        empty: dict[str, Any] = dict.fromkeys(
            (
                "ifindex",
                "mac_in_use",
                "mtu",
                "admin_state",
                "link_state",
                "link_resets",
                "link_speed",
                "duplex",
            )
        )
        return empty | {"ofport": -1, "error": interface.error}
    return {
        "ofport": interface.ofport,
        "ifindex": interface.ifindex or 0,
        "mac_in_use": interface.mac_in_use,
        "mtu": interface.mtu,
        "admin_state": interface.admin_state,
        "link_state": interface.link_state,
        "link_resets": resets,
        "link_speed": interface.link_speed,
        "duplex": interface.duplex,
        "error": interface.error,
    }


def root_updates(snapshot: Snapshot, platform: Platform, cur_cfg: int | None) -> Iterable[Update]:
    """The columns of the one Open_vSwitch row; `cur_cfg` None leaves that one as it is."""
    columns: dict[str, Any] = {
        "ovs_version": platform.ovs_version,
        "db_version": platform.db_version,
        "system_type": platform.system_type,
        "system_version": platform.system_version,
        "iface_types": platform.iface_types,
        "datapath_types": platform.datapath_types,
    }
    if cur_cfg is not None:
        columns["cur_cfg"] = cur_cfg
    for uuid in snapshot["Open_vSwitch"]:
        yield Update("Open_vSwitch", uuid, columns)


def operations(updates: Iterable[Update], tables: Snapshot) -> list[dict[str, Any]]:
    """The database operations (RFC 7047 section 5.2) that make the rows as `updates` say.

    Columns that are so already and rows that are gone are left out. `cur_cfg` is not written where `next_cfg`
    has meanwhile gone back behind it: the database was restored, and what was configured is not what it says.
    """
    done: list[dict[str, Any]] = []
    for table, uuid, columns in updates:
        row = tables[table].get(uuid)
        if row is None:
            continue
        changed = {name: encode(value) for name, value in columns.items() if row[name] != value}
        if not changed:
            continue
        where: list[Any] = [["_uuid", "==", ["uuid", str(uuid)]]]
        if (cur_cfg := changed.pop("cur_cfg", None)) is not None:
            not_behind = ["next_cfg", ">=", cur_cfg]
            done.append(
                {"op": "update", "table": table, "where": [*where, not_behind], "row": {"cur_cfg": cur_cfg}}
            )
        if changed:
            done.append({"op": "update", "table": table, "where": where, "row": changed})
    return done


def notes_by_object(warnings: Iterable[Warning]) -> Mapping[tuple[str, str], list[str]]:
    """The texts of warnings by table and name."""
    notes: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for warning in warnings:
        notes[warning.table, warning.name].append(warning.text)
    return notes


def _status(status: Mapping[str, str], notes: Sequence[str], error: str | None) -> Value:
    whole: dict[Any, Any] = dict(status)
    if notes:
        whole["warning"] = "; ".join(notes)
    if error:
        whole["error"] = error
    return whole


def narrate(old: Outcome, new: Outcome) -> tuple[list[str], list[str]]:
    """For the log, the step from `old` to `new`: news, and faults that a user should look at."""
    if old.interfaces is new.interfaces and old.objects == new.objects and old.warnings == new.warnings:
        return [], []
    news: list[str] = []
    before = {each.name: each for each in old.interfaces if each.ofport >= 0}
    after = {each.name: each for each in new.interfaces if each.ofport >= 0}
    for name in renewed(after, before):
        each = before[name]
        if name not in after or after[name].bridge != each.bridge:
            news.append(f"bridge {each.bridge}: deleted interface {name} on port {each.ofport}")
    for name in renewed(before, after):
        each = after[name]
        if name not in before or before[name].bridge != each.bridge:
            news.append(f"bridge {each.bridge}: added interface {name} on port {each.ofport}")
        elif before[name].link_state != each.link_state:
            news.append(f"interface {name}: link state {each.link_state or 'unknown'}")
    known = set(old.warnings)
    faults = [f"{each.table} {each.name}: {each.text}" for each in new.warnings if each not in known]
    was, now = _troubles(old), _troubles(new)
    for trouble in sorted(now.keys() - was.keys()):
        (faults if now[trouble] else news).append("{} {}: {}".format(*trouble))
    over = {(kind, name) for kind, name, _message in was} - {(kind, name) for kind, name, _message in now}
    there = {(each.kind, each.name) for each in new.objects} if over else set()
    for kind, name in sorted(over & there):
        news.append(f"{kind} {name}: in order now")
    return news, faults


def _troubles(outcome: Outcome) -> dict[tuple[str, str, str], bool]:
    """What is not in order, as (kind, name, message), and whether a user should look at it.

    Of a port and its interface with the same trouble only the interface is named. Half a patch is no fault
    yet, as its other half is often made right after, nor is an internal port whose container has stopped.
    """
    ok = State.OK
    found = [each for each in outcome.objects if each.state is not ok and each.message]
    if not found:
        return {}
    named = {(each.name, each.message) for each in found if each.kind == "Interface"}
    halves = {each.name for each in outcome.interfaces if each.type == "patch" and each.ofport >= 0}
    waiting = {each.name for each in outcome.interfaces if each.waits}
    return {
        (each.kind, each.name, each.message): each.name not in halves | waiting
        for each in found
        if each.kind == "Interface" or (each.name, each.message) not in named
    }
