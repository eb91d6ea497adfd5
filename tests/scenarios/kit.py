"""The language in which scenarios are written: switches, frames and steps, as plain values.

A scenario says what goes in and what must come out, and nothing of how it is run: the same table runs
against the model, the compiled program and a real switch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from jackfield.model import (
    ETH_P_8021AD,
    ETH_P_8021Q,
    Address,
    BondConfig,
    BondMode,
    BridgeConfig,
    DropReason,
    FdbCounters,
    PortConfig,
    PriorityTags,
    SwitchConfig,
    Tag,
    VlanMode,
)
from jackfield.model.frame import Frame

ETHERTYPE = b"\x88\xb5"  # IEEE 802 local experimental: no stack has an opinion about it
PAYLOAD = 46  # the least that Ethernet carries

BROADCAST = "ff:ff:ff:ff:ff:ff"
GROUP = "01:00:5e:00:00:fb"
SPANNING_TREE = "01:80:c2:00:00:00"
LINK_DISCOVERY = "01:80:c2:00:00:0e"


def mac(name: str) -> bytes:
    """The address of a station named by a letter, or an address written out."""
    if ":" in name:
        return bytes.fromhex(name.replace(":", ""))
    return bytes((2, 0, 0, 0, 0, ord(name)))


def ctag(vid: int, pcp: int = 0, dei: bool = False) -> Tag:
    """A customer tag (802.1Q)."""
    return Tag(ETH_P_8021Q, vid, pcp, dei)


def stag(vid: int, pcp: int = 0, dei: bool = False) -> Tag:
    """A service tag (802.1ad)."""
    return Tag(ETH_P_8021AD, vid, pcp, dei)


def frame(src: str, dst: str, *tags: Tag, payload: int = PAYLOAD) -> bytes:
    """A frame between two stations with any tags, outermost first, and so many bytes of payload."""
    return Frame(mac(dst), mac(src), tags, ETHERTYPE + bytes(i & 0xFF for i in range(payload))).pack()


def untagged(src: str, dst: str, payload: int = PAYLOAD) -> bytes:
    """A frame without tags."""
    return frame(src, dst, payload=payload)


def tagged(vid: int, src: str, dst: str, pcp: int = 0, payload: int = PAYLOAD) -> bytes:
    """A frame with one 802.1Q tag."""
    return frame(src, dst, ctag(vid, pcp), payload=payload)


def trunk(name: str, *vlans: int, **more: object) -> PortConfig:
    """A trunk port for the VLANs named, or for all."""
    return _port(name, VlanMode.TRUNK, trunks=_set(vlans), **more)


def access(name: str, vlan: int, **more: object) -> PortConfig:
    """An access port."""
    return _port(name, VlanMode.ACCESS, tag=vlan, **more)


def native_tagged(name: str, vlan: int, *vlans: int, **more: object) -> PortConfig:
    """A native-tagged port, with its native VLAN and the VLANs it trunks (none named: all)."""
    return _port(name, VlanMode.NATIVE_TAGGED, tag=vlan, trunks=_set(vlans), **more)


def native_untagged(name: str, vlan: int, *vlans: int, **more: object) -> PortConfig:
    """A native-untagged port, with its native VLAN and the VLANs it trunks (none named: all)."""
    return _port(name, VlanMode.NATIVE_UNTAGGED, tag=vlan, trunks=_set(vlans), **more)


def tunnel(name: str, vlan: int, *customers: int, **more: object) -> PortConfig:
    """A dot1q-tunnel port, with its service VLAN and the customer VLANs it takes (none named: all)."""
    return _port(name, VlanMode.DOT1Q_TUNNEL, tag=vlan, cvlans=_set(customers), **more)


def patch(name: str, peer: str, **more: object) -> PortConfig:
    """A patch port; a trunk for all VLANs."""
    return _port(name, VlanMode.TRUNK, patch_peer=peer, mtu=None, **more)


def bond(
    name: str, *members: str, mode: BondMode = BondMode.ACTIVE_BACKUP, basis: int = 0, **more: object
) -> PortConfig:
    """A bond of these interfaces; a trunk for all VLANs. What else is given is the bond's."""
    return PortConfig(name, bond=BondConfig(members, mode, basis, **more))  # type: ignore[arg-type]


def bridge(name: str, *ports: PortConfig, **more: object) -> BridgeConfig:
    """A bridge with these ports."""
    return replace(BridgeConfig(name, ports), **more)  # type: ignore[arg-type]


