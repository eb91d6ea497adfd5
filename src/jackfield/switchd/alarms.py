"""Who offends against the protections of ports, or crowds the learning table: pure, time is an argument."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from jackfield.datapath._abi import DROP_TEXTS, BridgeState, DropReason, GuardState, PortState
from jackfield.reconcile.outcome import BridgeOutcome, Outcome, PortOutcome

CURRENT_SECONDS = 60.0
"""So long after the last offence it is shown, and a port is named once in that time for the same thing."""

CROWDED, UNLEARNED = "fdb-crowded", "mac-unlearned"
OF_ADDRESSES = frozenset(
    {
        DropReason.MAC_LIMIT,
        DropReason.MAC_LOCKED,
        DropReason.MAC_STICKY,
        DropReason.BOUND_MAC,
        DropReason.BOUND_IP,
        DropReason.BOUND_ARP,
        DropReason.BOUND_ND,
    }
)
WATCHED = OF_ADDRESSES | {
    DropReason.STORM_BROADCAST,
    DropReason.STORM_MULTICAST,
    DropReason.STORM_UNKNOWN_UNICAST,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the data plane counted: drops by interface id, the rest by port and bridge id."""

    drops: Mapping[tuple[int, DropReason], int] = field(default_factory=dict)
    guards: Mapping[int, GuardState] = field(default_factory=dict)
    ports: Mapping[int, PortState] = field(default_factory=dict)
    bridges: Mapping[int, BridgeState] = field(default_factory=dict)

    def of(self, outcome: Outcome) -> Reading:
        """What concerns the interfaces and ports of an outcome: other ids may be given to new ones, and then
        count from nothing."""
        ifaces = {each.id for each in outcome.interfaces}
        ports = {each.id for each in outcome.ports}
        return replace(
            self,
            drops={key: count for key, count in self.drops.items() if key[0] in ifaces},
            guards={number: state for number, state in self.guards.items() if number in ports},
            ports={number: state for number, state in self.ports.items() if number in ports},
        )

    def since(self, before: Reading) -> Reading:
        """The same with what was counted since `before`."""
        guards, ports = before.guards, before.ports
        return replace(
            self,
            drops={key: _more(count, before.drops.get(key, 0)) for key, count in self.drops.items()},
            guards={
                number: state._replace(
                    unlearned=_more(state.unlearned, guards.get(number, GuardState()).unlearned)
                )
                for number, state in self.guards.items()
            },
            ports={
                number: state._replace(
                    evicted=_more(state.evicted, ports.get(number, PortState()).evicted),
                    refused=_more(state.refused, ports.get(number, PortState()).refused),
                )
                for number, state in self.ports.items()
            },
        )


def _more(count: int, before: int) -> int:
    return count - before if count >= before else count  # less: it began anew


@dataclass(frozen=True, slots=True)
class Alarm:
    """What a port does that it should not: `count` times so far, of which `more` have not been told of
    in the log. `seen` and `told` are times in seconds."""

    bridge: str
    port: str
    reason: str
    text: str
    count: int = 0
    more: int = 0
    seen: float = 0.0
    told: float | None = None

    def sentence(self, count: int) -> str:
        """The alarm in words, about so many times."""
        thing, what = _UNITS.get(self.reason, _DROPPED)
        return f"{self.bridge}: port {self.port}: {self.text}: {count} {thing}{'s' * (count != 1)} {what}"


_Key = tuple[str, str]
_DROPPED = "frame", "dropped"
_UNITS = {
    CROWDED: ("time", "an address was not learned or had to go"),
    UNLEARNED: ("frame", "passed without being learned from"),
}


