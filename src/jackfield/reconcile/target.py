"""What the maps should hold, given which interfaces are there. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jackfield.datapath import _abi
from jackfield.datapath._abi import BridgeFlag, IfaceFlag, Limit, NameKind, PortFlag
from jackfield.reconcile.ids import Ids, Names, read_names
from jackfield.reconcile.membership import flood_members, mask_of, record_of
from jackfield.reconcile.observed import Observed
from jackfield.reconcile.presence import Presence, Present, Sight, interface_owner
from jackfield.reconcile.records import Records, bond_record, records_of, seated
from jackfield.reconcile.renewed import renewed
from jackfield.reconcile.steps import Owner
from jackfield.reconcile.wanted import WantedBridge

_NS = 1_000_000_000
_PROMISCUOUS, _BOND = int(IfaceFlag.PROMISCUOUS), int(PortFlag.BOND)


class Part(NamedTuple):
    """A port in the maps: its id, 0 if there is none left, those that its interfaces took, the interfaces
    that take part by id, and the records, None if it found no room. `bond` is that of a port of several.

    What is `lasting` depends on nothing but what there is of the port: a bond's members have the places that
    they had, the two ends of a patch need each other, and new ids may be lost until they are written.
    """

    bridge: str
    port_id: int
    taken: Sequence[int]
    given: Mapping[int, Present] = {}
    records: Records | None = None
    bond_id: int = 0
    bond: _abi.Bond | None = None
    lasting: bool = False


class Flooding(NamedTuple):
    """How many ports of a bridge carry frames, whether there are bonds among them, and which flood a VLAN."""

    carrying: int = 0
    bonded: bool = False
    floods: Mapping[int, tuple[int, ...]] = {}


@dataclass(slots=True)
class Target:
    """Wanted content of the maps, the interfaces that are to be attached (by ifindex), the owner of every id,
    and what cannot be had. Ports that are `disabled` belong to no bridge."""

    there: Presence
    names: Names
    undo: frozenset[int]
    disabled: frozenset[int]
    bridge_ids: Ids
    port_ids: Ids
    iface_ids: Ids
    bond_ids: Ids
    problems: dict[Owner, str]
    bridges: dict[int, _abi.Bridge] = field(default_factory=dict)
    bridge_flood: dict[int, _abi.VlanSet] = field(default_factory=dict)
    ports: dict[int, _abi.Port] = field(default_factory=dict)
    port_vlans: dict[int, _abi.VlanSet] = field(default_factory=dict)
    guards: dict[int, _abi.Guard] = field(default_factory=dict)
    ifaces: dict[int, _abi.Iface] = field(default_factory=dict)
    ingress: dict[int, _abi.Ingress] = field(default_factory=dict)
    bonds: dict[int, _abi.Bond] = field(default_factory=dict)
    floods: dict[_abi.FloodKey, tuple[int, ...]] = field(default_factory=dict)
    attached: dict[int, Present] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    devices: dict[int, int] = field(default_factory=dict)
    flooding: dict[str, Flooding] = field(default_factory=dict)

    def take_over(self, before: Target, left_out: Iterable[str]) -> None:
        """Begin with the ports of another one but for some."""
        for name in ("ports", "port_vlans", "guards", "ifaces", "ingress", "bonds", "attached", "parts"):
            setattr(self, name, dict(getattr(before, name)))
        for ids, old in zip(self._ids(), before._ids(), strict=True):
            ids.used = dict(old.used)
        for ifindex, number in before.devices.items():
            self._forget(number, ifindex)
        for key in left_out:
            part = self.parts.pop(key, None)
            if part is None:
                continue
            self.port_ids.used.pop(part.port_id, None)
            self.bond_ids.used.pop(part.bond_id, None)
            self.ports.pop(part.port_id, None)
            self.port_vlans.pop(part.port_id, None)
            self.guards.pop(part.port_id, None)
            self.bonds.pop(part.bond_id, None)
            for number in part.taken:
                here = part.given.get(number)
                self._forget(number, here.switch.ifindex if here is not None and here.switch else 0)

    def add(self, key: str, part: Part) -> None:
        """Take in a port."""
        number, records = part.port_id, part.records
        self.parts[key] = part
        if records is None:
            return
        self.ports[number] = records.port
        if records.vlans is not None:
            self.port_vlans[number] = records.vlans
        if records.guard is not None:
            self.guards[number] = records.guard
        if part.bond is not None:
            self.bonds[part.bond_id] = part.bond
        self.ifaces.update(records.ifaces)
        self.ingress.update(records.ingress)
        self.attached.update({here.switch.ifindex: here for here in part.given.values() if here.switch})

    def add_device(self, number: int, here: Present, iface: _abi.Iface) -> None:
        """Take in an interface of no port."""
        self.devices[iface.ifindex] = number
        self.ifaces[number] = iface
        self.ingress[iface.ifindex] = _abi.Ingress(number, 0, 0)
        self.attached[iface.ifindex] = here

    def _forget(self, number: int, ifindex: int) -> None:
        self.iface_ids.used.pop(number, None)
        self.ifaces.pop(number, None)
        self.ingress.pop(ifindex, None)
        self.attached.pop(ifindex, None)

    def _ids(self) -> tuple[Ids, ...]:
        return self.port_ids, self.iface_ids, self.bond_ids


def target(there: Presence, before: Target | None = None) -> Target:
    """The maps' wanted content. Ids stay with the names that have them. With the result of the call `before`,
    of ports that are as they were then it says the same, without another look at them."""
    tables = there.observed.tables
    names = read_names(tables.names, before.names if before is not None else None)
    result = Target(
        there=there,
        names=names,
        undo=made_promiscuous(there.observed),
        disabled=frozenset(tables.disabled),
        bridge_ids=Ids(NameKind.BRIDGE, names, Limit.MAX_BRIDGES),
        port_ids=Ids(NameKind.PORT, names, Limit.MAX_PORTS),
        iface_ids=Ids(NameKind.IFACE, names, Limit.MAX_IFACES),
        bond_ids=Ids(NameKind.BOND, names, Limit.MAX_BONDS),
        problems=dict(there.problems),
    )
    anew = _anew(result, before)
    if before is not None:
        result.take_over(before, anew)
    bridges = _bridge_numbers(result)
    for key, sight in there.ports.items():
        if key in anew and sight.present and sight.port.bridge in bridges:
            result.add(key, _part(result, bridges[sight.port.bridge], sight))
    _join_patches(result, anew)
    changed = _flooding_otherwise(result, before, anew)
    for bridge in there.desired.bridges:
        if bridge.name in bridges:
            known = before.flooding.get(bridge.name) if before and bridge.name not in changed else None
            _configure(result, bridge, bridges[bridge.name], known or _flooding(result, bridge.name))
    for table in ("ports", "port_vlans", "guards", "ifaces", "ingress"):
        _same_objects(getattr(tables, table), getattr(result, table))
    return result


def _same_objects(have: Mapping[int, object], want: dict[int, object]) -> None:
    """Where a table has what is wanted, want the very object that it has: so nobody has to compare them."""
    want.update({key: have[key] for key in renewed(have, want) if have.get(key) == want[key]})


def made_promiscuous(observed: Observed) -> frozenset[int]:
    """The devices whose promiscuous mode is the switch's own doing."""
    ifaces = observed.tables.ifaces.values()
    return frozenset([iface.ifindex for iface in ifaces if iface.flags & _PROMISCUOUS])