def switch(
    *parts: BridgeConfig | PortConfig, vlan_limit: int = 1, probe: str | None = None, **more: object
) -> SwitchConfig:
    """A switch of bridges, or of one bridge `br0` with the ports given."""
    bridges = tuple(part for part in parts if isinstance(part, BridgeConfig))
    ports = tuple(part for part in parts if isinstance(part, PortConfig))
    address = mac(probe) if probe is not None else None
    return SwitchConfig(bridges or (bridge("br0", *ports, **more),), vlan_limit, address)


def _port(name: str, mode: VlanMode, **more: object) -> PortConfig:
    return PortConfig(name, vlan_mode=mode, **more)  # type: ignore[arg-type]


def _set(vlans: Iterable[int]) -> frozenset[int] | None:
    return frozenset(vlans) or None


@dataclass(frozen=True)
class Send:
    """A frame enters by a port; it must leave by exactly the ports in `outputs`, as the bytes there, and
    `drops` (port where it is counted, reason) must be exactly the ends it came to."""

    port: str
    frame: bytes
    outputs: Mapping[str, bytes] = field(default_factory=dict)
    drops: tuple[tuple[str, DropReason], ...] = ()

    def reaches(self, *ports: str) -> Send:
        """It leaves by these ports as it came."""
        return self.becomes(self.frame, *ports)

    def becomes(self, frame: bytes, *ports: str) -> Send:
        """It leaves by these ports as another frame."""
        return replace(self, outputs={**self.outputs, **dict.fromkeys(ports, frame)})

    def ends(self, reason: DropReason, at: str | None = None, times: int = 1) -> Send:
        """It, or so many copies, are dropped, which is counted where it came in or at another port."""
        return replace(self, drops=self.drops + ((at or self.port, reason),) * times)


@dataclass(frozen=True)
class Wait:
    """So many seconds pass without a frame."""

    seconds: float


@dataclass(frozen=True)
class AddStatic:
    """A static entry is put into a bridge's learning table."""

    station: str
    port: str
    vlan: int = 0
    bridge: str = "br0"

    @property
    def address(self) -> Address:
        return Address(self.vlan, mac(self.station))


@dataclass(frozen=True)
class Known:
    """The learning table of a bridge now has exactly these entries that are not too old, static ones
    included: (VLAN, address) to port."""

    entries: Mapping[Address, str]
    bridge: str = "br0"


def known(*entries: tuple[str, int, str], bridge: str = "br0") -> Known:
    """Exactly these stations are known: (station, VLAN, port)."""
    return Known({Address(vlan, mac(station)): port for station, vlan, port in entries}, bridge)


@dataclass(frozen=True)
class Counted:
    """The counters of a port since the beginning are these; drops are counted by reason."""

    port: str
    rx_packets: int = 0
    rx_bytes: int = 0
    tx_packets: int = 0
    tx_bytes: int = 0
    drops: Mapping[DropReason, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TableCounted:
    """The counters of a bridge's learning table since the beginning are these."""

    counters: FdbCounters
    bridge: str = "br0"


@dataclass(frozen=True)
class Link:
    """The link of a member of a bond goes or comes."""

    bond: str
    member: str
    up: bool


@dataclass(frozen=True)
class Negotiated:
    """LACP comes about on a bond, with these members receiving and sending."""

    bond: str
    members: tuple[str, ...]


def link_down(bond: str, member: str) -> Link:
    """A member of a bond loses its link."""
    return Link(bond, member, up=False)


def link_up(bond: str, member: str) -> Link:
    """A member of a bond has its link again."""
    return Link(bond, member, up=True)


@dataclass(frozen=True)
class Disabled:
    """A port is disabled, or enabled again."""

    port: str
    disabled: bool = True


@dataclass(frozen=True)
class Watched:
    """The control plane says that it looks after loops for so many seconds: what it does all the time on a
    real switch."""

    seconds: float


@dataclass(frozen=True)
class Storm:
    """A frame enters by two ports in turn, so many times by each, all within a moment. What becomes of it is
    not looked at."""

    ports: tuple[str, str]
    frame: bytes
    times: int


Step = (
    Storm | Watched | Disabled | Link | Negotiated | Send | Wait | AddStatic | Known | Counted | TableCounted
)


class Reach(IntEnum):
    """The most real place where a scenario can run: everywhere below it can run too."""

    MODEL = 0
    PROGRAM = 1  # the compiled program, run by the kernel on bytes, with a clock of the test's choice
    WIRE = 2  # a real switch, real devices, real time


@dataclass(frozen=True)
class Scenario:
    """A sentence that holds, a switch, and the steps that show it."""

    sentence: str
    config: SwitchConfig
    steps: tuple[Step, ...]
    reach: Reach = Reach.WIRE


ALWAYS = PriorityTags.ALWAYS
IF_NONZERO = PriorityTags.IF_NONZERO
