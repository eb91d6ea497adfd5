"""Which wanted interfaces have their device, and what they make of bridge MACs and MTUs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from jackfield.datapath.naming import stable_mac
from jackfield.net.link import Link
from jackfield.reconcile.observed import Observed
from jackfield.reconcile.steps import Owner
from jackfield.reconcile.wanted import Desired, Kind, Place, WantedBridge, WantedInterface, WantedPort

DEFAULT_MTU = 1500
_ARPHRD_ETHER = 1
_RESERVED = frozenset(bytes.fromhex(mac) for mac in ("00e02b000000", "00e02b000004", "00e02b000006"))
"""Unicast addresses with a meaning of their own (Extreme's EDP and EAPS), never taken for a bridge."""


class Present(NamedTuple):
    """An interface that can take part. `switch` is the device the switch sends to, `user` the one that its
    user sees (the same for a system interface); both are None for a patch. `nsid` is where `user` is."""

    bridge: WantedBridge
    port: WantedPort
    interface: WantedInterface
    switch: Link | None = None
    user: Link | None = None
    nsid: int | None = None


def interface_owner(interface: WantedInterface) -> Owner:
    """The owner of steps that serve an interface."""
    return Owner("Interface", interface.name)


def presence(desired: Desired, observed: Observed) -> tuple[list[Present], dict[Owner, str]]:
    """The interfaces that are there, and why the others are not."""
    found: list[Present] = []
    problems: dict[Owner, str] = {}
    users: dict[int, str] = {}
    for bridge, port, interface in desired.interfaces():
        if interface.error is not None:
            continue
        if interface.kind is Kind.PATCH:
            found.append(Present(bridge, port, interface))
        elif interface.kind is Kind.INTERNAL:
            pair = observed.pairs.get(interface.name)
            if pair is None:
                problems[interface_owner(interface)] = internal_problem(interface, observed)
            else:
                found.append(Present(bridge, port, interface, pair.switch, pair.user, pair.nsid))
        else:
            link = observed.by_name.get(interface.name)
            problem = _system_problem(interface.name, link, observed)
            if link is None or problem is not None:
                problems[interface_owner(interface)] = problem or ""
            else:
                users[link.ifindex] = interface.name
                found.append(Present(bridge, port, interface, link, link))
    return found, problems


def internal_problem(interface: WantedInterface, observed: Observed) -> str:
    """Why an internal interface without a pair of ours does not have one."""
    if interface.place is not None:
        return _place_problem(interface.name, interface.place, observed)
    if interface.name in observed.by_name:
        return f"could not open network device {interface.name} (it exists and is not the switch's)"
    return f"could not open network device {interface.name} (No such device)"


def namespace_of(place: Place, observed: Observed) -> int | None:
    """The inode number of the namespace that an internal port is to be made in, None when it is not there."""
    inode = observed.namespaces.get(place.netns)
    return inode if place.netns_id in (None, inode) else None


def _place_problem(name: str, place: Place, observed: Observed) -> str:
    what = f"could not open network device {name}"
    if namespace_of(place, observed) is not None:
        return f"{what} (No such device)"
    if place.netns in observed.namespaces:
        return (
            f"{what} ({place.netns} is not the network namespace {place.netns_id} any more) (No such device)"
        )
    return f"{what} (there is no network namespace {place.netns}) (No such device)"


def _system_problem(name: str, link: Link | None, observed: Observed) -> str | None:
    if link is None or link.ifindex in observed.own:
        return f"could not open network device {name} (No such device)"
    what = f"could not add network device {name} to ofproto"
    if link.loopback or link.arp_type != _ARPHRD_ETHER:
        return f"{what} (Invalid argument: it is not an Ethernet device)"
    if link.master and link.slave_kind != "vrf":
        master = observed.links.get(link.master)
        holder = f"{link.slave_kind or 'device'} {master.name if master else link.master}"
        return f"{what} (Device or resource busy: it belongs to {holder})"
    return None


def addresses(desired: Desired, observed: Observed) -> dict[str, bytes]:
    """The MAC of every interface that has or is about to have a device, but for those that follow others:
    the ports of bridges and of fake bridges."""
    return {
        interface.name: address
        for _, port, interface in desired.interfaces()
        if not interface.local
        and (interface.mac is not None or not port.fake_bridge)
        and (address := _address(interface, observed))
    }


def _address(interface: WantedInterface, observed: Observed) -> bytes | None:
    if interface.kind is Kind.SYSTEM:
        link = observed.by_name.get(interface.name)
        return (
            link.mac if link is not None and _system_problem(interface.name, link, observed) is None else None
        )
    if interface.kind is not Kind.INTERNAL:
        return None
    pair = observed.pairs.get(interface.name)
    if interface.mac is not None or pair is None or pair.user is None:
        return interface.mac or stable_mac(observed.instance, interface.name)
    return pair.user.mac


@dataclass(frozen=True, slots=True)
class BridgeMacs:
    """The MACs that a bridge lends to its own port and to those of its fake bridges."""

    bridge: bytes
    default: bytes
    lowest: bytes | None
    by_tag: Mapping[int | None, bytes]
    untied: bytes | None

    def of_fake_bridge(self, tag: int | None) -> bytes:
        """The lowest of the ports with the fake bridge's tag, or with a MAC of their own, else one made
        up as for the bridge."""
        if tag is None:
            return self.lowest or self.default
        found = [mac for mac in (self.by_tag.get(tag), self.untied) if mac is not None]
        return min(found, default=self.default)


def bridge_macs(bridge: WantedBridge, macs: Mapping[str, bytes]) -> BridgeMacs:
    """The MAC of a bridge is what other_config:hwaddr says, else the lowest globally unique one of its
    ports, else one made from the bridge's UUID (ovs-vswitchd.conf.db(5), Bridge)."""
    by_tag: dict[int | None, bytes] = {}
    untied: bytes | None = None
    for port in bridge.ports:
        mac = _representative(port, macs)
        if mac is None:
            continue
        if port.mac is not None:
            untied = mac if untied is None else min(untied, mac)
        else:
            by_tag[port.tag] = min(mac, by_tag.get(port.tag, mac))
    every = [*by_tag.values(), *([untied] if untied is not None else [])]
    lowest = min(every, default=None)
    return BridgeMacs(
        bridge.hwaddr or lowest or bridge.default_mac, bridge.default_mac, lowest, by_tag, untied
    )


def _representative(port: WantedPort, macs: Mapping[str, bytes]) -> bytes | None:
    """The MAC by which a port counts for its bridge, if it has one that may."""
    if port.mirror_output:
        return None
    members = [interface.name for interface in port.interfaces if interface.name in macs]
    mac = port.mac or (macs[min(members)] if members else None)
    return mac if mac and any(mac) and not mac[0] & 3 and mac not in _RESERVED else None


def bridge_mtu(bridge: WantedBridge, observed: Observed) -> int:
    """The MTU that the bridge's internal ports follow unless they ask for another: the smallest of its
    other ports (ovs-vswitchd.conf.db(5), Interface.mtu_request)."""
    return min(_mtus(bridge, observed), default=DEFAULT_MTU)


def _mtus(bridge: WantedBridge, observed: Observed) -> Iterator[int]:
    for port in bridge.ports:
        for interface in port.interfaces:
            if interface.error is not None:
                continue
            link = observed.by_name.get(interface.name) if interface.kind is Kind.SYSTEM else None
            if link is not None and _system_problem(interface.name, link, observed) is None:
                yield _possible_mtu(interface.mtu_request, link)
            elif interface.kind is Kind.INTERNAL and interface.mtu_request:
                yield interface.mtu_request


def _possible_mtu(asked: int | None, link: Link) -> int:
    """What is asked for, unless the device cannot have it: a bound of 0 is not told."""
    possible = asked is not None and link.min_mtu <= asked <= (link.max_mtu or asked)
    return asked if asked is not None and possible else link.mtu