def _anew(now: Target, before: Target | None) -> Collection[str]:
    """The ports that may have to be otherwise than `before`, or are gone."""
    there = now.there
    if before is None:
        return there.ports.keys()
    parts, old, ports = before.parts, before.there.ports, there.desired.ports
    anew = {*renewed(old, there.ports), *(old.keys() - there.ports.keys())}
    anew.update([key for key, part in parts.items() if not part.lasting])
    for bridge in there.desired.bridges:
        if bridge.name not in before.flooding:
            anew.update(there.desired.ports_of[bridge.name])
    changed = now.names.changed
    if changed:
        anew.update([key for key, port in ports.items() if port.name in changed or port.bridge in changed])
        anew.update([port.key for name, port in there.desired.port_of.items() if name in changed])
    odd, moody = now.disabled ^ before.disabled, now.undo ^ before.undo
    if odd or moody:
        anew.update(key for key, part in parts.items() if part.port_id in odd or moody & _devices(part))
    return anew


def _devices(part: Part) -> frozenset[int]:
    return frozenset(here.switch.ifindex for here in part.given.values() if here.switch is not None)


def _bridge_numbers(result: Target) -> Mapping[str, int]:
    numbers = {}
    for bridge in result.there.desired.bridges:
        number = result.bridge_ids.take(bridge.name) if bridge.error is None else None
        if number is not None:
            numbers[bridge.name] = number
        elif bridge.error is None:
            result.problems[Owner("Bridge", bridge.name)] = (
                f"there can be no more than {Limit.MAX_BRIDGES - 1} bridges"
            )
    return numbers


