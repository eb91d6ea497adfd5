"""Devices that bear the names of bonds (Port.bond_fake_iface), for software that wants one, such as ifupdown.

As with Open vSwitch such a device belongs to no port: what is sent by it is dropped, and nothing comes in.
It is an internal pair of devices like any other, but for that. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from jackfield.datapath._abi import Iface, IfaceKind, Ingress
from jackfield.reconcile.observed import Observed
from jackfield.reconcile.outcome import Warning
from jackfield.reconcile.presence import Present, internal_problem
from jackfield.reconcile.target import Target
from jackfield.reconcile.wanted import Desired, Kind, WantedBridge, WantedInterface, WantedPort

BondDevice = tuple[WantedBridge, WantedPort, WantedInterface]


def bond_devices(desired: Desired) -> Iterator[BondDevice]:
    """The devices that are wanted, with their bonds and bridges. An interface keeps its name for itself."""
    asked = [
        (bridge, port)
        for bridge in desired.bridges
        for port in bridge.ports
        if port.device and port.bond is not None and port.error is None
    ]
    taken = {interface.name for _, _, interface in desired.interfaces()} if asked else ()
    for bridge, port in asked:
        if port.name not in taken:
            interface = WantedInterface(port.name, None, Kind.INTERNAL.value, Kind.INTERNAL, ofport=-1)
            yield bridge, port, interface


def add_bond_devices(target: Target, desired: Desired, observed: Observed) -> None:
    """Have the data plane drop what is sent to those that are there."""
    for bridge, port, interface in bond_devices(desired):
        pair = observed.pairs.get(interface.name)
        number = target.iface_ids.take(interface.name) if pair is not None else None
        if pair is not None and number is not None:
            ifindex = pair.switch.ifindex
            target.ifaces[number] = Iface(ifindex=ifindex, mtu=pair.switch.mtu, kind=int(IfaceKind.DEVICE))
            target.ingress[ifindex] = Ingress(number, 0, 0)
            target.attached[ifindex] = Present(bridge, port, interface, pair.switch, pair.user, pair.nsid)


def bond_device_warnings(desired: Desired, observed: Observed) -> Iterator[Warning]:
    """Which devices cannot be had, and why."""
    for _, port, interface in bond_devices(desired):
        if interface.name not in observed.pairs:
            yield Warning("Port", port.name, f"bond_fake_iface: {internal_problem(interface, observed)}")
