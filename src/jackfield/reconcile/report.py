"""From what was wanted, what is there and what failed to an outcome. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jackfield.datapath import _abi
from jackfield.datapath._abi import NameKind
from jackfield.datapath.naming import stable_mac
from jackfield.net.netdev import Hardware
from jackfield.reconcile.bonddevices import bond_device_warnings
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
from jackfield.reconcile.presence import Present, addresses, bridge_macs, namespace_of, presence
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
) -> Outcome:
    """The result of a pass, `observed` being the kernel after it.

    `steps` are those that were done, `problems` say what cannot be had and why, `faults` what is wrong with
    things that are had; `hardware` tells of a system device by name.
    """
    writer = _Writer(observed, desired, problems, faults, hardware)
    bridges = tuple(map(writer.bridge, desired.bridges))
    interfaces = tuple(writer.interface(b, p, i) for b, p, i in desired.interfaces())
    by_name = {interface.name: interface for interface in interfaces}
    ports = tuple(writer.port(b, p, by_name) for b in desired.bridges for p in b.ports)
    objects = [
        *(_state("Bridge", bridge.name, bridge.error) for bridge in bridges),
        *(_port_state(port) for port in ports),
        *(_state("Interface", interface.name, interface.error) for interface in interfaces),
    ]
    return Outcome(
        bridges=bridges,
        ports=ports,
        interfaces=interfaces,
        objects=tuple(objects),
        warnings=(*desired.warnings, *bond_device_warnings(desired, observed)),
        steps=tuple(step.describe() for step in steps),
        notes=tuple(step.describe() for step in steps if step.notable),
        complete=not faults and not any(state.state is State.ERROR for state in objects),
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


class _Writer:
    def __init__(
        self,
        observed: Observed,
        desired: Desired,
        problems: Errors,
        faults: Errors,
        hardware: Callable[[str], Hardware],
    ) -> None:
        self._observed = observed
        self._problems = problems
        self._faults = faults
        self._hardware = hardware
        found, missing = presence(desired, observed)
        self._missing = missing
        self._found: dict[str, Present] = {here.interface.name: here for here in found}
        self._macs = addresses(desired, observed)
        self._bonds = observed.tables.bonds
        self._iface_names = {
            key.id: value.name for key, value in observed.tables.names.items() if key.kind == NameKind.IFACE
        }
        self._disabled = observed.tables.disabled
        self._port_names = {
            key.id: value.name for key, value in observed.tables.names.items() if key.kind == NameKind.PORT
        }
        self._ids = {(key.kind, value.name): key.id for key, value in observed.tables.names.items()}

    def bridge(self, bridge: WantedBridge) -> BridgeOutcome:
        error = bridge.error or self._problems.get(Owner("Bridge", bridge.name))
        if bridge.error is not None:
            return BridgeOutcome(bridge.name, bridge.uuid, bridge.config, error=error)
        mac = bridge_macs(bridge, self._macs).bridge
        identity = int.from_bytes(mac) if bridge.datapath_id is None else bridge.datapath_id
        return BridgeOutcome(
            name=bridge.name,
            uuid=bridge.uuid,
            config=bridge.config,
            id=self._ids.get((NameKind.BRIDGE, bridge.name), 0),
            mac=mac.hex(":"),
            datapath_id=f"{identity:016x}",
            error=error,
        )

    def port(
        self, bridge: WantedBridge, port: WantedPort, interfaces: Mapping[str, InterfaceOutcome]
    ) -> PortOutcome:
        mine = [interfaces[interface.name] for interface in port.interfaces]
        first = next((each for each in mine if each.ofport >= 0), None)
        error = port.error or self._problems.get(Owner("Port", port.name))
        if error is None and first is None and mine:
            error = mine[0].error
        bond_id = self._ids.get((NameKind.BOND, port.name), 0)
        bond = self._bonds.get(bond_id)
        return PortOutcome(
            name=port.name,
            uuid=port.uuid,
            bridge=bridge.name,
            config=port.config,
            interfaces=tuple(interface.name for interface in port.interfaces),
            id=self._ids.get((NameKind.PORT, port.name), 0) if error is None else 0,
            ofport=first.ofport if first is not None else -1,
            bond=port.bond,
            lacp=port.lacp,
            bond_id=bond_id,
            members=tuple(self._iface_names.get(each, "") for each in bond.members) if bond else (),
            loops=port.loops,
            disabled=self._disabling(self._ids.get((NameKind.PORT, port.name), 0)),
            error=error,
        )

    def _disabling(self, port_id: int) -> Disabled | None:
        record = self._disabled.get(port_id)
        if record is None:
            return None
        by = _DISABLED_BY.get(_abi.DisabledBy(record.by), DisabledBy.LOOP)
        return Disabled(by, record.since_ns / 1e9, self._port_names.get(record.other))

    def interface(
        self, bridge: WantedBridge, port: WantedPort, interface: WantedInterface
    ) -> InterfaceOutcome:
        name, owner = interface.name, Owner("Interface", interface.name)
        error = (
            interface.error
            or self._problems.get(owner)
            or self._problems.get(Owner("Port", port.name))
            or self._bridge_problem(bridge)
            or self._missing.get(owner)
        )
        here = self._found.get(name)
        if error is not None or here is None:
            place = interface.place
            waits = place is not None and namespace_of(place, self._observed) is None
            return InterfaceOutcome(
                name, interface.uuid, bridge.name, port.name, interface.type, waits=waits, error=error
            )
        return InterfaceOutcome(
            name,
            interface.uuid,
            bridge.name,
            port.name,
            interface.type,
            ofport=interface.ofport,
            id=self._ids.get((NameKind.IFACE, name), 0),
            nsid=here.nsid,
            switch_ifindex=None if here.switch is None else here.switch.ifindex,
            lacp=interface.lacp,
            error=self._faults.get(owner, interface.fault) or _kind_fault(here),
            **self._device(name, here),
        )

    def _bridge_problem(self, bridge: WantedBridge) -> str | None:
        """Why there is no bridge; what is wrong with one that there is does not take its ports away."""
        there = (NameKind.BRIDGE, bridge.name) in self._ids
        return None if there else self._problems.get(Owner("Bridge", bridge.name))

    def _device(self, name: str, here: Present) -> dict[str, Any]:
        """The fields of an InterfaceOutcome that tell of the device."""
        user = here.user
        if here.switch is None:
            mac = stable_mac(self._observed.instance, name).hex(":")
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
        if here.interface.kind is Kind.INTERNAL:
            return fields | {"status": {"driver_name": _DRIVER}}
        told = self._hardware(user.name)
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


def _kind_fault(here: Present) -> str | None:
    """That an internal port is not made of what it is to be made of: changing that would take away its
    device, with its addresses and wherever it was moved to."""
    asked = [kind.value for kind in here.interface.device_kinds]
    if not asked or here.switch is None or here.switch.kind in asked:
        return None
    name = here.interface.name
    return (
        f"{name} is a {here.switch.kind} pair, not {asked[0]} as other_config:device-kind says "
        "(remove the port and add it again to change that)"
    )
