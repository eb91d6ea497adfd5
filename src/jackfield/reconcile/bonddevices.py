"""Devices that bear the names of bonds (Port.bond_fake_iface), for software that wants one, such as ifupdown.

As with Open vSwitch such a device belongs to no port: what is sent by it is dropped, and nothing comes in.
It is an internal pair of devices like any other, but for that. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from jackfield.datapath._abi import Iface, IfaceKind
from jackfield.reconcile.observed import Observed
from jackfield.reconcile.outcome import Warning
from jackfield.reconcile.presence import Present, internal_problem
from jackfield.reconcile.target import Target
from jackfield.reconcile.wanted import Desired, Kind, WantedInterface, WantedPort

BondDevice = tuple[WantedPort, WantedInterface]


def bond_devices(desired: Desired) -> list[BondDevice]:
    """The devices that are wanted, with their bonds. An interface keeps its name for itself."""
    return [
        (port, WantedInterface(port.name, None, Kind.INTERNAL.value, Kind.INTERNAL, ofport=-1))
        for port in desired.with_devices
        if port.name not in desired.port_of
    ]


def add_bond_devices(target: Target, desired: Desired, observed: Observed) -> None:
    """Have the data plane drop what is sent to those that are there."""
    for port, interface in bond_devices(desired):
        pair = observed.pairs.get(interface.name)
        number = target.iface_ids.take(interface.name) if pair is not None else None
        if pair is not None and number is not None:
            here = Present(port, interface, pair.switch, pair.user, pair.nsid)
            record = Iface(ifindex=pair.switch.ifindex, mtu=pair.switch.mtu, kind=int(IfaceKind.DEVICE))
            target.add_device(number, here, record)


def bond_device_warnings(desired: Desired, observed: Observed) -> Iterator[Warning]:
    """Which devices cannot be had, and why."""
    for port, interface in bond_devices(desired):
        if interface.name not in observed.pairs:
            yield Warning("Port", port.name, f"bond_fake_iface: {internal_problem(interface, observed)}")
