"""The desired state: what the kernel is to be brought to. Frozen values, no behaviour of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from jackfield.model.bonding.settings import BondSettings
from jackfield.model.config import BridgeConfig, PortConfig
from jackfield.model.lacp.settings import LacpSettings, LinkSettings
from jackfield.model.loops.settings import REPORT_ONLY, LoopSettings
from jackfield.net.pair import Kinds
from jackfield.reconcile.outcome import Warning


class Kind(Enum):
    """Interface types that are supported (Interface.type)."""

    SYSTEM = "system"
    INTERNAL = "internal"
    PATCH = "patch"


LOCAL_OFPORT = 65534


@dataclass(frozen=True, slots=True)
class Place:
    """Where an internal port is to be made: in the network namespace that the file `netns` stands for, with
    `ifname` as the device's name there. `netns_id` is the inode number that the namespace must have, so that
    a file such as /proc/PID/ns/net cannot come to mean another one; None when it may be any. `up`: the device
    is made up at once, where others wait for their user to bring them up."""

    netns: str
    ifname: str
    netns_id: int | None = None
    up: bool = False

    def origin(self, inode: int) -> str:
        """What marks a pair as made here, while the namespace has this inode number."""
        return f"{inode}/{self.ifname}"


@dataclass(frozen=True, slots=True)
class WantedInterface:
    """An interface of a port.

    `error` says why it cannot be had at all; `fault` what is wrong with one that is had. `kind` is None
    for a type that is not supported, which `type` names. `mac` is the address asked for, if one is.
    `peer` is the other end of a patch, None when that is not usable. `place` is where an internal port is to
    be made when that is not the switch's own namespace; `device_kinds` is what to make it of, empty
    when that is not said. `lacp` is set for those of a port with LACP.
    """

    name: str
    uuid: str | None
    type: str
    kind: Kind | None
    ofport: int
    local: bool = False
    mac: bytes | None = None
    mtu_request: int | None = None
    peer: str | None = None
    place: Place | None = None
    device_kinds: Kinds = ()
    lacp: LinkSettings | None = None
    error: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class WantedPort:
    """A port of the bridge of that name. `config.mtu` is left out: it is the device's matter. `mac` is
    Port.mac, `tag` is Port.tag as it is in the database. `mirror_output` tells that it does not count for the
    bridge's MAC. `bond` is set for a port of several interfaces, `lacp` for one that speaks LACP. `device`: a
    device is to bear the bond's name."""

    name: str
    uuid: str | None
    bridge: str
    config: PortConfig
    interfaces: tuple[WantedInterface, ...]
    tag: int | None = None
    mac: bytes | None = None
    fake_bridge: bool = False
    mirror_output: bool = False
    bond: BondSettings | None = None
    lacp: LacpSettings | None = None
    device: bool = False
    loops: LoopSettings = REPORT_ONLY
    error: str | None = None

    @property
    def key(self) -> str:
        """By which it is told from all other ports: its row, else the bridge that it is the local port of."""
        return self.uuid or self.name


@dataclass(frozen=True, slots=True)
class WantedBridge:
    """A bridge. `config.ports` is left empty in favour of `ports`. `hwaddr` is the MAC asked for,
    `default_mac` the one to take when neither that nor a port gives one; `datapath_id` is what was asked
    for, as a number."""

    name: str
    uuid: str
    config: BridgeConfig
    ports: tuple[WantedPort, ...]
    default_mac: bytes
    hwaddr: bytes | None = None
    datapath_id: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class Desired:
    """Everything that is wanted. `vlan_limit` is 1 or 2."""

    bridges: tuple[WantedBridge, ...] = ()
    vlan_limit: int = 1
    stats_interval_ms: int = 5000
    warnings: tuple[Warning, ...] = ()

    @cached_property
    def ports_of(self) -> Mapping[str, Mapping[str, WantedPort]]:
        """The ports of each bridge by key."""
        return {
            bridge.name: {port.uuid or port.name: port for port in bridge.ports} for bridge in self.bridges
        }

    @cached_property
    def ports(self) -> Mapping[str, WantedPort]:
        """All ports by key."""
        return {key: port for ports in self.ports_of.values() for key, port in ports.items()}

    @cached_property
    def interfaces(self) -> Sequence[WantedInterface]:
        """All interfaces."""
        return [interface for port in self.ports.values() for interface in port.interfaces]

    @cached_property
    def port_of(self) -> Mapping[str, WantedPort]:
        """The port of each interface by the interface's name."""
        return {interface.name: port for port in self.ports.values() for interface in port.interfaces}

    @cached_property
    def internal(self) -> frozenset[str]:
        """The names of internal interfaces."""
        return frozenset([each.name for each in self.interfaces if each.kind is Kind.INTERNAL])

    @cached_property
    def with_devices(self) -> Sequence[WantedPort]:
        """The bonds whose names devices are to bear."""
        return [port for port in self.ports.values() if port.device and port.bond and port.error is None]

    @cached_property
    def has_system(self) -> bool:
        """Whether there is an interface for a device that is there by itself."""
        return any(each.kind is Kind.SYSTEM for each in self.interfaces)

    @cached_property
    def _namespaces(self) -> Mapping[str, str]:
        return {each.name: each.place.netns for each in self.interfaces if each.place is not None}

    def namespaces(self) -> Mapping[str, str]:
        """The files of the network namespaces that internal ports are to be made in, by interface."""
        return self._namespaces
