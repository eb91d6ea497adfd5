"""The executable specification of forwarding: one frame in, the frames it becomes out.

Frames come in and leave by interfaces. That of a port has the port's name; a bond has several, its members.

`step` is a pure function. Frames are bytes as on the wire, tags included; `now` is in nanoseconds of any
one monotonic clock. A patch port hands a frame, as it would be on the wire, to its peer port.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from jackfield.model import binding, bond, guard, vlan
from jackfield.model.bond import Admission, BondState
from jackfield.model.config import BondConfig, BridgeConfig, PortConfig, SwitchConfig
from jackfield.model.damping import LIMITS, Damping, Move
from jackfield.model.fdb import Address, Announced, Fdb
from jackfield.model.frame import (
    ADDRESSES,
    ETH_HLEN,
    Frame,
    is_bpdu,
    is_gratuitous_arp,
    is_group,
    is_reserved,
    is_slow_protocol,
    is_truncated,
    parse,
    payload_length,
    split_tags,
)
from jackfield.model.guard import GuardState, Subject, Verdict
from jackfield.model.protection import GuardConfig
from jackfield.model.reasons import DropReason

HOPS_MAX = 8
_TAGS_READ = 3


@dataclass(frozen=True, slots=True)
class PortCounters:
    """Frames and bytes, tags included, that entered and left by an interface, and how many ended here and
    why.

    Every frame that enters is counted, also one that is dropped. A copy too long for the interface it
    should leave by is counted as a drop there; every other drop at the interface the frame came in by.
    """

    rx_packets: int = 0
    rx_bytes: int = 0
    tx_packets: int = 0
    tx_bytes: int = 0
    drops: Mapping[DropReason, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """What a switch remembers: a learning table a bridge, counters an interface, bonds and protections by
    port, and what it did about loops while nobody looked after them. What has not been touched yet is not
    there; `fdb`, `counters`, `bond` and `guard` give it all the same. Ports that are `disabled` carry no
    frames."""

    fdbs: Mapping[str, Fdb] = field(default_factory=dict)
    ports: Mapping[str, PortCounters] = field(default_factory=dict)
    bonds: Mapping[str, BondState] = field(default_factory=dict)
    guards: Mapping[str, GuardState] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()
    damping: Damping = field(default_factory=Damping)

    def fdb(self, bridge: str) -> Fdb:
        """The learning table of a bridge."""
        return self.fdbs.get(bridge, Fdb())

    def counters(self, interface: str) -> PortCounters:
        """The counters of an interface."""
        return self.ports.get(interface, PortCounters())

    def bond(self, port: str, config: BondConfig) -> BondState:
        """The members of a bond."""
        return self.bonds.get(port) or bond.initial(config)

    def guard(self, port: str) -> GuardState:
        """What the protections of a port remember."""
        return self.guards.get(port, GuardState())

    def with_fdb(self, bridge: str, fdb: Fdb) -> State:
        """This state with another learning table for a bridge."""
        return replace(self, fdbs={**self.fdbs, bridge: fdb})


@dataclass(frozen=True, slots=True)
class Output:
    """A frame that leaves the switch by an interface."""

    port: str
    frame: bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """The end of a frame or of a copy of it, and the interface where that is counted."""

    port: str
    reason: DropReason


@dataclass(frozen=True, slots=True)
class Visit:
    """One passage through a bridge: where the frame came in, its VLAN there, and the port where its
    destination was known to be (None: it was flooded). A frame that is not admitted makes no visit."""

    bridge: str
    in_port: str
    vlan: int
    known_at: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a frame. Outputs and visits are in the order in which they happen. One that was
    `taken_up` is the control plane's."""

    state: State
    outputs: tuple[Output, ...]
    drops: tuple[Drop, ...]
    visits: tuple[Visit, ...]
    taken_up: bool = False


def step(config: SwitchConfig, state: State, frame: bytes, interface: str, now: int) -> Result:
    """Let one frame enter the switch by an interface. Raises LookupError if the switch has no such one."""
    return _Passage(config, state, now).run(frame, interface)


