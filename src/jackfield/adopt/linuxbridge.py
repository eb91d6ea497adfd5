"""A Linux bridge and its ports: as it was, off it, and on it again."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from jackfield.adopt.equivalents import bridge_problems, port_problems
from jackfield.adopt.host import Host
from jackfield.client.errors import Failure
from jackfield.net import bridge as lb
from jackfield.net.bridge import BridgePort, BridgeSettings, read_bridge, restore_port, set_master
from jackfield.net.errors import KernelError
from jackfield.net.neighbours import NOARP, Neighbour, list_forwarding, replace_neighbour


@dataclass(frozen=True, slots=True)
class LinuxBridge:
    """A Linux bridge as it was."""

    name: str
    ifindex: int
    settings: BridgeSettings
    ports: tuple[BridgePort, ...]
    static: tuple[Neighbour, ...]  # forwarding entries that somebody made

    @property
    def filtering(self) -> bool:
        """Whether it knows VLANs."""
        return bool(self.settings.number(lb.VLAN_FILTERING))

    @property
    def temporary_name(self) -> str:
        """What it is called while a bridge of the switch has its name."""
        return f"jfold{self.ifindex}"

    def port_name(self, ifindex: int) -> str:
        """The name of one of its ports."""
        return next(port.name for port in self.ports if port.ifindex == ifindex)


def read(host: Host, name: str) -> LinuxBridge:
    """A bridge as it is. Raises Failure, KernelError."""
    link = host.link(name)
    if link.kind != "bridge":
        raise Failure(
            f"{name}: it is not a Linux bridge; `ip link show type bridge` lists those that are there"
        )
    settings, ports = read_bridge(host.netlink, link.ifindex)
    numbers = {port.ifindex for port in ports}
    static = tuple(
        each
        for each in list_forwarding(host.netlink)
        if each.state & NOARP and each.ifindex in numbers and each.bridge == link.ifindex
    )
    return LinuxBridge(name, link.ifindex, settings, ports, static)


def check(bridge: LinuxBridge) -> None:
    """Raises Failure that names everything that the switch has no equivalent for."""
    found = [f"{bridge.name} has {problem}" for problem in bridge_problems(bridge.settings)]
    for port in bridge.ports:
        found += [f"{port.name} has {problem}" for problem in port_problems(port, bridge.filtering)]
    if found:
        raise Failure(
            f"{bridge.name}: the switch has no equivalent for some of its settings: {'; '.join(found)}. "
            "Change them first."
        )


def name_now(host: Host, bridge: LinuxBridge) -> str:
    """What it is called at present. Raises Failure when it is gone."""
    link = host.devices.get_link(bridge.ifindex)
    if link is None:
        raise Failure(f"{bridge.name}: the Linux bridge is gone, so it cannot be put back")
    return link.name


def rename(host: Host, ifindex: int, name: str) -> bool:
    """Whether the bridge had to be down for a moment, and so has lost its routes (before Linux 6.2).

    Raises KernelError.
    """
    try:
        host.devices.rename(ifindex, name)
    except KernelError as error:
        if error.errno != errno.EBUSY:
            raise
        host.devices.set_up(ifindex, False)
        try:
            host.devices.rename(ifindex, name)
        finally:
            host.devices.set_up(ifindex, True)
        return True
    return False


def let_go(host: Host, bridge: LinuxBridge) -> None:
    """Take all ports off it. Raises KernelError."""
    for port in bridge.ports:
        set_master(host.netlink, port.ifindex, 0)


def take_back(host: Host, bridge: LinuxBridge) -> None:
    """Put its ports on it again, as they were; those that are there are left alone. Raises KernelError."""
    for port in bridge.ports:
        link = host.devices.get_link(port.ifindex)
        if link is not None and link.master != bridge.ifindex:
            set_master(host.netlink, port.ifindex, bridge.ifindex)
    for port in bridge.ports:
        if host.devices.get_link(port.ifindex) is not None:
            restore_port(host.netlink, port)
    for entry in bridge.static:
        if host.devices.get_link(entry.ifindex) is not None:
            replace_neighbour(host.netlink, entry)


def rename_back(host: Host, bridge: LinuxBridge) -> None:
    """Give it the name that it had. Raises Failure, KernelError."""
    if name_now(host, bridge) != bridge.name:
        rename(host, bridge.ifindex, bridge.name)
