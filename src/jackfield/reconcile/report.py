"""From what was wanted, what is there and what failed to an outcome. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from jackfield.datapath import _abi
from jackfield.datapath._abi import NameKind
from jackfield.datapath.naming import stable_mac
from jackfield.net.link import Link
from jackfield.net.netdev import Hardware
from jackfield.reconcile.bonddevices import bond_device_warnings
from jackfield.reconcile.ids import Names, read_names
from jackfield.reconcile.memory import Memory
from jackfield.reconcile.observed import Observed
from jackfield.reconcile.outcome import (
    BridgeOutcome,
    Disabled,
    DisabledBy,
    InterfaceOutcome,
    ObjectState,
    Outcome,
    PortOutcome,
    State,
)
from jackfield.reconcile.presence import Presence, Present, Sight, bridge_macs, namespace_of, presence
from jackfield.reconcile.renewed import renewed
from jackfield.reconcile.steps import Owner, Step
from jackfield.reconcile.wanted import Desired, Kind, WantedBridge, WantedInterface, WantedPort

_MEGA = 1_000_000
_DRIVER = "jackfield"

Errors = Mapping[Owner, str]


def outcome(
    desired: Desired,
    observed: Observed,
    problems: Errors,
    faults: Errors,
    steps: Sequence[Step],
    hardware: Callable[[str], Hardware],
    memory: Memory | None = None,
) -> Outcome:
    """The result of a pass, `observed` being the kernel after it.

    `steps` are those that were done, `problems` say what cannot be had and why, `faults` what is wrong with
    things that are had; `hardware` tells of a system device by name. With the `memory` of the call before,
    what is told of ports and interfaces that are as they were then is what that call told: the same objects.
    """
    memory = memory or Memory()
    there = memory.presence = presence(desired, observed, memory.presence)
    writer = _Writer(there, problems, faults, hardware, memory.account)
    account = memory.account = writer.account
    bridges = tuple(map(writer.bridge, desired.bridges))
    states = [_state("Bridge", bridge.name, bridge.error) for bridge in bridges]
    return Outcome(
        bridges=bridges,
        ports=account.all.ports,
        interfaces=account.all.interfaces,
        objects=(*states, *account.all.states),
        warnings=(*desired.warnings, *bond_device_warnings(desired, observed)),
        steps=tuple(step.describe() for step in steps),
        notes=tuple(step.describe() for step in steps if step.notable),
        complete=not (faults or account.all.error or any(each.state is State.ERROR for each in states)),
        vlan_limit=desired.vlan_limit,
        stats_interval_ms=desired.stats_interval_ms,
    )


def _state(kind: str, name: str, error: str | None) -> ObjectState:
    if error is None:
        return ObjectState(kind, name, State.OK)
    # What waits for a device that may still come is not wrong.
    return ObjectState(kind, name, State.PENDING if "(No such device)" in error else State.ERROR, error)


def _port_state(port: PortOutcome) -> ObjectState:
    if port.disabled is None or port.error is not None:
        return _state("Port", port.name, port.error)
    return ObjectState("Port", port.name, State.DISABLED, disabled_text(port.name, port.disabled))


def disabled_text(port: str, disabled: Disabled) -> str:
    """Why a port carries no frames, and what to do about it, in a sentence."""
    if disabled.by is DisabledBy.BPDU_GUARD:
        why = "a BPDU came in, which bpdu-guard forbids"
    elif disabled.other in (None, port):
        why = "a loop: what is sent out of it comes back in"
    else:
        why = f"a loop with port {disabled.other}"
    return f"disabled because of {why}; `jackfield port enable {port}` lets it carry frames again"


_DISABLED_BY = {
    _abi.DisabledBy.LOOP: DisabledBy.LOOP,
    _abi.DisabledBy.BPDU: DisabledBy.BPDU_GUARD,
}


def _of(kind: str, errors: Errors) -> Mapping[str, str]:
    """Those of one kind of object, by name."""
    return {owner.name: text for owner, text in errors.items() if owner.kind == kind}


class Told(NamedTuple):
    """What is told of a port and of its interfaces, and of what it was made. What is `lasting` depends on
    nothing but what there is of the port: of system devices and bonds more is to be known."""

    made_of: tuple[WantedPort, _PortFacts, Sequence[_Facts]]
    lasting: bool
    port: PortOutcome
    state: ObjectState
    interfaces: tuple[InterfaceOutcome, ...]
    states: tuple[ObjectState, ...]


class All(NamedTuple):
    """What is told of all ports and interfaces, and whether there is an error among them."""

    ports: tuple[PortOutcome, ...]
    interfaces: tuple[InterfaceOutcome, ...]
    states: tuple[ObjectState, ...]
    error: bool


class Account(NamedTuple):
    """What is told of all ports, by key and as a whole, and of what it was made."""

    there: Presence
    names: Names
    problems: Errors
    faults: Errors
    disabled: Collection[int]
    ports: Mapping[str, Told]
    all: All


class _PortFacts(NamedTuple):
    """How it stands with a port. `members` are the names of a bond's interfaces by place."""

    error: str | None
    id: int
    bond_id: int
    members: tuple[str, ...]
    disabled: Disabled | None