def sweep(config: SwitchConfig, state: State, now: int) -> State:
    """Remove the entries that are too old from the learning tables of all bridges."""
    for bridge in config.bridges:
        state = state.with_fdb(bridge.name, state.fdb(bridge.name).sweep(bridge, now))
    return state


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A frame about to enter a bridge by an interface; `hops` counts the bridges, this one included.
    `payload` is what stood behind the tags that it entered the switch with."""

    frame: bytes
    interface: str
    hops: int
    payload: bytes


class _Passage:
    """One frame, and its copies, on the way through the bridges, breadth first."""

    def __init__(self, config: SwitchConfig, state: State, now: int) -> None:
        self._tag_limit = vlan.tag_limit(config.vlan_limit)
        self._probe = config.probe
        self._ports = {
            name: (bridge, port)
            for bridge in config.bridges
            for port in bridge.ports
            for name in port.interfaces
        }
        self._state = state
        self._now = now
        self._waiting: deque[_Arrival] = deque()
        self._outputs: list[Output] = []
        self._drops: list[Drop] = []
        self._visits: list[Visit] = []
        self._taken_up = False

    def run(self, frame: bytes, interface: str) -> Result:
        if interface not in self._ports:
            raise LookupError(f"the switch has no interface {interface}")
        _, payload = split_tags(frame[ADDRESSES:], _TAGS_READ)
        self._waiting.append(_Arrival(frame, interface, 1, payload))
        while self._waiting:
            self._enter(self._waiting.popleft())
        outputs, drops, visits = tuple(self._outputs), tuple(self._drops), tuple(self._visits)
        return Result(self._state, outputs, drops, visits, self._taken_up)

    def _enter(self, arrival: _Arrival) -> None:
        bridge, port = self._ports[arrival.interface]
        self._count(arrival.interface, rx_packets=1, rx_bytes=len(arrival.frame))
        if port.name in self._state.disabled:
            self._drop(arrival.interface, DropReason.PORT_DISABLED)
            return
        if len(arrival.frame) < ETH_HLEN:
            self._drop(arrival.interface, DropReason.RUNT)
            return
        frame = parse(arrival.frame, self._tag_limit)
        if is_slow_protocol(frame) and port.bond is not None and port.bond.lacp:
            self._taken_up = True
            return
        if arrival.hops == 1 and port.guard is not None and port.guard.bpdu_guard and _is_bpdu(arrival):
            self._state = replace(self._state, disabled=self._state.disabled | {port.name})
            self._drop(arrival.interface, DropReason.BPDU_GUARD)
            return
        reason = _refuses(bridge, port, frame)
        if reason is not None:
            self._drop(arrival.interface, reason)
            return
        if frame.dst == self._probe:
            self._taken_up = True
            return

        stack = vlan.input_stack(port, frame.tags)
        vid = vlan.vid(stack)
        reason = self._admit(arrival, bridge, port, vid, frame)
        if reason is not None:
            self._drop(arrival.interface, reason)
            return
        fdb = self._state.fdb(bridge.name)
        known_at = fdb.lookup(bridge, Address(vid, frame.dst), self._now)
        others = [other for other in bridge.ports if other.name not in self._state.disabled]
        known = next((other for other in others if other.name == known_at), None)
        self._visits.append(Visit(bridge.name, port.name, vid, known.name if known else None))

        targets, reason = _unicast(port, known) if known else _flood(others, port, stack)
        if reason is not None:
            self._drop(arrival.interface, reason)
        for target in targets:
            tags = vlan.output_tags(target, stack, frame.tags)
            self._send(arrival, target, replace(frame, tags=tags), vid)

    def _admit(
        self, arrival: _Arrival, bridge: BridgeConfig, port: PortConfig, vid: int, frame: Frame
    ) -> DropReason | None:
        """Learn from a frame, unless the port's bond or its protections refuse it."""
        admission: Admission | DropReason = Admission.TAKE
        if port.bond is not None:
            state = self._state.bond(port.name, port.bond)
            admission = bond.admission(port.bond, state, arrival.interface, frame)
        if isinstance(admission, DropReason):
            return admission
        learns = True
        if port.guard is not None:
            reason = binding.refuses(port.guard, frame.src, arrival.payload)
            if reason is not None:
                return reason
            verdict = self._judge(port.guard, bridge, port, vid, frame)
            if verdict.reason is not None:
                return verdict.reason
            learns = verdict.learns
        if self._state.damping.is_damped(port.name, self._now):
            reason = self._damp(bridge, port, vid, frame)
            if reason is not None:
                return reason
        address, fdb = Address(vid, frame.src), self._state.fdb(bridge.name)
        gratuitous = is_gratuitous_arp(frame.dst, arrival.payload)
        if admission is Admission.UNLESS_MOVED and self._seems_reflected(bridge, port, address, gratuitous):
            return DropReason.BOND_MOVED
        announced = _announced(bridge, port) if gratuitous else None
        stays = announced is Announced.ON_BOND and fdb.is_locked(address, self._now)
        if not stays and guard.belongs_elsewhere(bridge, port.name, fdb, address, self._now):
            return DropReason.MAC_STICKY
        if learns:
            self._learn(bridge, address, fdb.learn(bridge, address, port.name, self._now, announced))
        return None

    def _learn(self, bridge: BridgeConfig, address: Address, learned: Fdb) -> None:
        fdb = self._state.fdb(bridge.name)
        if learned.counters.moved > fdb.counters.moved:
            move = Move(fdb.entries[address].port, learned.entries[address].port, address.vlan)
            damping = self._state.damping.moved(move, self._now)
            self._state = replace(self._state, damping=damping)
        self._state = self._state.with_fdb(bridge.name, learned)

    def _damp(self, bridge: BridgeConfig, port: PortConfig, vid: int, frame: Frame) -> DropReason | None:
        damping = self._state.damping
        subject = Subject(bridge, port.name, Address(vid, frame.src), Address(vid, frame.dst), self._now)
        limits, fdb = damping.limits.get(port.name, GuardState()), self._state.fdb(bridge.name)
        reason, limits = guard.from_storms(LIMITS, limits, fdb, subject)
        self._state = replace(self._state, damping=damping.with_limits(port.name, limits))
        return reason

    def _judge(
        self, config: GuardConfig, bridge: BridgeConfig, port: PortConfig, vid: int, frame: Frame
    ) -> Verdict:
        src, dst = Address(vid, frame.src), Address(vid, frame.dst)
        subject = Subject(bridge, port.name, src, dst, self._now)
        verdict = guard.judge(config, self._state.guard(port.name), self._state.fdb(bridge.name), subject)
        self._state = replace(self._state, guards={**self._state.guards, port.name: verdict.state})
        self._state = self._state.with_fdb(bridge.name, verdict.fdb)
        return verdict

    def _seems_reflected(
        self, bridge: BridgeConfig, port: PortConfig, address: Address, gratuitous: bool
    ) -> bool:
        fdb = self._state.fdb(bridge.name)
        known_at = fdb.lookup(bridge, address, self._now)
        if known_at in (None, port.name):
            return False
        return fdb.is_locked(address, self._now) or not gratuitous

    def _send(self, arrival: _Arrival, target: PortConfig, leaving: Frame, vid: int) -> None:
        frame, interface = leaving.pack(), target.name
        if target.bond is not None:
            # The outermost tag counts, though it may lie deeper than the switch is told to look.
            state, whole = self._state.bond(target.name, target.bond), parse(frame, 1)
            chosen = bond.leave(target.bond, state, whole, vid, arrival.payload)
            if isinstance(chosen, DropReason):
                self._drop(arrival.interface, chosen)
                return
            interface = chosen
        if target.patch_peer is not None:
            self._cross(arrival, target, frame)
        elif target.mtu is not None and payload_length(frame) > target.mtu:
            self._drop(interface, DropReason.MTU_EXCEEDED)
        else:
            self._count(interface, tx_packets=1, tx_bytes=len(frame))
            self._outputs.append(Output(interface, frame))

    def _cross(self, arrival: _Arrival, patch: PortConfig, frame: bytes) -> None:
        peer = self._peer(patch)
        if peer is None:
            self._drop(arrival.interface, DropReason.PATCH_NO_PEER)
        elif arrival.hops >= HOPS_MAX:
            self._drop(arrival.interface, DropReason.TOO_MANY_HOPS)
        else:
            self._count(patch.name, tx_packets=1, tx_bytes=len(frame))
            self._waiting.append(replace(arrival, frame=frame, interface=peer, hops=arrival.hops + 1))

    def _peer(self, patch: PortConfig) -> str | None:
        if patch.patch_peer is None or patch.patch_peer == patch.name or patch.patch_peer not in self._ports:
            return None
        _, peer = self._ports[patch.patch_peer]
        return peer.name if peer.patch_peer == patch.name else None

    def _drop(self, interface: str, reason: DropReason) -> None:
        self._drops.append(Drop(interface, reason))
        counters = self._state.counters(interface)
        drops = {**counters.drops, reason: counters.drops.get(reason, 0) + 1}
        self._set_counters(interface, replace(counters, drops=drops))

    def _count(self, interface: str, **more: int) -> None:
        counters = self._state.counters(interface)
        sums = {name: getattr(counters, name) + number for name, number in more.items()}
        self._set_counters(interface, replace(counters, **sums))

    def _set_counters(self, interface: str, counters: PortCounters) -> None:
        self._state = replace(self._state, ports={**self._state.ports, interface: counters})


