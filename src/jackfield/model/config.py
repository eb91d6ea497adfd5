"""What a switch is told to do with frames: bridges, ports and their VLAN rules, as frozen values.

Names and meanings follow ovs-vswitchd.conf.db(5), tables Open_vSwitch, Bridge and Port. Device matters
(names in the kernel, addresses, namespaces) are not here: two configurations that are equal forward
every frame alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from jackfield.model.protection import GuardConfig

VLAN_MAX = 4095
ETH_P_8021Q = 0x8100
ETH_P_8021AD = 0x88A8


class VlanMode(Enum):
    """How a port treats VLAN tags (Port.vlan_mode)."""

    ACCESS = "access"
    TRUNK = "trunk"
    NATIVE_TAGGED = "native-tagged"
    NATIVE_UNTAGGED = "native-untagged"
    DOT1Q_TUNNEL = "dot1q-tunnel"


class PriorityTags(Enum):
    """When an otherwise untagged frame leaves with a tag of VLAN 0 (Port.other_config:priority-tags)."""

    NEVER = "never"
    IF_NONZERO = "if-nonzero"
    ALWAYS = "always"


class BondMode(Enum):
    """How a bond spreads frames over its members (Port.bond_mode)."""

    ACTIVE_BACKUP = "active-backup"
    BALANCE_SLB = "balance-slb"
    BALANCE_TCP = "balance-tcp"


@dataclass(frozen=True, slots=True)
class BondConfig:
    """What makes a port a bond. `members` are the names of its interfaces, by place. `basis` goes into
    hashes; `lacp` asks for LACP, and with `fallback_ab` the bond is active-backup while that has not been
    negotiated, instead of carrying nothing. With `all_members_active` group addressed frames come in by
    any member of a balance-slb bond."""

    members: tuple[str, ...]
    mode: BondMode = BondMode.ACTIVE_BACKUP
    basis: int = 0
    lacp: bool = False
    fallback_ab: bool = False
    all_members_active: bool = False


@dataclass(frozen=True, slots=True)
class PortConfig:
    """One switch port.

    `tag` is the VLAN of an access or dot1q-tunnel port and the native VLAN of a native port; a trunk
    port has none. `trunks` and `cvlans` are the VLANs (0 to 4095) carried by a trunk or native port,
    and the customer VLANs of a dot1q-tunnel port; None means all. `mtu` is the most bytes of payload
    behind the Ethernet header and one VLAN tag that may leave by this port; None means no limit, and a
    patch port has none. `patch_peer` names the port, of this or another bridge, that a patch port is
    wired to; None on every other kind of port. `bond` is set when frames come in and leave by several
    interfaces instead of one that has the port's name. `guard` has its protections, if any.
    """

    name: str
    vlan_mode: VlanMode = VlanMode.TRUNK
    tag: int = 0
    trunks: frozenset[int] | None = None
    cvlans: frozenset[int] | None = None
    qinq_ethtype: int = ETH_P_8021AD
    priority_tags: PriorityTags = PriorityTags.NEVER
    protected: bool = False
    mtu: int | None = 1500
    patch_peer: str | None = None
    bond: BondConfig | None = None
    guard: GuardConfig | None = None

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The names of the interfaces by which frames come in and leave."""
        return self.bond.members if self.bond is not None else (self.name,)


@dataclass(frozen=True, slots=True)
class BridgeConfig:
    """One bridge. Ageing is in seconds; the table size counts learned entries; VLANs in
    `flood_vlans` are never learned, so their frames are always flooded."""

    name: str
    ports: tuple[PortConfig, ...] = ()
    mac_aging_time: int = 300
    mac_table_size: int = 8192
    flood_vlans: frozenset[int] = frozenset()
    forward_bpdu: bool = False


@dataclass(frozen=True, slots=True)
class SwitchConfig:
    """All bridges of one switch. Port names are unique in the whole switch. `vlan_limit` is the number
    of VLAN tags that are understood in a frame, 0 meaning the most there can be (2); deeper tags are
    payload. Frames to the address `probe` are the control plane's, which looks for loops with them."""

    bridges: tuple[BridgeConfig, ...] = ()
    vlan_limit: int = 1
    probe: bytes | None = None