class _Facts(NamedTuple):
    """How it stands with an interface: whether it is there, why it cannot be had and whether it may yet come,
    or its devices, its number, what is wrong with it, and what is known of a system device."""

    there: bool
    error: str | None = None
    waits: bool = False
    switch: Link | None = None
    user: Link | None = None
    nsid: int | None = None
    id: int = 0
    fault: str | None = None
    hardware: Hardware | None = None


def _told(instance: str, port: WantedPort, own: _PortFacts, facts: Sequence[_Facts]) -> Told:
    pairs = zip(port.interfaces, facts, strict=True)
    interfaces = tuple(_interface_outcome(instance, port, each, has) for each, has in pairs)
    first = next((each for each in interfaces if each.ofport >= 0), None)
    error = own.error
    if error is None and first is None and interfaces:
        error = interfaces[0].error
    outcome = PortOutcome(
        name=port.name,
        uuid=port.uuid,
        bridge=port.bridge,
        config=port.config,
        interfaces=tuple(interface.name for interface in port.interfaces),
        id=own.id if error is None else 0,
        ofport=first.ofport if first is not None else -1,
        bond=port.bond,
        lacp=port.lacp,
        bond_id=own.bond_id,
        members=own.members,
        loops=port.loops,
        disabled=own.disabled,
        error=error,
    )
    states = tuple(_state("Interface", each.name, each.error) for each in interfaces)
    lasting = port.bond is None and all(each.hardware is None for each in facts)
    return Told((port, own, facts), lasting, outcome, _port_state(outcome), interfaces, states)


def _interface_outcome(
    instance: str, port: WantedPort, interface: WantedInterface, facts: _Facts
) -> InterfaceOutcome:
    named = InterfaceOutcome(interface.name, interface.uuid, port.bridge, port.name, interface.type)
    if not facts.there:
        return replace(named, waits=facts.waits, error=facts.error)
    return replace(
        named,
        ofport=interface.ofport,
        id=facts.id,
        nsid=facts.nsid,
        switch_ifindex=None if facts.switch is None else facts.switch.ifindex,
        lacp=interface.lacp,
        error=facts.fault or _kind_fault(interface, facts.switch),
        **_device(instance, interface, facts),
    )


def _device(instance: str, interface: WantedInterface, facts: _Facts) -> dict[str, Any]:
    """The fields of an InterfaceOutcome that tell of the device."""
    user, told = facts.user, facts.hardware
    if facts.switch is None:
        mac = stable_mac(instance, interface.name).hex(":")
        return {"ifindex": 0, "mac_in_use": mac, "admin_state": "up", "link_state": "up"}
    if user is None:
        return {}
    fields: dict[str, Any] = {
        "ifindex": user.ifindex,
        "mac_in_use": user.mac.hex(":"),
        "mtu": user.mtu,
        "admin_state": "up" if user.up else "down",
        "link_state": "up" if user.carrier else "down",
    }
    if interface.kind is Kind.INTERNAL:
        return fields | {"status": {"driver_name": _DRIVER}}
    if told is None:
        return fields
    status = {
        "driver_name": told.driver,
        "driver_version": told.driver_version,
        "firmware_version": told.firmware_version,
    }
    return fields | {
        "link_speed": told.speed * _MEGA or None,
        "duplex": told.duplex or None,
        "status": status if told.driver else {},
    }


def _kind_fault(interface: WantedInterface, switch: Link | None) -> str | None:
    """That an internal port is not made of what it is to be made of: changing that would take away its
    device, with its addresses and wherever it was moved to."""
    asked = [kind.value for kind in interface.device_kinds]
    if not asked or switch is None or switch.kind in asked:
        return None
    return (
        f"{interface.name} is a {switch.kind} pair, not {asked[0]} as other_config:device-kind says "
        "(remove the port and add it again to change that)"
    )


