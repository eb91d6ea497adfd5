"""The difference between what there is and what is asked for, as data. Pure.

What a file names is to be as the file says; what it does not name stays, unless it is pruned. The settings of
a named port or bridge that the file does not say have their default. Addresses and routes, and what else the
host has of a device, are touched only where the file says them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, NamedTuple

from jackfield.topology.network import Device, Interface, Network, Place, Port, Setting, Settings
from jackfield.topology.settings import BRIDGE, FREE, INTERFACE, PORT, SWITCH, vlan_list

_FREE = f"{FREE}:"
_WORDS = {
    word.setting: word.field.replace("_", "-")
    for words in (SWITCH, BRIDGE, PORT, INTERFACE)
    for word in words
}


class Action(Enum):
    """What is done to an object."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


class Kind(Enum):
    """What kind of object it is, in the order in which they are made."""

    SWITCH = "switch"
    NAMESPACE = "namespace"
    LINK = "link"
    BRIDGE = "bridge"
    PORT = "port"
    DEVICE = "device"
    CONTAINER = "container"


class Detail(NamedTuple):
    """One setting; None stands for its default, or for nothing."""

    setting: str
    old: Setting | None
    new: Setting | None


@dataclass(frozen=True, slots=True)
class Change:
    """One object's change. `key` finds the object in the networks that were compared."""

    action: Action
    kind: Kind
    key: Any
    details: tuple[Detail, ...] = ()

    @property
    def name(self) -> str:
        """The object's name, for people."""
        if isinstance(self.key, Place) or self.kind is not Kind.CONTAINER:
            return str(self.key)
        target, device = self.key
        return f"{device} of {target}"


def difference(present: Network, wanted: Network, prune: bool = False) -> tuple[Change, ...]:
    """The changes that make `present` what `wanted` says, in an order that works when they are made so."""
    changes = [
        *_switch(present, wanted),
        *_namespaces(present, wanted),
        *_links(present, wanted),
        *_bridges(present, wanted),
        *_ports(present, wanted),
        *_devices(present, wanted),
        *_containers(present, wanted),
    ]
    return (*changes, *(_unnamed(present, wanted) if prune else ()))


def _switch(present: Network, wanted: Network) -> Iterator[Change]:
    # Settings of the switch are settings of everybody: those that a file does not name stay.
    found = tuple(d for d in _settings(present.switch, wanted.switch) if d.new is not None)
    if found:
        yield Change(Action.CHANGE, Kind.SWITCH, "switch", found)


def _namespaces(present: Network, wanted: Network) -> Iterator[Change]:
    for name, namespace in wanted.namespaces.items():
        there = present.namespaces.get(name)
        details = []
        if namespace.forwarding is not None:
            old = there.forwarding if there is not None else None
            if bool(old) != namespace.forwarding:
                details.append(Detail("forwarding", old, namespace.forwarding))
        if there is None:
            yield Change(Action.ADD, Kind.NAMESPACE, name, tuple(details))
        elif details:
            yield Change(Action.CHANGE, Kind.NAMESPACE, name, tuple(details))


def _links(present: Network, wanted: Network) -> Iterator[Change]:
    for name, ends in wanted.links.items():
        there = present.links.get(name)
        if there == ends:
            continue
        details = tuple(
            Detail("end", str(there[number]) if there else None, str(end))
            for number, end in enumerate(ends)
            if there is None or there[number] != end
        )
        yield Change(Action.ADD if there is None else Action.CHANGE, Kind.LINK, name, details)


def _bridges(present: Network, wanted: Network) -> Iterator[Change]:
    for name, settings in wanted.bridges.items():
        there = present.bridges.get(name)
        details = tuple(_settings(there or {}, settings))
        if there is None:
            yield Change(Action.ADD, Kind.BRIDGE, name, details)
        elif details:
            yield Change(Action.CHANGE, Kind.BRIDGE, name, details)


def _ports(present: Network, wanted: Network) -> Iterator[Change]:
    for name, port in wanted.ports.items():
        there = present.ports.get(name)
        # A bridge's own port comes with the bridge.
        made = there is None and name != port.bridge
        details = tuple(_port_details(there or _bare(name, port), port, name))
        if made:
            yield Change(Action.ADD, Kind.PORT, name, (Detail("bridge", None, port.bridge), *details))
        elif details:
            yield Change(Action.CHANGE, Kind.PORT, name, details)


def _bare(name: str, port: Port) -> Port:
    """What a port is before anything is said of it."""
    if name != port.bridge:
        return Port(port.bridge, {}, {})
    return Port(port.bridge, {}, {name: Interface(name, {"type": "internal"}, Place("", name))})


def _port_details(there: Port, port: Port, name: str) -> Iterator[Detail]:
    if there.bridge != port.bridge:
        yield Detail("bridge", there.bridge, port.bridge)
    yield from _settings(there.settings, port.settings)
    old, new = sorted(there.interfaces), sorted(port.interfaces)
    if old != new and (new != [name] or old not in ([], [name])):
        yield Detail("members", " ".join(old) or None, " ".join(new))
    for key, interface in port.interfaces.items():
        before = there.interfaces.get(key, Interface(key))
        prefix = f"{key} " if len(port.interfaces) > 1 else ""
        for detail in _settings(before.settings, interface.settings):
            yield detail._replace(setting=prefix + detail.setting)
        if interface.place is not None and interface.place != before.place:
            yield from _moved(key, before.place, interface.place)


def _moved(name: str, old: Place | None, new: Place) -> Iterator[Detail]:
    before = old or Place("", "")
    if before.namespace != new.namespace:
        yield Detail("namespace", before.namespace or None, new.namespace or None)
    if (before.device or name) != new.device:
        yield Detail("device", before.device or None, new.device)


