"""Planning devices: which to make and how to set them. Pure.

Devices are removed by the other half of the plan (`plan.plan_maps`), once nothing refers to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from jackfield.datapath.naming import stable_mac, switch_end_alias, switch_end_name
from jackfield.net.pair import DEFAULT, NAMES
from jackfield.reconcile.bonddevices import bond_devices
from jackfield.reconcile.memory import Memory
from jackfield.reconcile.observed import Observed, Pair
from jackfield.reconcile.presence import (
    Presence,
    Sight,
    bridge_macs,
    bridge_mtu,
    interface_owner,
    internal_problem,
    namespace_of,
    presence,
)
from jackfield.reconcile.renewed import renewed
from jackfield.reconcile.steps import (
    CreatePair,
    DeleteDevice,
    Owner,
    Plan,
    SetMac,
    SetMtu,
    SetMtuBack,
    SetUp,
    Step,
)
from jackfield.reconcile.wanted import Desired, Kind, WantedBridge, WantedInterface, WantedPort

_SWITCH_END = "switch"


class Orderly(NamedTuple):
    """The ports of a bridge for whose devices nothing was to do, as they were seen then, the bridge's MTU
    being that."""

    mtu: int
    ports: Mapping[str, Sight]


def plan_devices(
    desired: Desired,
    observed: Observed,
    mtus: Mapping[str, int] | None = None,
    memory: Memory | None = None,
) -> Plan:
    """What to do about devices before frames can be let in.

    `mtus` are the bridges' MTUs as of the last pass: when a bridge's MTU has changed, its internal ports
    follow; otherwise a smaller MTU that a user gave one is left alone. With the `memory` of the call before,
    ports that were in order then and are seen as they were are not looked at.
    """
    steps: list[Step] = []
    problems: dict[Owner, str] = {}
    memory = memory or Memory()
    there = memory.presence = presence(desired, observed, memory.presence)
    orderly: dict[str, Orderly] = {}
    followed = {
        bridge.name: _Following(there, bridge, (mtus or {}).get(bridge.name))
        for bridge in desired.bridges
        if bridge.error is None
    }
    for name, follow in followed.items():
        before = memory.orderly.get(name)
        sights = there.of_bridge(name)
        known = (
            before.ports if before is not None and before.mtu == follow.mtu and not follow.mtu_changed else {}
        )
        for key in renewed(known, sights):
            port = sights[key].port
            asked = [each for each in port.interfaces if each.kind is Kind.INTERNAL and each.error is None]
            todo = [step for interface in asked for step in follow.internal(port, interface, problems)]
            steps += todo
            # Those that follow the bridge's MAC are not in order because of what is seen of them alone.
            if todo or sights[key].missing or port.fake_bridge or any(each.local for each in asked):
                del sights[key]
        orderly[name] = Orderly(follow.mtu, sights)
    for port, interface in bond_devices(desired):
        # What it comes to is the port's matter: see bond_device_warnings.
        steps += followed[port.bridge].internal(port, interface, {})
    memory.orderly = orderly
    steps += _system_mtus(there) if desired.has_system else ()
    return Plan(tuple(steps), tuple(problems.items()))


class _Following:
    """What internal ports take from their bridge."""

    def __init__(self, there: Presence, bridge: WantedBridge, last_mtu: int | None) -> None:
        self._observed = there.observed
        self._macs = bridge_macs(bridge, there)
        self.mtu = bridge_mtu(bridge, there)
        self.mtu_changed = last_mtu is not None and last_mtu != self.mtu

    def internal(
        self, port: WantedPort, interface: WantedInterface, problems: dict[Owner, str]
    ) -> Iterator[Step]:
        pair = self._observed.pairs.get(interface.name)
        here = pair is not None and pair.origin == self._origin(interface)
        possible = not here and self._possible(interface)
        if pair is not None and not possible:
            # Where it was made is what was asked for, so that it may be elsewhere now is its user's will.
            yield from self._adjusted(port, interface, pair)
        elif possible:
            if pair is not None:
                yield DeleteDevice(interface_owner(interface), pair.switch.ifindex, interface.name)
            yield self._created(port, interface)
        else:
            problems[interface_owner(interface)] = internal_problem(interface, self._observed)

    def _possible(self, interface: WantedInterface) -> bool:
        """Whether the user's end can be made where it is wanted."""
        if interface.place is not None:
            return namespace_of(interface.place, self._observed) is not None
        link = self._observed.by_name.get(interface.name)
        return link is None or link.ifindex in self._observed.own or self._half_made(interface.name)

    def _origin(self, interface: WantedInterface) -> str:
        place = interface.place
        return "" if place is None else place.origin(namespace_of(place, self._observed) or 0)

    def _half_made(self, name: str) -> bool:
        """Whether a pair was left without the alias that marks it, by a process that was killed."""
        link = self._observed.by_name.get(switch_end_name(self._observed.instance, name))
        return link is not None and link.kind in NAMES and not link.alias

    def _created(self, port: WantedPort, interface: WantedInterface) -> CreatePair:
        instance, name = self._observed.instance, interface.name
        attempt = 0
        while (
            not self._half_made(name) and switch_end_name(instance, name, attempt) in self._observed.by_name
        ):
            attempt += 1
        return CreatePair(
            owner=interface_owner(interface),
            name=name,
            switch_end=switch_end_name(instance, name, attempt),
            alias=switch_end_alias(instance, name, self._origin(interface)),
            mac=self._wanted_mac(port, interface) or stable_mac(instance, name),
            mtu=interface.mtu_request or self.mtu,
            switch_mac=stable_mac(instance, name, _SWITCH_END),
            kinds=interface.device_kinds or DEFAULT,
            place=interface.place,
            inode=0 if interface.place is None else namespace_of(interface.place, self._observed) or 0,
        )

    def _adjusted(self, port: WantedPort, interface: WantedInterface, pair: Pair) -> Iterator[Step]:
        switch, user = pair.switch, pair.user
        if not switch.up:
            yield SetUp(interface_owner(interface), switch.ifindex, switch.name)
        if user is None:
            return
        mtu = self._wanted_mtu(interface, user.mtu)
        # The kernel drops what is longer than the receiving end's MTU, so the switch's end has no less.
        if switch.mtu < mtu:
            yield SetMtu(interface_owner(interface), switch.ifindex, None, switch.name, mtu)
        if user.mtu != mtu:
            back = interface.mtu_request is None and not self.mtu_changed
            step = SetMtuBack if back else SetMtu
            yield step(interface_owner(interface), user.ifindex, pair.nsid, user.name, mtu)
        mac = self._wanted_mac(port, interface)
        if mac is not None and user.mac != mac:
            yield SetMac(interface_owner(interface), user.ifindex, pair.nsid, user.name, mac)

    def _wanted_mtu(self, interface: WantedInterface, mtu: int) -> int:
        if interface.mtu_request:
            return interface.mtu_request
        return self.mtu if self.mtu_changed or mtu > self.mtu else mtu

    def _wanted_mac(self, port: WantedPort, interface: WantedInterface) -> bytes | None:
        if interface.local:
            return self._macs.bridge
        if interface.mac is not None:
            return interface.mac
        return self._macs.of_fake_bridge(port.tag) if port.fake_bridge else None


def _system_mtus(there: Presence) -> Iterator[Step]:
    asking = [
        here for here in there.found if here.interface.mtu_request and here.interface.kind is Kind.SYSTEM
    ]
    for here in asking:
        asked, link = here.interface.mtu_request, here.user
        if link is not None and asked and link.mtu != asked:
            yield SetMtu(interface_owner(here.interface), link.ifindex, None, link.name, asked)