class _Writer:
    def __init__(
        self,
        there: Presence,
        problems: Errors,
        faults: Errors,
        hardware: Callable[[str], Hardware],
        before: Account | None,
    ) -> None:
        tables = there.observed.tables
        self._there = there
        self._hardware = hardware
        self._bridge_problems = _of("Bridge", problems)
        self._port_problems = _of("Port", problems)
        self._interface_problems = _of("Interface", problems)
        self._faults = _of("Interface", faults)
        self._bonds = tables.bonds
        self._disabled = tables.disabled
        names = read_names(tables.names, before.names if before is not None else None)
        self._names, self._numbers = names.of, names.numbers
        disabled = frozenset(self._disabled)
        known = before.ports if before is not None else {}
        anew = _anew(there, names, problems, faults, disabled, before)
        told = {
            key: self._port(sight, known.get(key)) if key in anew else known[key]
            for key, sight in there.ports.items()
        }
        same = before is not None and len(known) == len(told) and not renewed(known, told)
        whole = before.all if before is not None and same else _all(told.values())
        self.account = Account(there, names, dict(problems), faults, disabled, told, whole)

    def bridge(self, bridge: WantedBridge) -> BridgeOutcome:
        error = bridge.error or self._bridge_problems.get(bridge.name)
        if bridge.error is not None:
            return BridgeOutcome(bridge.name, bridge.uuid, bridge.config, error=error)
        mac = bridge_macs(bridge, self._there).bridge
        identity = int.from_bytes(mac) if bridge.datapath_id is None else bridge.datapath_id
        return BridgeOutcome(
            name=bridge.name,
            uuid=bridge.uuid,
            config=bridge.config,
            id=self._numbers[NameKind.BRIDGE].get(bridge.name, 0),
            mac=mac.hex(":"),
            datapath_id=f"{identity:016x}",
            error=error,
        )

    def _port(self, sight: Sight, known: Told | None) -> Told:
        port, numbers = sight.port, self._numbers
        bond_id = numbers[NameKind.BOND].get(port.name, 0)
        port_id = numbers[NameKind.PORT].get(port.name, 0)
        own = _PortFacts(
            port.error or self._port_problems.get(port.name),
            port_id,
            bond_id,
            self._members(bond_id) if bond_id else (),
            self._disabling(port_id),
        )
        found = {here.interface.name: here for here in sight.present}
        facts = [self._facts(sight, each, found.get(each.name)) for each in port.interfaces]
        if known is not None and known.made_of == (port, own, facts):
            return known
        return _told(self._there.observed.instance, port, own, facts)

    def _members(self, bond_id: int) -> tuple[str, ...]:
        bond, names = self._bonds.get(bond_id), self._names[NameKind.IFACE]
        return tuple(names.get(each, "") for each in bond.members) if bond else ()

    def _disabling(self, port_id: int) -> Disabled | None:
        record = self._disabled.get(port_id)
        if record is None:
            return None
        by = _DISABLED_BY.get(_abi.DisabledBy(record.by), DisabledBy.LOOP)
        return Disabled(by, record.since_ns / 1e9, self._names[NameKind.PORT].get(record.other))

    def _facts(self, sight: Sight, interface: WantedInterface, here: Present | None) -> _Facts:
        name, port = interface.name, sight.port
        error = (
            interface.error
            or self._interface_problems.get(name)
            or self._port_problems.get(port.name)
            or self._bridge_problem(port.bridge)
            or sight.missing.get(name)
        )
        if error is not None or here is None:
            place = interface.place
            waits = place is not None and namespace_of(place, self._there.observed) is None
            return _Facts(False, error, waits)
        number = self._numbers[NameKind.IFACE].get(name, 0)
        fault = self._faults.get(name, interface.fault)
        system = interface.kind is Kind.SYSTEM and here.user is not None
        hardware = self._hardware(name) if system else None
        return _Facts(True, None, False, here.switch, here.user, here.nsid, number, fault, hardware)

    def _bridge_problem(self, name: str) -> str | None:
        """Why there is no bridge; what is wrong with one that there is does not take its ports away."""
        known = self._numbers[NameKind.BRIDGE]
        return None if name in known else self._bridge_problems.get(name)


def _all(told: Collection[Told]) -> All:
    states = (*[each.state for each in told], *[state for each in told for state in each.states])
    return All(
        tuple([each.port for each in told]),
        tuple([interface for each in told for interface in each.interfaces]),
        states,
        any(state.state is State.ERROR for state in states),
    )


def _anew(
    there: Presence,
    names: Names,
    problems: Errors,
    faults: Errors,
    disabled: Collection[int],
    before: Account | None,
) -> Collection[str]:
    """The ports of which something else may be to be told than before."""
    desired = there.desired
    if before is None:
        return desired.ports.keys()
    anew = set(renewed(before.there.ports, there.ports))
    anew.update([key for key, told in before.ports.items() if not told.lasting])
    odd = {owner.name for owner, _ in problems.items() ^ before.problems.items()}
    odd |= {owner.name for owner, _ in faults.items() ^ before.faults.items()}
    odd |= {names.of[NameKind.PORT].get(number, "") for number in {*disabled, *before.disabled}}
    odd |= names.changed
    if odd:
        anew.update([key for key, port in desired.ports.items() if port.name in odd or port.bridge in odd])
        anew.update([port.key for name, port in desired.port_of.items() if name in odd])
    return anew