def _devices(present: Network, wanted: Network) -> Iterator[Change]:
    made = {end for name, ends in wanted.links.items() if present.links.get(name) != ends for end in ends}
    for place, device in wanted.devices.items():
        there = None if place in made else present.devices.get(place)
        details = tuple(_device_details(there or Device(), device))
        if details:
            yield Change(Action.ADD if there is None else Action.CHANGE, Kind.DEVICE, place, details)


def _device_details(there: Device, device: Device) -> Iterator[Detail]:
    for setting, old, new in (("mac", there.mac, device.mac), ("mtu", there.mtu, device.mtu)):
        if new is not None and new != old:
            yield Detail(setting, old, new)
    if device.up is not None and device.up != bool(there.up):
        yield Detail("up", there.up, device.up)
    if device.addresses is not None:
        yield from _listed("address", there.addresses or (), device.addresses)
    if device.routes is not None:
        yield from _listed("route", map(str, there.routes or ()), map(str, device.routes))


def _listed(setting: str, old: Iterable[str], new: Iterable[str]) -> Iterator[Detail]:
    before, after = set(old), set(new)
    yield from (Detail(setting, item, None) for item in sorted(before - after))
    yield from (Detail(setting, None, item) for item in sorted(after - before))


def _containers(present: Network, wanted: Network) -> Iterator[Change]:
    for key, container in wanted.containers.items():
        there = present.containers.get(key)
        old = asdict(there.wish) if there is not None else {}
        details = tuple(
            Detail(setting, _shown(old.get(setting)), _shown(value))
            for setting, value in asdict(container.wish).items()
            if (value != old.get(setting) if there is not None else value and setting != "ifname")
        )
        if there is None:
            yield Change(Action.ADD, Kind.CONTAINER, key, details)
        elif details:
            yield Change(Action.CHANGE, Kind.CONTAINER, key, details)


def _shown(value: Any) -> Setting | None:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or None
    return value or None


def _unnamed(present: Network, wanted: Network) -> Iterator[Change]:
    """What goes when the file is all there should be: what is on the switch, and what files have made."""
    for key in present.containers:
        if key not in wanted.containers:
            yield Change(Action.REMOVE, Kind.CONTAINER, key)
    for name, port in present.ports.items():
        if port.bridge in wanted.bridges and name not in wanted.ports and name != port.bridge:
            yield Change(Action.REMOVE, Kind.PORT, name, (Detail("bridge", port.bridge, None),))
    for name in present.bridges:
        if name not in wanted.bridges:
            moved = (p for p in wanted.ports if p in present.ports and present.ports[p].bridge == name)
            lost = [n for n, p in present.ports.items() if p.bridge == name and n != name]
            gone = sorted(set(lost) - set(moved))
            details = (Detail("ports", ", ".join(gone), None),) if gone else ()
            yield Change(Action.REMOVE, Kind.BRIDGE, name, details)
    for name in present.links:
        if name not in wanted.links:
            yield Change(Action.REMOVE, Kind.LINK, name)
    for name, namespace in present.namespaces.items():
        if namespace.ours and name not in wanted.namespaces:
            yield Change(Action.REMOVE, Kind.NAMESPACE, name)


def _settings(old: Settings, new: Settings) -> Iterator[Detail]:
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key != "type", key)):
        if old.get(key) != new.get(key):
            yield Detail(key, old.get(key), new.get(key))


def as_json(changes: Iterable[Change]) -> dict[str, Any]:
    """The plan for programs."""
    return {
        "changes": [
            {
                "action": change.action.value,
                "kind": change.kind.value,
                "name": change.name,
                "details": [
                    {"setting": _word(d.setting), "from": _plain(d.old), "to": _plain(d.new)}
                    for d in change.details
                ],
            }
            for change in changes
        ]
    }


def _plain(value: Setting | None) -> Any:
    return vlan_list(value) if isinstance(value, frozenset) else value


def as_lines(changes: Iterable[Change]) -> Iterator[tuple[Action, str]]:
    """The plan for people: a line an object, and below it, with a blank before each, a line a setting."""
    for change in changes:
        bridge = ""
        details = list(change.details)
        if change.kind is Kind.PORT and change.action is not Action.CHANGE:
            bridge = "".join(f" on {d.new or d.old}" for d in details if d.setting == "bridge")
            details = [d for d in details if d.setting != "bridge"]
        yield (
            change.action,
            f"{change.kind.value} {change.name}{bridge}" if change.kind is not Kind.SWITCH else "switch",
        )
        for detail in details:
            action = (
                Action.ADD if detail.old is None else Action.REMOVE if detail.new is None else Action.CHANGE
            )
            yield action, " " + _detail_text(detail)


def _detail_text(detail: Detail) -> str:
    setting = _word(detail.setting)
    if detail.old is None or detail.new is None:
        return f"{setting} {_text(detail.new if detail.old is None else detail.old)}"
    return f"{setting} {_text(detail.old)} -> {_text(detail.new)}"


def _word(setting: str) -> str:
    """A setting in a file's words; of a bond's member, behind its name."""
    member, blank, setting = setting.rpartition(" ") if not setting.startswith(_FREE) else ("", "", setting)
    word = _WORDS.get(setting) or setting.replace(_FREE, "other-config ", 1)
    return f"{member}{blank}{word}"


def _text(value: Setting | None) -> str:
    if isinstance(value, frozenset):
        return ",".join(map(str, vlan_list(value)))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def counted(changes: Iterable[Change]) -> Mapping[Action, int]:
    """How many objects each action is for."""
    found = dict.fromkeys(Action, 0)
    for change in changes:
        found[change.action] += 1
    return found
