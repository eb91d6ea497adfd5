"""The status columns of bonds and LACP (ovs-vswitchd.conf.db(5), Port and Interface, "Status"): pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jackfield.reconcile.outcome import Outcome
from jackfield.switchd.bonds.port import BondPort
from jackfield.switchd.status import Update

NOBODY = "00:00:00:00:00:00"


def columns(outcome: Outcome, ports: Mapping[str, BondPort]) -> Iterator[Update]:
    """Port.bond_active_slave of bonds, and Interface.lacp_current of interfaces with LACP. The others' are
    empty: see `switchd.status.status_updates`."""
    current: dict[str, bool] = {}
    for port in outcome.ports:
        found = ports.get(port.name)
        if found is not None and found.lacp is not None:
            current |= {name: found.lacp.is_current(name) for name in found.lacp.links}
        if port.uuid is not None and port.bond is not None:
            yield Update("Port", port.uuid, {"bond_active_slave": _active(found)})
    for interface in outcome.interfaces:
        if interface.uuid is not None and interface.lacp is not None:
            yield Update("Interface", interface.uuid, {"lacp_current": current.get(interface.name)})


def _active(port: BondPort | None) -> str | None:
    """The address of the active member, by which it is known again."""
    if port is None or port.members is None:
        return None
    active = port.members.active
    member = port.member(active) if active is not None else None
    return member.mac.hex(":") if member is not None else NOBODY
