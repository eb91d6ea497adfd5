"""The steps of a plan: pure data. Each serves one object of the configuration and can say what it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, NamedTuple

from jackfield.datapath._abi import FdbOp
from jackfield.net.pair import DEFAULT, Kinds
from jackfield.reconcile.wanted import Place


class Owner(NamedTuple):
    """The object that a step serves: its table in the database and its name there."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """Base of all steps. When a `required` one fails, later steps of its owner make no sense. What a
    `notable` one does may surprise a user, so that the log tells it."""

    required: ClassVar[bool] = True
    notable: ClassVar[bool] = False
    owner: Owner

    def describe(self) -> str:
        """What the step does, in plain words."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class CreatePair(Step):
    """Make an internal port's pair of devices, the user's end at `place` if that is given, in the namespace
    with that `inode`; of the first of `kinds` that the kernel has."""

    name: str
    switch_end: str
    alias: str
    mac: bytes
    mtu: int
    switch_mac: bytes
    kinds: Kinds = DEFAULT
    place: Place | None = None
    inode: int = 0

    def describe(self) -> str:
        where = "" if self.place is None else f" as {self.place.ifname} in {self.place.netns}"
        return f"create internal port {self.name}{where} (MAC {self.mac.hex(':')}, MTU {self.mtu})"


@dataclass(frozen=True, slots=True)
class DeleteDevice(Step):
    """Remove an internal port's pair of devices; `ifindex` is the switch's end."""

    ifindex: int
    name: str

    def describe(self) -> str:
        return f"delete internal port {self.name}"


@dataclass(frozen=True, slots=True)
class SetUp(Step):
    """Set a device of the switch's up."""

    ifindex: int
    name: str

    def describe(self) -> str:
        return f"set {self.name} up"


@dataclass(frozen=True, slots=True)
class SetMtu(Step):
    """Set a device's MTU; `nsid` is the namespace it is in, None for the switch's own."""

    required = False
    ifindex: int
    nsid: int | None
    name: str
    mtu: int

    def describe(self) -> str:
        return f"set the MTU of {self.name} to {self.mtu}"


@dataclass(frozen=True, slots=True)
class SetMtuBack(SetMtu):
    """Undo what a user did to the MTU of an internal port, which follows its bridge."""

    notable = True

    def describe(self) -> str:
        return f"set the MTU of {self.name} back to {self.mtu}, its bridge's: mtu_request asks for another"


@dataclass(frozen=True, slots=True)
class SetMac(Step):
    """Set a device's MAC address; `nsid` as for SetMtu."""

    required = False
    ifindex: int
    nsid: int | None
    name: str
    mac: bytes

    def describe(self) -> str:
        return f"set the MAC address of {self.name} to {self.mac.hex(':')}"


@dataclass(frozen=True, slots=True)
class SetPromiscuous(Step):
    """Have a device take every frame, or no longer."""

    ifindex: int
    name: str
    on: bool

    def describe(self) -> str:
        return f"switch promiscuous mode of {self.name} {'on' if self.on else 'off'}"


@dataclass(frozen=True, slots=True)
class Attach(Step):
    """Have what a device receives enter the switch."""

    ifindex: int
    name: str

    def describe(self) -> str:
        return f"attach the switch to {self.name}"


@dataclass(frozen=True, slots=True)
class Detach(Step):
    """The opposite of Attach."""

    ifindex: int
    name: str

    def describe(self) -> str:
        return f"detach the switch from {self.name}"


class Table(Enum):
    """The maps that are written entry by entry; values are their names in Datapath and Tables."""

    BRIDGES = "bridges"
    BRIDGE_FLOOD = "bridge_flood"
    PORTS = "ports"
    PORT_VLANS = "port_vlans"
    GUARDS = "guards"
    IFACES = "ifaces"
    INGRESS = "ingress"
    FLOOD_LISTS = "flood_lists"
    BONDS = "bonds"
    NAMES = "names"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Write(Step):
    """Set one entry of a map, or remove it when `value` is None; `words` say what that means."""

    table: Table
    key: Any
    value: Any
    words: str

    def describe(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class WriteCells(Step):
    """Write the members of a flood list to cells that nothing refers to yet."""

    start: int
    ports: tuple[int, ...]

    def describe(self) -> str:
        return f"write a flood list of {len(self.ports)} ports at cell {self.start}"


@dataclass(frozen=True, slots=True)
class ChangeFdb(Step):
    """Remove entries of the learning table."""

    op: FdbOp
    id: int

    def describe(self) -> str:
        which = "every address" if self.op in (FdbOp.PURGE_BRIDGE, FdbOp.PURGE_PORT) else "learned addresses"
        kind, name = self.owner
        return f"forget {which} of {kind.lower()} {name}"


@dataclass(frozen=True, slots=True)
class ZeroCounters(Step):
    """Start the counters of an interface, of a port's addresses or of a bridge's learning table at zero."""

    id: int

    def describe(self) -> str:
        kind, name = self.owner
        return f"zero the counters of {kind.lower()} {name}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order, and for objects that cannot be had why not."""

    steps: tuple[Step, ...] = ()
    problems: tuple[tuple[Owner, str], ...] = ()
