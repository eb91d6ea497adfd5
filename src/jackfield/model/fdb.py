"""The learning table of one bridge: which address was seen on which port, in which VLAN.

Values never change: every operation gives a new table. Times are in nanoseconds of any one clock. Age is
judged at look-up: an entry that is too old is as good as absent, but takes up room until it is swept or
gives way.

When the table is full, a port that holds more than its fair share (table size over number of ports)
gives way; the entries of a port at or below its share survive any flood of addresses from others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

from jackfield.model.config import BridgeConfig
from jackfield.model.frame import is_group

NSEC_PER_SEC = 1_000_000_000
STAMP_INTERVAL = NSEC_PER_SEC
ARP_LOCK = 5 * NSEC_PER_SEC


class Announced(Enum):
    """Where gratuitous ARP came in: on a bond it may be the reflection of what came in on a port."""

    ON_PORT = "port"
    ON_BOND = "bond"


class Address(NamedTuple):
    """What the table is asked for: an address is learned once in each VLAN."""

    vlan: int
    mac: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an address is. `stamp` is when it was last seen there, in nanoseconds, to about a second.
    A static entry was put there by hand: it never moves and never ages. Until `locked`, also in nanoseconds,
    gratuitous ARP from a bond does not move it: it would be a reflection of what was sent there."""

    port: str
    stamp: int
    static: bool = False
    locked: int = 0


@dataclass(frozen=True, slots=True)
class FdbCounters:
    """What happened to a table since it was made: addresses learned, moved between ports, removed for
    age, removed to make room, and not learned for want of room."""

    learned: int = 0
    moved: int = 0
    expired: int = 0
    evicted: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Fdb:
    """A learning table. The operations take the bridge's configuration for VLANs, ageing and size."""

    entries: Mapping[Address, Entry] = field(default_factory=dict)
    counters: FdbCounters = FdbCounters()

    def lookup(self, bridge: BridgeConfig, address: Address, now: int) -> str | None:
        """The port where the address is, or None if that is not known."""
        entry = self.entries.get(address)
        if entry is None or not _is_learnable(bridge, address) or is_aged(bridge, entry, now):
            return None
        return entry.port

    def is_locked(self, address: Address, now: int) -> bool:
        """Whether gratuitous ARP from a bond would be a reflection of what was sent from the address."""
        entry = self.entries.get(address)
        return entry is not None and now < entry.locked

    def learn(
        self, bridge: BridgeConfig, address: Address, port: str, now: int, announced: Announced | None = None
    ) -> Fdb:
        """Note that a frame from the address came in by the port; `announced` when it was gratuitous ARP."""
        if not _is_learnable(bridge, address):
            return self
        entry = self.entries.get(address)
        lock = entry.locked if entry is not None else 0
        if announced is Announced.ON_PORT:
            lock = now + ARP_LOCK
        elif announced is Announced.ON_BOND and entry is not None and now < lock:
            port = entry.port
        if entry is None:
            return self._make_room(bridge, port, now)._insert(bridge, address, Entry(port, now, locked=lock))
        if entry.static:
            return self
        seen = Entry(port, now, locked=lock)
        if is_aged(bridge, entry, now):
            return self._set(address, seen, learned=1)
        if entry.port != port:
            return self._set(address, seen, moved=1)
        if now - entry.stamp >= STAMP_INTERVAL:
            return self._set(address, seen)
        return self if lock == entry.locked else self._set(address, replace(entry, locked=lock))

    def add_static(self, address: Address, port: str, now: int) -> Fdb:
        """Put a static entry, in place of whatever was known of the address."""
        return self._set(address, Entry(port, now, static=True))

    def delete(self, address: Address) -> Fdb:
        """Remove what is known of an address, static or not; nothing happens if nothing is known."""
        return self._without({address})

    def flush(self) -> Fdb:
        """Remove every entry that was learned."""
        return self._without({address for address, entry in self.entries.items() if not entry.static})

    def sweep(self, bridge: BridgeConfig, now: int) -> Fdb:
        """Remove every entry that is too old, and so make room."""
        aged = {address for address, entry in self.entries.items() if is_aged(bridge, entry, now)}
        return self._without(aged, expired=len(aged))

    def expire_one(self, bridge: BridgeConfig, port: str, now: int) -> Fdb:
        """Remove one entry of a port that is too old, if there is one."""
        oldest = self._oldest(port)
        if oldest is None or not is_aged(bridge, self.entries[oldest], now):
            return self
        return self._without({oldest}, expired=1)

    def usage(self) -> Counter[str]:
        """How many learned entries, aged ones included, each port has."""
        return Counter(entry.port for entry in self.entries.values() if not entry.static)

    def _insert(self, bridge: BridgeConfig, address: Address, entry: Entry) -> Fdb:
        if self.usage().total() >= bridge.mac_table_size:
            return self._count(refused=1)
        return self._set(address, entry, learned=1)

    def _make_room(self, bridge: BridgeConfig, learner: str, now: int) -> Fdb:
        usage = self.usage()
        if usage.total() < bridge.mac_table_size:
            return self
        oldest = self._oldest(None)
        if oldest is not None and is_aged(bridge, self.entries[oldest], now):
            return self._without({oldest}, expired=1)
        share = fair_share(bridge)
        giver = learner
        if usage[learner] <= share:
            giver = max(usage, key=lambda port: usage[port], default=learner)
        victim = self._oldest(giver)
        if victim is None or usage[giver] <= share:
            return self
        return self._without({victim}, evicted=1)

    def _oldest(self, port: str | None) -> Address | None:
        learned = (
            (entry.stamp, address)
            for address, entry in self.entries.items()
            if not entry.static and port in (None, entry.port)
        )
        return min(learned, default=(0, None))[1]

    def _set(self, address: Address, entry: Entry, **counted: int) -> Fdb:
        return replace(self, entries={**self.entries, address: entry})._count(**counted)

    def _without(self, gone: set[Address], **counted: int) -> Fdb:
        kept = {address: entry for address, entry in self.entries.items() if address not in gone}
        return replace(self, entries=kept)._count(**counted)

    def _count(self, **counted: int) -> Fdb:
        if not counted:
            return self
        sums = {name: getattr(self.counters, name) + more for name, more in counted.items()}
        return replace(self, counters=replace(self.counters, **sums))


