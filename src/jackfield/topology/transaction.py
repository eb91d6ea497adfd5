"""The operations of the one transaction that makes the switch's part of a plan true. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from jackfield.client.operations import Operation, insert, mutate, set_keys, update
from jackfield.topology.difference import Action, Change, Kind
from jackfield.topology.network import Interface, Network, Port, Setting, Settings
from jackfield.topology.present import Tables
from jackfield.topology.views import namespace_path
from jackfield.wire.notation import Atom, NamedUuid, Uuid, Value, encode

_EMPTY: Mapping[str, Value] = {
    "protected": False,
    "bond_updelay": 0,
    "bond_downdelay": 0,
    "type": "",
    "trunks": frozenset(),
    "cvlans": frozenset(),
    "flood_vlans": frozenset(),
}
"""Columns whose default is not "no value"."""


@dataclass(slots=True)
class _Rows:
    """Where rows are: those that there are, and those that this transaction makes."""

    tables: Tables
    made: dict[tuple[str, str], NamedUuid] = field(default_factory=dict)
    names: dict[tuple[str, str], Uuid] = field(default_factory=dict)
    ports: dict[str, list[Uuid | NamedUuid]] = field(default_factory=dict)
    """What comes onto each bridge that is only being made."""

    def __post_init__(self) -> None:
        for table in ("Bridge", "Port", "Interface"):
            self.names.update({(table, str(row["name"])): u for u, row in self.tables[table].items()})

    @property
    def root(self) -> Uuid:
        return next(iter(self.tables["Open_vSwitch"]))

    def new(self, table: str, name: str) -> NamedUuid:
        named = NamedUuid(f"{table.lower()}_{name.encode().hex()}")
        self.made[table, name] = named
        return named

    def put(self, port: Uuid | NamedUuid, bridge: str) -> Iterator[Operation]:
        """Put a port onto a bridge."""
        uuid = self.names.get(("Bridge", bridge))
        if uuid is None:
            self.ports.setdefault(bridge, []).append(port)
        else:
            yield mutate("Bridge", uuid, ("ports", "insert", encode([port])))

    def bridge_of(self, port: str) -> Uuid:
        uuid = self.names["Port", port]
        for bridge, row in self.tables["Bridge"].items():
            if isinstance(row["ports"], frozenset) and uuid in row["ports"]:
                return bridge
        raise AssertionError(f"port {port} is on no bridge")


def operations(
    changes: Iterable[Change], present: Network, wanted: Network, tables: Tables
) -> list[Operation]:
    """What to ask of the database; empty when the plan has nothing for it. `tables` are the rows that
    `present` was made of."""
    changes = tuple(changes)
    rows = _Rows(tables)
    return [
        *_removals(changes, rows),
        *_switch(changes, rows),
        *_ports(changes, present, wanted, rows),
        *_bridges(changes, wanted, rows),
    ]


def _removals(changes: Iterable[Change], rows: _Rows) -> Iterator[Operation]:
    for change in changes:
        if change.action is not Action.REMOVE:
            continue
        if change.kind is Kind.PORT:
            uuid = rows.names["Port", change.key]
            yield mutate("Bridge", rows.bridge_of(change.key), ("ports", "delete", encode([uuid])))
        elif change.kind is Kind.BRIDGE:
            uuid = rows.names["Bridge", change.key]
            yield mutate("Open_vSwitch", rows.root, ("bridges", "delete", encode([uuid])))


def _switch(changes: Iterable[Change], rows: _Rows) -> Iterator[Operation]:
    for change in changes:
        if change.kind is Kind.SWITCH:
            yield from _updates("Open_vSwitch", rows.root, {d.setting: d.new for d in change.details})


def _bridges(changes: Iterable[Change], wanted: Network, rows: _Rows) -> Iterator[Operation]:
    for change in changes:
        if change.kind is not Kind.BRIDGE or change.action is Action.REMOVE:
            continue
        name = change.key
        if change.action is Action.CHANGE:
            uuid = rows.names["Bridge", name]
            yield from _updates("Bridge", uuid, {d.setting: d.new for d in change.details})
            continue
        own = wanted.ports.get(name) or Port(name, {}, {name: Interface(name, {"type": "internal"})})
        yield from _new_port(name, own, rows)
        columns = _columns(wanted.bridges[name])
        ports = [rows.made["Port", name], *rows.ports.get(name, ())]
        bridge = rows.new("Bridge", name)
        yield insert("Bridge", {"name": name, "ports": ports, **columns}, bridge)
        yield mutate("Open_vSwitch", rows.root, ("bridges", "insert", encode([bridge])))


def _ports(changes: Iterable[Change], present: Network, wanted: Network, rows: _Rows) -> Iterator[Operation]:
    for change in changes:
        if change.kind is not Kind.PORT or change.action is Action.REMOVE:
            continue
        name = change.key
        port = wanted.ports[name]
        if name == port.bridge and ("Bridge", name) not in rows.names:
            continue  # a new bridge's own port is made with it
        if change.action is Action.ADD:
            yield from _new_port(name, port, rows)
            yield from rows.put(rows.made["Port", name], port.bridge)
        else:
            yield from _changed_port(name, present.ports[name], port, rows)


def _new_port(name: str, port: Port, rows: _Rows) -> Iterator[Operation]:
    interfaces = []
    for interface in port.interfaces.values():
        yield _new_interface(interface, rows)
        interfaces.append(rows.made["Interface", interface.name])
    columns = _columns(port.settings)
    yield insert("Port", {"name": name, "interfaces": interfaces, **columns}, rows.new("Port", name))


def _new_interface(interface: Interface, rows: _Rows) -> Operation:
    columns = _columns({**interface.settings, **_place_keys(interface)})
    return insert("Interface", {"name": interface.name, **columns}, rows.new("Interface", interface.name))


def _changed_port(name: str, there: Port, port: Port, rows: _Rows) -> Iterator[Operation]:
    uuid = rows.names["Port", name]
    if there.bridge != port.bridge:
        # Taken off and put on in one transaction, the rows stay what they are.
        yield mutate("Bridge", rows.bridge_of(name), ("ports", "delete", encode([uuid])))
        yield from rows.put(uuid, port.bridge)
    yield from _updates("Port", uuid, _differing(there.settings, port.settings))
    if there.interfaces.keys() != port.interfaces.keys():
        for interface in port.interfaces.values():
            if interface.name not in there.interfaces:
                yield _new_interface(interface, rows)
        members = [
            rows.made.get(("Interface", member)) or rows.names["Interface", member]
            for member in port.interfaces
        ]
        yield update("Port", uuid, {"interfaces": members})
    for member, interface in port.interfaces.items():
        before = there.interfaces.get(member)
        if before is None:
            continue
        changed = _differing(before.settings, interface.settings)
        if interface.place is not None and interface.place != before.place:
            changed |= {"options:netns": None, "options:ifname": None, **_place_keys(interface)}
        yield from _updates("Interface", rows.names["Interface", member], changed)


def _place_keys(interface: Interface) -> dict[str, Setting]:
    """The options by which the switch makes an internal port where it is wanted."""
    if interface.place is None:
        return {}
    keys: dict[str, Setting] = {}
    if interface.place.namespace:
        keys["options:netns"] = namespace_path(interface.place.namespace)
    if interface.place.device != interface.name:
        keys["options:ifname"] = interface.place.device
    return keys


def _differing(old: Settings, new: Settings) -> dict[str, Setting | None]:
    return {key: new.get(key) for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def _updates(table: str, uuid: Uuid, changed: Mapping[str, Setting | None]) -> Iterator[Operation]:
    """Columns set as a whole, maps key by key: keys that nobody named stay."""
    whole: dict[str, Value] = {}
    keys: dict[str, dict[str, str | None]] = {}
    for setting, value in changed.items():
        column, _, key = setting.partition(":")
        if key:
            keys.setdefault(column, {})[key] = None if value is None else str(value)
        else:
            whole[column] = _EMPTY.get(column) if value is None else _value(value)
    if whole:
        yield update(table, uuid, whole)
    for column, pairs in sorted(keys.items()):
        yield set_keys(table, uuid, column, pairs)


def _columns(settings: Settings) -> dict[str, Value]:
    """A new row's columns."""
    columns: dict[str, Value] = {}
    for setting, value in settings.items():
        column, _, key = setting.partition(":")
        if not key:
            columns[column] = _value(value)
            continue
        pairs = columns.setdefault(column, {})
        assert isinstance(pairs, dict)
        pairs[key] = str(value)
    return columns


def _value(value: Setting) -> Value:
    return frozenset[Atom](value) if isinstance(value, frozenset) else value