def _part(result: Target, bridge: int, sight: Sight) -> Part:
    """A port with the interfaces of it that are there."""
    wanted = sight.port
    port_id = result.port_ids.take(wanted.name)
    given: dict[int, Present] = {}
    taken = []
    for here in sight.present:
        number = result.iface_ids.take(here.interface.name)
        taken += [number] if number is not None else []
        if port_id is None or number is None:
            text = f"there can be no more than {Limit.MAX_PORTS - 1} ports"
            result.problems[interface_owner(here.interface)] = text
        else:
            given[number] = here
    if port_id is None or not given:
        return Part(wanted.bridge, port_id or 0, taken)
    bond_id: int = 0
    bond = None
    places: Mapping[int, int] = {}
    if wanted.bond is not None:
        bond_id = result.bond_ids.take(wanted.name) or 0
        if not bond_id:
            text = f"there can be no more than {Limit.MAX_BONDS - 1} bonds"
            result.problems[Owner("Port", wanted.name)] = text
            return Part(wanted.bridge, port_id, taken)
        last = result.there.observed.tables.bonds
        seats = seated(last[bond_id].members if bond_id in last else (), list(given))
        places = {number: at for at, number in enumerate(seats) if number}
        for number in given.keys() - places.keys():
            text = f"a bond can have no more than {Limit.MAX_MEMBERS} members"
            result.problems[interface_owner(given.pop(number).interface)] = text
        bond = bond_record(wanted.bond, wanted.lacp is not None, seats)
    of_bridge = 0 if port_id in result.disabled else bridge
    known = (
        not bond_id
        and all(here.switch is not None for here in given.values())
        and bridge in result.bridge_ids.known
        and port_id in result.port_ids.known
        and given.keys() <= result.iface_ids.known.keys()
    )
    records = records_of(wanted, port_id, of_bridge, bond_id, given, places, result.undo)
    return Part(wanted.bridge, port_id, taken, given, records, bond_id, bond, known)


def _flooding_otherwise(result: Target, before: Target | None, anew: Iterable[str]) -> set[str]:
    """The bridges with ports that flood otherwise than before."""
    changed: set[str] = set()
    for key in anew:
        old, new = before.parts.get(key) if before else None, result.parts.get(key)
        if (old and (old.port_id, old.records)) != (new and (new.port_id, new.records)):
            changed.update(each.bridge for each in (old, new) if each is not None)
    return changed


def _flooding(result: Target, bridge: str) -> Flooding:
    parts = result.parts
    mine = [parts[key] for key in result.there.desired.ports_of[bridge] if key in parts]
    members = [(each.port_id, each.records) for each in mine if each.records is not None]
    carrying = [(number, records.port, records.mask) for number, records in members if records.port.bridge]
    bonded = any(port.flags & _BOND for _, port, _ in carrying)
    return Flooding(len(carrying), bonded, flood_members(carrying))


def _configure(result: Target, bridge: WantedBridge, number: int, flooding: Flooding) -> None:
    result.flooding[bridge.name] = flooding
    for vlan, ports in flooding.floods.items():
        result.floods[_abi.FloodKey(number, vlan)] = ports
    config = bridge.config
    flags = BridgeFlag.FORWARD_BPDU if config.forward_bpdu else BridgeFlag(0)
    if config.flood_vlans:
        flags |= BridgeFlag.FLOOD_VLANS
        result.bridge_flood[number] = record_of(mask_of(config.flood_vlans))
    if flooding.bonded:
        flags |= BridgeFlag.BONDED
    result.bridges[number] = _abi.Bridge(
        ageing_ns=config.mac_aging_time * _NS,
        table_size=config.mac_table_size,
        port_count=flooding.carrying,
        flags=int(flags),
        vlan_limit=result.there.desired.vlan_limit,
    )


def _join_patches(result: Target, anew: Collection[str]) -> None:
    """Tell the two ends of each patch of each other; those that are there are among the ports of `anew`."""
    parts = [result.parts[key] for key in anew if key in result.parts]
    ends = [
        (number, here.interface) for part in parts for number, here in part.given.items() if not here.switch
    ]
    numbers = {interface.name: number for number, interface in ends}
    for number, interface in ends:
        peer = numbers.get(interface.peer or "")
        if peer is not None:
            result.ifaces[number] = result.ifaces[number]._replace(peer=peer)
