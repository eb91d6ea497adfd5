"""Planning maps, attachments and removals: from what the kernel has to what is wanted. Pure.

What is new is complete before a frame can reach it; what goes is out of reach before it is taken apart:
its ingress and attachment, the flood lists, its addresses, its structs, its device, and last its name, so
that a plan cut short at any step is taken up by the next one.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping

from jackfield.datapath._abi import FdbOp, Name, NameKey, NameKind, Port, PortFlag
from jackfield.reconcile.bonddevices import add_bond_devices, bond_devices
from jackfield.reconcile.flood import FloodPlanner
from jackfield.reconcile.ids import Ids
from jackfield.reconcile.memory import Memory
from jackfield.reconcile.observed import Observed, Pair
from jackfield.reconcile.presence import interface_owner, presence
from jackfield.reconcile.renewed import renewed
from jackfield.reconcile.steps import (
    Attach,
    ChangeFdb,
    DeleteDevice,
    Detach,
    Owner,
    Plan,
    SetPromiscuous,
    Step,
    Table,
    Write,
    ZeroCounters,
)
from jackfield.reconcile.target import Target, made_promiscuous, target
from jackfield.reconcile.wanted import Desired

_KINDS = {
    NameKind.BRIDGE: "Bridge",
    NameKind.PORT: "Port",
    NameKind.IFACE: "Interface",
    NameKind.BOND: "Port",
}
_WAY_OUT = PortFlag.BOND | PortFlag.LACP | PortFlag.GUARDED
"""What a port may change without a word about where addresses are."""


def plan_maps(desired: Desired, observed: Observed, memory: Memory | None = None) -> Plan:
    """What to do once devices are as `devices.plan_devices` wants them and have been observed again;
    `memory` is that of the pass before."""
    memory = memory or Memory()
    memory.presence = presence(desired, observed, memory.presence)
    wanted = memory.target = target(memory.presence, memory.target)
    add_bond_devices(wanted, desired, observed)
    return Plan(tuple(_Planner(desired, observed, wanted).steps()), tuple(wanted.problems.items()))


class _Planner:
    def __init__(self, desired: Desired, observed: Observed, wanted: Target) -> None:
        self._desired = desired
        self._observed = observed
        self._have = observed.tables
        self._want = wanted
        self._bridge_owners = _Owners(wanted.bridge_ids)
        self._port_owners = _Owners(wanted.port_ids)
        self._iface_owners = _Owners(wanted.iface_ids)
        self._bond_owners = _Owners(wanted.bond_ids)
        self._problems = wanted.problems
        self._unwanted = _unwanted_pairs(desired, observed)

    def steps(self) -> Iterator[Step]:
        flood = FloodPlanner(self._have)
        yield from self._cut_off()
        yield from self._prepare()
        ports = self._want.ports
        moved = {n for n in renewed(self._have.ports, ports) if self._leaves_bridge(n, ports[n].bridge)}
        if moved:
            kept = {key: tuple(p for p in ports if p not in moved) for key, ports in flood.current.items()}
            yield from flood.change(kept, self._bridge_owners, self._problems)
        yield from self._change_ports()
        yield from flood.change(self._want.floods, self._bridge_owners, self._problems)
        yield from self._let_in()
        yield from self._take_apart()

    def _leaves_bridge(self, number: int, bridge: int) -> bool:
        known = self._have.ports.get(number)
        return known is not None and known.bridge not in (0, bridge)

    def _cut_off(self) -> Iterator[Step]:
        """No frame enters any more by what is not wanted."""
        for ifindex, entry in self._have.ingress.items():
            if ifindex not in self._want.ingress:
                owner = self._iface_owners.get(entry.iface, Owner("Interface", f"id {entry.iface}"))
                words = f"let no more frames in from {self._device(ifindex)}"
                yield Write(owner, Table.INGRESS, ifindex, None, words)
        going = {pair.switch.ifindex for pair in self._unwanted.values()}
        for ifindex in sorted(self._observed.attached - self._want.attached.keys() - going):
            entry_there = self._have.ingress.get(ifindex)
            number = entry_there.iface if entry_there is not None else 0
            owner = self._iface_owners.get(number, Owner("Interface", self._device(ifindex)))
            yield Detach(owner, ifindex, self._device(ifindex))

    def _prepare(self) -> Iterator[Step]:
        """Names, bridges, and ports and interfaces that no frame can reach yet."""
        for ids, owners in self._all_ids():
            for number, name in ids.new().items():
                key = NameKey(int(ids.kind), number)
                yield Write(owners[number], Table.NAMES, key, Name(name), f"call id {number} {name}")
        new_bridges = self._want.bridge_ids.new()
        for number, bridge in self._want.bridges.items():
            owner = self._bridge_owners[number]
            if number in new_bridges:
                yield ZeroCounters(owner, number)
            flood = self._want.bridge_flood.get(number)
            flood_changed = flood != self._have.bridge_flood.get(number)
            if flood_changed and flood is not None:
                yield Write(
                    owner, Table.BRIDGE_FLOOD, number, flood, f"set the VLANs that {owner.name} only floods"
                )
            if bridge != self._have.bridges.get(number):
                yield Write(owner, Table.BRIDGES, number, bridge, f"configure bridge {owner.name}")
            if flood_changed and flood is None:
                yield Write(owner, Table.BRIDGE_FLOOD, number, None, f"let {owner.name} learn in every VLAN")
            if flood_changed and number not in new_bridges:
                yield ChangeFdb(owner, FdbOp.FLUSH_BRIDGE, number)
        for number in self._want.iface_ids.new():
            yield ZeroCounters(self._iface_owners[number], number)
        for number in self._want.port_ids.new():
            yield ZeroCounters(self._port_owners[number], number)
        for number in sorted(self._want.ports.keys() - self._have.ports.keys()):
            yield from self._port(number)
        for number in sorted(renewed(self._have.ifaces, self._want.ifaces)):
            iface = self._want.ifaces[number]
            if iface != self._have.ifaces.get(number):
                owner = self._iface_owners[number]
                yield Write(owner, Table.IFACES, number, iface, f"configure interface {owner.name}")
        for number, bond in self._want.bonds.items():
            if bond != self._have.bonds.get(number):
                owner = self._bond_owners[number]
                yield Write(owner, Table.BONDS, number, bond, f"configure bond {owner.name}")

    def _port(self, number: int) -> Iterator[Step]:
        owner = self._port_owners[number]
        vlans, port = self._want.port_vlans.get(number), self._want.ports[number]
        guard = self._want.guards.get(number)
        changed = vlans != self._have.port_vlans.get(number)
        guard_changed = guard != self._have.guards.get(number)
        if changed and vlans is not None:
            yield Write(owner, Table.PORT_VLANS, number, vlans, f"set the VLANs of port {owner.name}")
        if guard_changed and guard is not None:
            yield Write(owner, Table.GUARDS, number, guard, f"set the protections of port {owner.name}")
        if port != self._have.ports.get(number):
            yield Write(owner, Table.PORTS, number, port, f"configure port {owner.name}")
        if changed and vlans is None:
            yield Write(owner, Table.PORT_VLANS, number, None, f"drop the VLAN list of port {owner.name}")
        if guard_changed and guard is None:
            yield Write(owner, Table.GUARDS, number, None, f"drop the protections of port {owner.name}")

    def _change_ports(self) -> Iterator[Step]:
        """Ports that were there before. All that is known of addresses behind them, static entries
        too, is forgotten when settings change that matter for it, as in Open vSwitch."""
        want, have = self._want, self._have
        changed = {
            number
            for one, other in (
                (have.ports, want.ports),
                (have.port_vlans, want.port_vlans),
                (have.guards, want.guards),
            )
            for number in (*renewed(one, other), *(one.keys() - other.keys()))
        }
        for number in sorted(changed & want.ports.keys() & have.ports.keys()):
            before, port = have.ports[number], want.ports[number]
            yield from self._port(number)
            if 0 in (before.bridge, port.bridge):
                continue  # disabled or enabled again
            vlans_changed = self._want.port_vlans.get(number) != self._have.port_vlans.get(number)
            if vlans_changed or (before != port and _without_way_out(before) != _without_way_out(port)):
                yield ChangeFdb(self._port_owners[number], FdbOp.PURGE_PORT, number)

    def _let_in(self) -> Iterator[Step]:
        """Frames may enter by the interfaces that are ready."""
        want, have = self._want, self._have
        devices = want.attached.items() if self._desired.has_system else ()
        unpromiscuous = {
            ifindex
            for ifindex, here in devices
            if here.user is here.switch and here.user is not None and not here.user.promiscuous
        }
        ready = {*renewed(have.ingress, want.ingress), *(want.attached.keys() - self._observed.attached)}
        for ifindex in sorted(ready | unpromiscuous):
            here, entry = want.attached[ifindex], want.ingress[ifindex]
            owner, name = interface_owner(here.interface), self._device(ifindex)
            if entry != self._have.ingress.get(ifindex):
                yield Write(owner, Table.INGRESS, ifindex, entry, f"let frames in from {name}")
            if ifindex not in self._observed.attached:
                yield Attach(owner, ifindex, name)
            if ifindex in unpromiscuous:
                yield SetPromiscuous(owner, ifindex, name, True)

    def _take_apart(self) -> Iterator[Step]:
        """What nothing refers to any more."""
        want, have = self._want, self._have
        lost_bridges = (have.bridges.keys() | have.bridge_flood.keys()) - want.bridges.keys()
        for number in sorted(lost_bridges):
            yield ChangeFdb(self._bridge_owner(number), FdbOp.PURGE_BRIDGE, number)
        for number in sorted((have.ports.keys() | want.port_ids.known.keys()) - want.ports.keys()):
            owner = self._port_owners.get(number, Owner("Port", f"id {number}"))
            if number in have.ports:
                if have.ports[number].bridge not in lost_bridges:
                    yield ChangeFdb(owner, FdbOp.PURGE_PORT, number)
                yield Write(owner, Table.PORTS, number, None, f"remove port {owner.name}")
            if number in have.disabled:
                yield Write(
                    owner, Table.DISABLED, number, None, f"forget that port {owner.name} was disabled"
                )
            if number in have.port_vlans:
                yield Write(owner, Table.PORT_VLANS, number, None, f"drop the VLAN list of port {owner.name}")
            if number in have.guards:
                yield Write(owner, Table.GUARDS, number, None, f"drop the protections of port {owner.name}")
        for ifindex in sorted(made_promiscuous(self._observed) - want.attached.keys()):
            link = self._observed.links.get(ifindex)
            if link is not None and link.promiscuous:
                yield SetPromiscuous(Owner("Interface", link.name), ifindex, link.name, False)
        for number in sorted(have.ifaces.keys() - want.ifaces.keys()):
            owner = self._iface_owners.get(number, Owner("Interface", f"id {number}"))
            yield Write(owner, Table.IFACES, number, None, f"remove interface {owner.name}")
        for number in sorted(have.bonds.keys() - want.bonds.keys()):
            owner = self._bond_owners.get(number, Owner("Port", f"bond {number}"))
            yield Write(owner, Table.BONDS, number, None, f"remove bond {owner.name}")
        for number in sorted(lost_bridges):
            owner = self._bridge_owner(number)
            yield Write(owner, Table.BRIDGES, number, None, f"remove bridge {owner.name}")
            if number in have.bridge_flood:
                yield Write(
                    owner, Table.BRIDGE_FLOOD, number, None, f"drop the flooded VLANs of {owner.name}"
                )
        yield from self._delete_devices()
        for ids, owners in self._all_ids():
            for number, name in ids.retired().items():
                key = NameKey(int(ids.kind), number)
                yield Write(owners[number], Table.NAMES, key, None, f"forget that id {number} was {name}")

    def _bridge_owner(self, number: int) -> Owner:
        return self._bridge_owners.get(number, Owner("Bridge", f"id {number}"))

    def _delete_devices(self) -> Iterator[Step]:
        """Devices first, and then what is left of their attachments: the other way round, the kernel would
        wait for a grace period for each."""
        pairs = self._unwanted
        for name, pair in pairs.items():
            yield DeleteDevice(Owner("Interface", name), pair.switch.ifindex, name)
        for name, pair in pairs.items():
            if pair.switch.ifindex in self._observed.attached:
                yield Detach(Owner("Interface", name), pair.switch.ifindex, name)

    def _all_ids(self) -> tuple[tuple[Ids, Mapping[int, Owner]], ...]:
        return (
            (self._want.bridge_ids, self._bridge_owners),
            (self._want.port_ids, self._port_owners),
            (self._want.iface_ids, self._iface_owners),
            (self._want.bond_ids, self._bond_owners),
        )

    def _device(self, ifindex: int) -> str:
        link = self._observed.links.get(ifindex)
        return link.name if link is not None else f"device {ifindex}"


def _without_way_out(port: Port) -> Port:
    return port._replace(iface=0, iface_count=0, flags=port.flags & ~int(_WAY_OUT))


def _unwanted_pairs(desired: Desired, observed: Observed) -> dict[str, Pair]:
    """Pairs of ours for which the database has no internal interface, faulty or not, nor a bond."""
    kept = desired.internal | {device.name for _, device in bond_devices(desired)}
    return {name: pair for name, pair in observed.pairs.items() if name not in kept}


class _Owners(Mapping[int, Owner]):
    """The owners of numbers, each made when it is asked for: few are."""

    def __init__(self, ids: Ids) -> None:
        self._kind = _KINDS[ids.kind]
        self._names = ChainMap(ids.used, dict(ids.known))

    def __getitem__(self, number: int) -> Owner:
        return Owner(self._kind, self._names[number])

    def __iter__(self) -> Iterator[int]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
