"""What bonds and LACP need to know of an outcome: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from jackfield.model.bonding import BondSettings
from jackfield.model.config import PortConfig
from jackfield.model.lacp import LacpSettings, LinkSettings
from jackfield.reconcile.outcome import InterfaceOutcome, Outcome, PortOutcome, Warning


@dataclass(frozen=True, slots=True)
class MemberView:
    """A device of a port. `index` is its place in the bond, `up` its link when it was last looked at."""

    name: str
    uuid: str | None
    index: int
    iface: int
    ifindex: int
    mac: bytes
    up: bool
    link: LinkSettings


@dataclass(frozen=True, slots=True)
class PortView:
    """A port that is a bond, or has LACP, or both. `bond` is its number in the data plane, 0 for none."""

    name: str
    uuid: str | None
    bridge: int
    port: int
    bond: int
    config: PortConfig
    settings: BondSettings | None
    lacp: LacpSettings | None
    members: tuple[MemberView, ...]


def views(outcome: Outcome, carrier: Mapping[int, bool]) -> Iterator[PortView]:
    """The ports that are there and concern this room. `carrier` is what was heard of devices meanwhile."""
    concerned = [port for port in outcome.ports if port.bond_id or port.lacp]
    if not concerned:
        return
    bridges = {bridge.name: bridge for bridge in outcome.bridges if bridge.id}
    interfaces = {interface.name: interface for interface in outcome.interfaces if interface.ofport >= 0}
    for port in concerned:
        bridge = bridges.get(port.bridge)
        if bridge is None or not port.id:
            continue
        lacp = port.lacp
        if lacp is not None and not any(lacp.system):
            address = _mac(bridge.mac)
            lacp = replace(lacp, system=address) if any(address) else None
        yield PortView(
            name=port.name,
            uuid=port.uuid,
            bridge=bridge.id,
            port=port.id,
            bond=port.bond_id or 0,
            config=port.config,
            settings=port.bond if port.bond_id else None,
            lacp=lacp,
            members=tuple(_members(port, interfaces, carrier)),
        )


def _members(
    port: PortOutcome, interfaces: Mapping[str, InterfaceOutcome], carrier: Mapping[int, bool]
) -> Iterator[MemberView]:
    names = port.members if port.bond_id else port.interfaces
    for index, name in enumerate(names):
        interface = interfaces.get(name)
        if interface is not None and interface.id and interface.switch_ifindex:
            yield MemberView(
                name=name,
                uuid=interface.uuid,
                index=index,
                iface=interface.id,
                ifindex=interface.switch_ifindex,
                mac=_mac(interface.mac_in_use),
                up=carrier.get(interface.switch_ifindex, interface.link_state == "up"),
                link=interface.lacp or LinkSettings(interface.ofport),
            )


def judged(outcome: Outcome) -> Outcome:
    """The same, with warnings about bonds whose members differ."""
    found = tuple(_mismatches(outcome))
    return replace(outcome, warnings=outcome.warnings + found) if found else outcome


def _mismatches(outcome: Outcome) -> Iterator[Warning]:
    """Bonds whose members differ in what should be the same."""
    bonds = [port for port in outcome.ports if len(port.interfaces) > 1]
    if not bonds:
        return
    interfaces = {interface.name: interface for interface in outcome.interfaces if interface.ofport >= 0}
    for port in bonds:
        members = [interfaces[name] for name in port.interfaces if name in interfaces]
        if len(members) < 2:
            continue
        if len({member.mtu for member in members}) > 1:
            told = ", ".join(f"{member.name} {member.mtu}" for member in members)
            text = f"the members have different MTUs ({told}): large frames pass by some of them only"
            yield Warning("Port", port.name, text)
        speeds = [member for member in members if member.link_speed]
        if len({member.link_speed for member in speeds}) > 1:
            told = ", ".join(f"{each.name} {(each.link_speed or 0) // 1_000_000} Mb/s" for each in speeds)
            yield Warning("Port", port.name, f"the members have different speeds ({told})")


def _mac(text: str | None) -> bytes:
    return bytes.fromhex(text.replace(":", "")) if text else bytes(6)
