"""Which wanted interfaces have their device, and what they make of bridge MACs and MTUs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from jackfield.datapath.naming import stable_mac
from jackfield.net.link import Link
from jackfield.reconcile.observed import Observed
from jackfield.reconcile.renewed import renewed
from jackfield.reconcile.steps import Owner
from jackfield.reconcile.wanted import Desired, Kind, Place, WantedBridge, WantedInterface, WantedPort

DEFAULT_MTU = 1500
_ARPHRD_ETHER = 1
_RESERVED = frozenset(bytes.fromhex(mac) for mac in ("00e02b000000", "00e02b000004", "00e02b000006"))
"""Unicast addresses with a meaning of their own (Extreme's EDP and EAPS), never taken for a bridge."""


class Present(NamedTuple):
    """An interface that can take part. `switch` is the device the switch sends to, `user` the one that its
    user sees (the same for a system interface); both are None for a patch. `nsid` is where `user` is."""

    port: WantedPort
    interface: WantedInterface
    switch: Link | None = None
    user: Link | None = None
    nsid: int | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What is there of a port: the interfaces that are, and why others are not, by name. `mac` and `mtus` are
    those by which it counts for its bridge's, `inodes` the namespaces that interfaces are to be made in."""

    port: WantedPort
    present: tuple[Present, ...]
    missing: Mapping[str, str]
    mac: bytes | None
    mtus: tuple[int, ...]
    inodes: tuple[int | None, ...]


@dataclass(frozen=True)
class Presence:
    """What is there of all that is wanted: the sights of ports by `WantedPort.key`, in the order of these."""

    desired: Desired
    observed: Observed
    ports: Mapping[str, Sight]

    @cached_property
    def found(self) -> list[Present]:
        """The interfaces that are there."""
        return [here for sight in self.ports.values() for here in sight.present]

    @cached_property
    def problems(self) -> Mapping[Owner, str]:
        """Why others are not."""
        missing = [sight.missing for sight in self.ports.values() if sight.missing]
        return {Owner("Interface", name): text for each in missing for name, text in each.items()}

    def of_bridge(self, name: str) -> dict[str, Sight]:
        """The sights of the ports of one bridge."""
        ports = self.ports
        return {key: ports[key] for key in self.desired.ports_of.get(name, ())}


def presence(desired: Desired, observed: Observed, before: Presence | None = None) -> Presence:
    """What is there. With the result of the call `before`, the sights of ports of which neither what is
    wanted nor what there is has changed are the same objects, and cost nothing."""
    if before is None or before.observed.instance != observed.instance:
        return Presence(
            desired, observed, {key: _sight(each, observed) for key, each in desired.ports.items()}
        )
    if before.desired is desired and before.observed is observed:
        return before
    anew = set(renewed(before.desired.ports, desired.ports))
    anew.update(key for key, sight in before.ports.items() if sight.missing)
    anew.update(
        desired.port_of[name].key for name in _changed(before, desired, observed) if name in desired.port_of
    )
    sights = before.ports
    return Presence(
        desired,
        observed,
        {key: _sight(port, observed) if key in anew else sights[key] for key, port in desired.ports.items()},
    )


def _changed(before: Presence, desired: Desired, now: Observed) -> Iterator[str]:
    """The interfaces that may not be there any more, or otherwise. (Those that were missing are looked at
    anyhow.)"""
    old = before.observed
    yield from renewed(old.pairs, now.pairs)
    yield from old.pairs.keys() - now.pairs.keys()
    if old.namespaces != now.namespaces:
        moved = {path for path, _ in old.namespaces.items() ^ now.namespaces.items()}
        yield from (name for name, path in desired.namespaces().items() if path in moved)
    if desired.has_system:
        yield from renewed(old.by_name, now.by_name)
        yield from old.by_name.keys() - now.by_name.keys()
        for each in old.own ^ now.own:
            yield from (links[each].name for links in (old.links, now.links) if each in links)


def interface_owner(interface: WantedInterface) -> Owner:
    """The owner of steps that serve an interface."""
    return Owner("Interface", interface.name)


def _sight(port: WantedPort, observed: Observed) -> Sight:
    found: list[Present] = []
    missing: dict[str, str] = {}
    for interface in port.interfaces:
        if interface.error is not None:
            continue
        if interface.kind is Kind.PATCH:
            found.append(Present(port, interface))
        elif interface.kind is Kind.INTERNAL:
            pair = observed.pairs.get(interface.name)
            if pair is None:
                missing[interface.name] = internal_problem(interface, observed)
            else:
                found.append(Present(port, interface, pair.switch, pair.user, pair.nsid))
        else:
            link = observed.by_name.get(interface.name)
            problem = _system_problem(interface.name, link, observed)
            if link is None or problem is not None:
                missing[interface.name] = problem or ""
            else:
                found.append(Present(port, interface, link, link))
    places = [interface.place for interface in port.interfaces if interface.place is not None]
    return Sight(
        port,
        tuple(found),
        missing,
        _representative(port, observed),
        tuple(_mtus(port, observed)),
        tuple(namespace_of(place, observed) for place in places),
    )


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
    """The MACs that a bridge lends to its own port, `bridge`, and to those of its fake bridges."""

    bridge: bytes
    default: bytes
    lowest: bytes | None
    counting: Sequence[Sight]

    def of_fake_bridge(self, tag: int | None) -> bytes:
        """The lowest of the ports with the fake bridge's tag, or with a MAC of their own, else one made
        up as for the bridge."""
        if tag is None:
            return self.lowest or self.default
        found = [each.mac for each in self.counting if each.port.mac is not None or each.port.tag == tag]
        return min((mac for mac in found if mac is not None), default=self.default)


def bridge_macs(bridge: WantedBridge, presence: Presence) -> BridgeMacs:
    """The MAC of a bridge is what other_config:hwaddr says, else the lowest globally unique one of its
    ports, else one made from the bridge's UUID (ovs-vswitchd.conf.db(5), Bridge)."""
    counting = [sight for sight in presence.of_bridge(bridge.name).values() if sight.mac is not None]
    lowest = min([sight.mac for sight in counting if sight.mac is not None], default=None)
    return BridgeMacs(bridge.hwaddr or lowest or bridge.default_mac, bridge.default_mac, lowest, counting)


def _representative(port: WantedPort, observed: Observed) -> bytes | None:
    """The MAC by which a port counts for its bridge, if it has one that may: that of the first of its
    interfaces that have or are about to have a device, but for those that follow others: the ports of bridges
    and of fake bridges."""
    if port.mirror_output:
        return None
    mac = port.mac
    if mac is None:
        followed = [
            each
            for each in port.interfaces
            if not each.local and (each.mac is not None or not port.fake_bridge)
        ]
        found = [(each.name, address) for each in followed if (address := _address(each, observed))]
        mac = min(found)[1] if found else None
    return mac if mac and any(mac) and not mac[0] & 3 and mac not in _RESERVED else None


def bridge_mtu(bridge: WantedBridge, presence: Presence) -> int:
    """The MTU that the bridge's internal ports follow unless they ask for another: the smallest of its
    other ports (ovs-vswitchd.conf.db(5), Interface.mtu_request)."""
    sights = presence.of_bridge(bridge.name).values()
    return min([mtu for sight in sights if sight.mtus for mtu in sight.mtus], default=DEFAULT_MTU)


def _mtus(port: WantedPort, observed: Observed) -> Iterator[int]:
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