def is_aged(bridge: BridgeConfig, entry: Entry, now: int) -> bool:
    """Whether an entry is too old to be believed."""
    return not entry.static and now - entry.stamp >= bridge.mac_aging_time * NSEC_PER_SEC


def fair_share(bridge: BridgeConfig) -> int:
    """How many entries a port keeps for sure when the table is full."""
    return bridge.mac_table_size // max(1, len(bridge.ports))


def table_invariants(bridge: BridgeConfig, before: Fdb, after: Fdb, learner: str, now: int) -> list[str]:
    """What is wrong with a table, in sentences, after frames that came in by the port `learner` only.

    Which entry of a port gives way is open, so this, rather than equality with the model, is
    what any learning table is held against.
    """
    wrong = []
    usage = after.usage()
    if usage.total() > max(bridge.mac_table_size, before.usage().total()):
        wrong.append(f"{usage.total()} learned entries in a table of {bridge.mac_table_size}")
    share = fair_share(bridge)
    held = before.usage()
    for address, entry in before.entries.items():
        safe = entry.static or (
            entry.port != learner and held[entry.port] <= share and not is_aged(bridge, entry, now)
        )
        if safe and address not in after.entries:
            wrong.append(f"{address.mac.hex(':')} in VLAN {address.vlan} of port {entry.port} was lost")
        if entry.static and after.entries.get(address) != entry:
            wrong.append(f"static entry {address.mac.hex(':')} in VLAN {address.vlan} changed")
    return wrong


def _is_learnable(bridge: BridgeConfig, address: Address) -> bool:
    return address.vlan not in bridge.flood_vlans and not is_group(address.mac)