class Alarms:
    """Watches counters, and knows which ports to name."""

    def __init__(self) -> None:
        self._before: Reading | None = None
        self._alarms: dict[_Key, Alarm] = {}

    def follow(self, outcome: Outcome) -> None:
        """To be told of every outcome: what is not in one and comes again counts from nothing."""
        if self._before is not None:
            self._before = self._before.of(outcome)

    def update(self, outcome: Outcome, reading: Reading, now: float) -> list[str]:
        """Take note of what was counted; the sentences to be logged. What was counted before the first time
        is nobody's fault. `outcome` is the last one that `follow` was told of."""
        before, self._before = self._before, reading.of(outcome)
        if before is None:
            return []
        for new in _offences(outcome, self._before.since(before)):
            key = new.port, new.reason
            old = self._alarms.get(key, replace(new, count=0))
            self._alarms[key] = replace(
                new, count=old.count + new.count, more=old.more + new.count, seen=now, told=old.told
            )
        self._alarms = {key: alarm for key, alarm in self._alarms.items() if _is_current(alarm, now)}
        return list(self._tell(now))

    def current(self, now: float) -> list[Alarm]:
        """What happened of late, by bridge and port."""
        alarms = (alarm for alarm in self._alarms.values() if _is_current(alarm, now))
        return sorted(alarms, key=lambda alarm: (alarm.bridge, alarm.port, alarm.reason))

    def _tell(self, now: float) -> Iterator[str]:
        for key, alarm in self._alarms.items():
            if alarm.more and (alarm.told is None or now - alarm.told >= CURRENT_SECONDS):
                yield alarm.sentence(alarm.more)
                self._alarms[key] = replace(alarm, more=0, told=now)


def _is_current(alarm: Alarm, now: float) -> bool:
    return now - alarm.seen < CURRENT_SECONDS


def _offences(outcome: Outcome, reading: Reading) -> Iterator[Alarm]:
    """All there is to say of ports, by what was counted."""
    bridges = {bridge.name: bridge for bridge in outcome.bridges}
    members = Counter(port.bridge for port in outcome.ports)
    ifaces = {each.id: each.port for each in outcome.interfaces if each.id}
    drops: dict[str, Counter[DropReason]] = {}
    for (iface, reason), count in reading.drops.items():
        if count and reason in WATCHED and iface in ifaces:
            drops.setdefault(ifaces[iface], Counter())[reason] += count
    for port in outcome.ports:
        if not port.id or port.bridge not in bridges:
            continue
        guard = reading.guards.get(port.id, GuardState())
        yield from _dropped(port, drops.get(port.name, Counter()), guard)
        if guard.unlearned:
            text = "more source addresses than its mac-limit"
            yield Alarm(port.bridge, port.name, UNLEARNED, text, guard.unlearned)
        yield from _crowding(bridges[port.bridge], port, members[port.bridge], reading)


def _dropped(port: PortOutcome, drops: Mapping[DropReason, int], guard: GuardState) -> Iterator[Alarm]:
    for reason, count in drops.items():
        name, text = DROP_TEXTS[reason]
        if reason in OF_ADDRESSES and guard.offence == reason:
            vlan = f" in VLAN {guard.vlan}" if guard.vlan else ""
            text += f" (the last one was {guard.mac.hex(':')}{vlan})"
        yield Alarm(port.bridge, port.name, name, text, count)


def _crowding(bridge: BridgeOutcome, port: PortOutcome, members: int, reading: Reading) -> Iterator[Alarm]:
    """A port whose addresses find no room, or have to go, because it has more than its share."""
    state = reading.ports.get(port.id, PortState())
    losses = state.evicted + state.refused
    size = bridge.config.mac_table_size
    if losses and state.entries > size // max(1, members):
        text = (
            f"more source addresses than there is room for (it has {state.entries} of the {size} in the"
            f" learning table of {bridge.name}; those of other ports are kept)"
        )
        yield Alarm(bridge.name, port.name, CROWDED, text, losses)


def as_json(alarms: Iterable[Alarm], now: float) -> list[dict[str, object]]:
    """Alarms for programs."""
    return [
        {
            "bridge": alarm.bridge,
            "port": alarm.port,
            "reason": alarm.reason,
            "count": alarm.count,
            "seconds_ago": round(now - alarm.seen, 1),
            "text": alarm.sentence(alarm.count),
        }
        for alarm in alarms
    ]
