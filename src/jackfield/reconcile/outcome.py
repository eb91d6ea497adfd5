"""What a reconciliation came to, for status columns, unixctl commands and logs: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from jackfield.model.bonding.settings import BondSettings
from jackfield.model.config import BridgeConfig, PortConfig
from jackfield.model.lacp.settings import LacpSettings, LinkSettings
from jackfield.model.loops.settings import REPORT_ONLY, LoopSettings


class State(Enum):
    """How far an object of the configuration has come."""

    OK = "ok"
    PENDING = "pending"
    DISABLED = "disabled"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Warning:
    """Something in the configuration that is not done as asked: `table` and `name` say where."""

    table: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ObjectState:
    """State of one Bridge, Port or Interface; `message` is one sentence, empty when it is OK."""

    kind: str
    name: str
    state: State
    message: str = ""


@dataclass(frozen=True, slots=True)
class InterfaceOutcome:
    """An interface as it is now. None stands for "not known" or "does not apply".

    `uuid` is the Interface row, None for a local port that no row describes. `id` is the data plane's
    interface id, 0 when it has none. `ofport` is -1 when the interface could not be had, `waits` tells that
    it is to be made in a network namespace that may come. `error` is the
    text of the Interface's error column; a patch without a usable peer has both an ofport and an error.
    `ifindex`, `mac_in_use`, `mtu` and the states are of the user's end of an internal port, which is in
    the namespace that the switch knows by `nsid` (None: its own). `switch_ifindex` is the device that the
    switch sends to. `link_speed` is in bits per second.
    """

    name: str
    uuid: str | None
    bridge: str
    port: str
    type: str
    ofport: int = -1
    id: int = 0
    ifindex: int | None = None
    switch_ifindex: int | None = None
    nsid: int | None = None
    mac_in_use: str | None = None
    mtu: int | None = None
    admin_state: str | None = None
    link_state: str | None = None
    link_speed: int | None = None
    duplex: str | None = None
    status: Mapping[str, str] = field(default_factory=dict)
    lacp: LinkSettings | None = None
    error: str | None = None
    waits: bool = False


class DisabledBy(Enum):
    """Why a port carries no frames."""

    LOOP = "loop"
    BPDU_GUARD = "bpdu-guard"


@dataclass(frozen=True, slots=True)
class Disabled:
    """A port that carries no frames until it is enabled again. `since` is CLOCK_MONOTONIC in seconds, `other`
    the loop's other port, None when there is none or it is gone."""

    by: DisabledBy
    since: float
    other: str | None = None


@dataclass(frozen=True, slots=True)
class PortOutcome:
    """A port as it is now; `id` is the data plane's port id, 0 when it has none. `ofport` is that of its
    first interface that is there, -1 when none is. `config.mtu` is left out: see InterfaceOutcome.

    `bond` is set for a port of several interfaces; `bond_id` is then the data plane's number of the bond, 0
    when it has none, and `members` are names of interfaces, each at the place of the member, empty where
    there is none. `lacp` is set for a port that speaks LACP, be it a bond or not. `disabled` is set while the
    port carries no frames."""

    name: str
    uuid: str | None
    bridge: str
    config: PortConfig
    interfaces: tuple[str, ...]
    id: int = 0
    ofport: int = -1
    bond: BondSettings | None = None
    lacp: LacpSettings | None = None
    bond_id: int = 0
    members: tuple[str, ...] = ()
    loops: LoopSettings = REPORT_ONLY
    disabled: Disabled | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class BridgeOutcome:
    """A bridge as it is now; `id` is the data plane's bridge id, 0 when it has none. `datapath_id` has 16
    hexadecimal digits. The ports of `config` are left empty: see PortOutcome."""

    name: str
    uuid: str
    config: BridgeConfig
    id: int = 0
    mac: str | None = None
    datapath_id: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one pass. `steps` says in plain words what was done to the kernel, in order: empty
    when nothing was to do; `repaired` are those that undid what somebody else had changed, `notes` those that
    a user should hear of. `complete` is false when a step failed; such a pass is worth repeating when
    something changes. `vlan_limit` and
    `stats_interval_ms` are the settings of the whole switch."""

    bridges: tuple[BridgeOutcome, ...] = ()
    ports: tuple[PortOutcome, ...] = ()
    interfaces: tuple[InterfaceOutcome, ...] = ()
    objects: tuple[ObjectState, ...] = ()
    warnings: tuple[Warning, ...] = ()
    steps: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    complete: bool = True
    vlan_limit: int = 1
    stats_interval_ms: int = 5000
