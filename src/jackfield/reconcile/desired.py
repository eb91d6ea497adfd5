"""From the database to the desired state: a pure function of a snapshot.

The rules are those of ovs-vswitchd.conf.db(5), tables Open_vSwitch, Bridge, Port and Interface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from jackfield.reconcile import settings
from jackfield.reconcile.loops import loop_warnings
from jackfield.reconcile.ofports import assign
from jackfield.reconcile.outcome import Warning
from jackfield.reconcile.rows import (
    COLUMNS,
    Row,
    Snapshot,
    elements,
    otherwise,
    pairs,
    referenced,
    rows,
    text,
)
from jackfield.reconcile.unsupported import bridge_warnings
from jackfield.reconcile.wanted import LOCAL_OFPORT, Desired, Kind, WantedBridge, WantedPort
from jackfield.reconcile.wantedports import (
    MOST_DEVICE_NAME,
    Members,
    local_port,
    members_of,
    name_problem,
    port_of,
)


class _Entry(NamedTuple):
    """What was read of a port. `local`: it is the one with the bridge's own interface."""

    members: Members
    port: WantedPort
    warnings: tuple[Warning, ...]
    local: bool


class _Ports(NamedTuple):
    """What was read of a bridge's ports: which they are, in order, and what numbers their interfaces asked
    for and have."""

    uuids: frozenset[str] = frozenset()
    order: Sequence[str] = ()
    asked: Sequence[tuple[str, int | None, int | None]] = ()
    numbers: Mapping[str, int] = {}


@dataclass(slots=True)
class Reading:
    """What one reading remembers for the next: of the database, `setting` is all that may matter for a port
    besides rows of Port and Interface; `users` are the ports of interfaces. `valid`: it can be relied upon,
    which it cannot where two ports or bridges want the same."""

    setting: object = None
    ports: Mapping[str, Row] = field(default_factory=dict)
    interfaces: Mapping[str, Row] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    entries: Mapping[str, _Entry] = field(default_factory=dict)
    bridges: Mapping[str, _Ports] = field(default_factory=dict)
    valid: bool = False


def desired(
    snapshot: Snapshot, held: Mapping[str, int] | None = None, memory: Reading | None = None
) -> Desired:
    """What `snapshot` asks for.

    `held` are OpenFlow port numbers by Interface UUID that were given out and are perhaps not in the
    snapshot yet. What is wrong with an object is in its `error`; what is not done as asked, in `warnings`.
    With the `memory` of the call before, ports whose rows have not changed are not read again.
    """
    root: Row = next(iter(rows(snapshot, "Open_vSwitch").values()), {})
    found = referenced(snapshot, "Bridge", elements(root, "bridges"))
    memory = memory or Reading()
    reader = _Reader(snapshot, held or {}, [row for _, row in found], memory)
    bridges = [reader.bridge(uuid, row) for uuid, row in found]
    reader.remember(memory)
    return Desired(
        bridges=_wired(bridges),
        vlan_limit=settings.vlan_limit(root),
        stats_interval_ms=settings.stats_interval_ms(root),
        warnings=tuple(reader.warnings),
    )


def _setting(snapshot: Snapshot) -> object:
    """All that may matter for a port besides rows of Port and Interface: there is little of it."""
    return {
        table: {
            uuid: {name: row.get(name) for name in columns if name != "ports"} for uuid, row in found.items()
        }
        for table, columns in COLUMNS.items()
        if table not in ("Port", "Interface")
        for found in (rows(snapshot, table),)
    }