def _is_bpdu(arrival: _Arrival) -> bool:
    return is_bpdu(arrival.frame, arrival.payload)


def _announced(bridge: BridgeConfig, port: PortConfig) -> Announced | None:
    """Where gratuitous ARP came in, which matters where it may be reflected: on a bridge with a bond."""
    if not any(each.bond is not None for each in bridge.ports):
        return None
    return Announced.ON_PORT if port.bond is None else Announced.ON_BOND


def _refuses(bridge: BridgeConfig, port: PortConfig, frame: Frame) -> DropReason | None:
    if is_group(frame.src):
        return DropReason.SOURCE_MULTICAST
    if is_truncated(frame):
        return DropReason.VLAN_TRUNCATED
    reason = vlan.refuses(port, frame.tags)
    if reason is None and is_reserved(frame.dst) and not bridge.forward_bpdu:
        return DropReason.RESERVED_DESTINATION
    return reason


_Targets = tuple[tuple[PortConfig, ...], DropReason | None]


def _unicast(port: PortConfig, known: PortConfig) -> _Targets:
    if known.name == port.name:
        return (), DropReason.SAME_PORT
    if port.protected and known.protected:
        return (), DropReason.PROTECTED
    return (known,), None


def _flood(others: Iterable[PortConfig], port: PortConfig, stack: vlan.Tags) -> _Targets:
    targets = tuple(
        other
        for other in others
        if other.name != port.name
        and vlan.includes(other, stack)
        and not (port.protected and other.protected)
    )
    return targets, None if targets else DropReason.NO_DESTINATION