class _Reader:
    """One reading of a snapshot: what was found wrong, and what of it is new."""

    def __init__(
        self, snapshot: Snapshot, held: Mapping[str, int], bridges: Sequence[Row], memory: Reading
    ) -> None:
        self.warnings: list[Warning] = []
        self._snapshot = snapshot
        self._held = held
        self._setting = _setting(snapshot)
        self._bridge_names = frozenset(text(row, "name") for row in bridges)
        self._claims: dict[tuple[str, str], str] = {}
        self._users: dict[str, str] = {}
        self._entries: dict[str, _Entry] = {}
        self._bridges: dict[str, _Ports] = {}
        same = memory.valid and memory.setting == self._setting
        self._before = memory if same else Reading()
        before, ports = self._before.ports, rows(snapshot, "Port")
        self._anew = {*otherwise(before, ports, "Port"), *(before.keys() - ports.keys())}
        self._renamed = any(
            text(before.get(uuid, {}), "name") != text(ports.get(uuid, {}), "name") for uuid in self._anew
        )
        self._single = self._note_users(bridges)
        if not self._single:
            self._before, self._anew = Reading(), set(ports)

    def _note_users(self, bridges: Sequence[Row]) -> bool:
        """Find the ports of interfaces that are new or gone, and whether all is used once only."""
        sets = [elements(row, "ports") for row in bridges]
        single = sum(map(len, sets)) == len(frozenset().union(*sets))
        before, ports = self._before, rows(self._snapshot, "Port")
        interfaces = rows(self._snapshot, "Interface")
        users = self._users = dict(before.users)
        for uuid in self._anew:
            for each in elements(before.ports.get(uuid, {}), "interfaces"):
                users.pop(each, None)
        for uuid in self._anew:
            for each in elements(ports.get(uuid, {}), "interfaces"):
                single &= users.setdefault(each, uuid) == uuid
        changed = otherwise(before.interfaces, interfaces, "Interface")
        gone = before.interfaces.keys() - interfaces.keys()
        self._anew.update(users[each] for each in (*changed, *gone) if each in users)
        return single

    def remember(self, memory: Reading) -> None:
        """Have `memory` know of this reading."""
        memory.setting = self._setting
        memory.ports = rows(self._snapshot, "Port")
        memory.interfaces = rows(self._snapshot, "Interface")
        memory.users, memory.entries, memory.bridges = self._users, self._entries, self._bridges
        memory.valid = self._single

    def bridge(self, uuid: str, row: Row) -> WantedBridge:
        """What is wanted of a bridge."""
        name = text(row, "name")
        error = _bridge_problem(row)
        self.warnings += bridge_warnings(row)
        self.warnings += loop_warnings("Bridge", row)
        hwaddr, complaint = settings.address(pairs(row, "other_config").get("hwaddr", ""))
        if complaint is not None:
            self.warnings.append(Warning("Bridge", name, f"other_config:hwaddr: {complaint}"))
        entries = self._ports(uuid, row, error)
        self.warnings += [warning for entry in entries if entry.warnings for warning in entry.warnings]
        ports = [entry.port for entry in entries]
        if not any(entry.local for entry in entries):
            ports.insert(0, local_port(name, error))
        return WantedBridge(
            name=name,
            uuid=uuid,
            config=settings.bridge_config(row),
            ports=tuple(ports),
            default_mac=settings.made_up_mac(uuid),
            hwaddr=hwaddr,
            datapath_id=settings.datapath_id(row),
            error=error,
        )

    def _ports(self, uuid: str, row: Row, error: str | None) -> list[_Entry]:
        """The ports of a bridge, in order."""
        name, before = text(row, "name"), self._before.bridges.get(uuid, _Ports())
        ports, entries, uuids = rows(self._snapshot, "Port"), self._before.entries, elements(row, "ports")
        anew = self._anew | (uuids - before.uuids)
        order = before.order if before.uuids == uuids and not self._renamed else self._order(name, uuids)
        members = {
            port: self._members(ports[port], name, error) if port in anew else entries[port].members
            for port in order
        }
        held = self._held.get
        asked = [
            (interface, request, held(at, told))
            for each in members.values()
            for interface, request, at, told in each.wishes
        ]
        numbers = before.numbers if before.asked == asked else assign(asked)
        self._bridges[uuid] = _Ports(uuids, order, asked, numbers)
        if numbers is not before.numbers:
            odd = {each for each, number in numbers.items() if before.numbers.get(each) != number}
            anew.update([port for port, each in members.items() if not odd.isdisjoint(each.names)])
        mirrors = rows(self._snapshot, "Mirror")
        outputs = {mirrors[each].get("output_port") for each in elements(row, "mirrors") if each in mirrors}
        given = {**numbers, name: LOCAL_OFPORT}
        found = {
            port: _kept(
                entries.get(port),
                members[port],
                *port_of(port, ports[port], members[port], row, given, port in outputs),
            )
            if port in anew
            else entries[port]
            for port in order
        }
        self._entries.update(found)
        return list(found.values())

    def _order(self, bridge: str, uuids: frozenset[str]) -> list[str]:
        """The ports that a bridge has for itself, in natural order of their names."""
        found = referenced(self._snapshot, "Port", uuids)
        return [
            uuid for uuid, row in found if self._claim("Port", uuid, text(row, "name"), f"bridge {bridge}")
        ]

    def _members(self, row: Row, bridge: str, bridge_error: str | None) -> Members:
        found = referenced(self._snapshot, "Interface", elements(row, "interfaces"))
        user = f"port {text(row, 'name')}"
        mine = [each for each in found if self._claim("Interface", each[0], text(each[1], "name"), user)]
        return members_of(row, mine, len(found), bridge, bridge_error, self._bridge_names)

    def _claim(self, table: str, uuid: str, name: str, user: str) -> bool:
        """Whether a row is free for `user`: a row that two refer to serves the first."""
        first = self._claims.setdefault((table, uuid), user)
        if first != user:
            self.warnings.append(Warning(table, name, f"is on {first} and on {user}; used on {first} only"))
        return first == user


def _kept(before: _Entry | None, members: Members, port: WantedPort, warnings: tuple[Warning, ...]) -> _Entry:
    """What was read of a port: the same object again if it came out equal, for others hold on to it."""
    entry = _Entry(members, port, warnings, any(interface.local for interface in port.interfaces))
    return before if before == entry and before is not None else entry


def _bridge_problem(row: Row) -> str | None:
    name = text(row, "name")
    datapath_type = text(row, "datapath_type")
    if datapath_type not in ("", "system", "netdev"):
        return f'could not create bridge {name} (datapath_type "{datapath_type}" is not supported)'
    return name_problem(f"bridge {name}", name, MOST_DEVICE_NAME)


def _wired(bridges: Sequence[WantedBridge]) -> tuple[WantedBridge, ...]:
    """The same bridges with patch ports joined: a peer is usable when it points back."""
    peers: dict[str, str | None] = {}
    ports: dict[str, str] = {}
    alone = [port for bridge in bridges for port in bridge.ports if len(port.interfaces) == 1]
    for port in [port for port in alone if port.interfaces[0].kind is Kind.PATCH]:
        interface = port.interfaces[0]
        if interface.error is None:
            peers[interface.name] = interface.peer
            ports[interface.name] = port.name
    if not peers:
        return tuple(bridges)

    def wired(port: WantedPort) -> WantedPort:
        if len(port.interfaces) != 1 or port.interfaces[0].name not in peers:
            return port
        interface = port.interfaces[0]
        if interface.peer is not None and peers.get(interface.peer) == interface.name:
            return replace(port, config=replace(port.config, patch_peer=ports[interface.peer]))
        fault = f"No usable peer '{interface.peer}' exists in 'system' datapath."
        return replace(port, interfaces=(replace(interface, peer=None, fault=fault),))

    return tuple(replace(bridge, ports=tuple(map(wired, bridge.ports))) for bridge in bridges)
