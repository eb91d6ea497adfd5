"""From columns of Open_vSwitch, Bridge and Port to the model's configuration (ovs-vswitchd.conf.db(5))."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from jackfield.model.config import (
    ETH_P_8021AD,
    ETH_P_8021Q,
    VLAN_MAX,
    BridgeConfig,
    PortConfig,
    PriorityTags,
    VlanMode,
)
from jackfield.net.pair import Kinds, PairKind
from jackfield.reconcile.guards import guard_config
from jackfield.reconcile.rows import Row, elements, integer, integer_option, mac, pairs, text, true
from jackfield.reconcile.wanted import Place

ALL_VLANS = frozenset(range(VLAN_MAX + 1))
MOST_TAGS = 2

_AGING_DEFAULT, _AGING_LEAST, _AGING_MOST = 300, 15, 3600
_TABLE_DEFAULT, _TABLE_LEAST, _TABLE_MOST = 8192, 10, 1_000_000
_STATS_DEFAULT_MS = 5000
_NATIVE = (VlanMode.NATIVE_TAGGED, VlanMode.NATIVE_UNTAGGED)
_MODES = {mode.value: mode for mode in VlanMode}
_PRIORITY_TAGS = {
    "always": PriorityTags.ALWAYS,
    "if-nonzero": PriorityTags.IF_NONZERO,
    "true": PriorityTags.IF_NONZERO,
}


def vlan_limit(root: Row) -> int:
    """The number of VLAN tags understood: Open_vSwitch.other_config:vlan-limit, 0 or less meaning most."""
    limit = integer_option(pairs(root, "other_config"), "vlan-limit", 1)
    return MOST_TAGS if limit <= 0 else min(limit, MOST_TAGS)


def stats_interval_ms(root: Row) -> int:
    """Open_vSwitch.other_config:stats-update-interval, in milliseconds, never under the default."""
    interval = integer_option(pairs(root, "other_config"), "stats-update-interval", _STATS_DEFAULT_MS)
    return max(interval, _STATS_DEFAULT_MS)


def bridge_config(row: Row) -> BridgeConfig:
    """The forwarding settings of a Bridge row, clamped as OVS clamps them; without ports."""
    options = pairs(row, "other_config")
    return BridgeConfig(
        name=text(row, "name"),
        mac_aging_time=_clamped(options, "mac-aging-time", _AGING_DEFAULT, _AGING_LEAST, _AGING_MOST),
        mac_table_size=_clamped(options, "mac-table-size", _TABLE_DEFAULT, _TABLE_LEAST, _TABLE_MOST),
        flood_vlans=elements(row, "flood_vlans") & ALL_VLANS,
        forward_bpdu=true(options, "forward-bpdu"),
    )


def _clamped(options: Mapping[str, str], key: str, default: int, least: int, most: int) -> int:
    value = integer_option(options, key, default) or default
    # A negative number is a huge one to OVS, whose settings are unsigned.
    return most if value < 0 else max(least, min(value, most))


def port_config(row: Row, patch_peer: str | None) -> PortConfig:
    """The forwarding settings of a Port row.

    What a mode does not use has its default, and the VLANs that a native port carries are spelled out:
    its own always, VLAN 0 never unless it is the native one. So equal values forward alike.
    """
    options = pairs(row, "other_config")
    tag = integer(row, "tag")
    if tag is not None and not 0 <= tag <= VLAN_MAX:
        tag = None
    asked = text(row, "vlan_mode")
    implied = VlanMode.TRUNK if tag is None or asked else VlanMode.ACCESS
    mode = _MODES.get(asked, implied)
    vlan = 0 if mode is VlanMode.TRUNK else tag or 0
    trunks = (elements(row, "trunks") & ALL_VLANS) or None
    cvlans = (elements(row, "cvlans") & ALL_VLANS) or None
    if mode in _NATIVE and vlan:
        trunks = (ALL_VLANS if trunks is None else trunks) - {0} | {vlan}
    tunnel = mode is VlanMode.DOT1Q_TUNNEL
    return PortConfig(
        name=text(row, "name"),
        vlan_mode=mode,
        tag=vlan,
        trunks=trunks if mode is VlanMode.TRUNK or mode in _NATIVE else None,
        cvlans=cvlans if tunnel else None,
        qinq_ethtype=ETH_P_8021Q if tunnel and options.get("qinq-ethtype") == "802.1q" else ETH_P_8021AD,
        priority_tags=_PRIORITY_TAGS.get(options.get("priority-tags", ""), PriorityTags.NEVER),
        protected=bool(row.get("protected")),
        mtu=None,
        patch_peer=patch_peer,
        guard=guard_config(options)[0],
    )


def address(asked: str) -> tuple[bytes | None, str | None]:
    """The MAC that a column asks for, and what is wrong with it if it cannot be a device's."""
    taken = mac(asked)
    if taken is None:
        return None, f'"{asked}" is not a MAC address' if asked else None
    if taken[0] & 1:
        return None, f"cannot set MAC address to multicast address {asked}"
    if not any(taken):
        return None, "cannot set MAC address to zero"
    return taken, None


def place(row: Row) -> Place | None:
    """The network namespace that an Interface row's options have an internal port made in, if one."""
    options = pairs(row, "options")
    if "netns" not in options:
        return None
    inode = options.get("netns-id")
    name = options.get("ifname") or text(row, "name")
    return Place(options["netns"], name, int(inode) if inode else None, true(options, "up"))


DEVICE_KINDS: dict[str, Kinds] = {
    **{kind.value: (kind,) for kind in PairKind},
    "prefer-netkit": (PairKind.NETKIT, PairKind.VETH),
}
"""By the value of Interface.other_config:device-kind: what an internal port may be made of."""


def device_kinds(row: Row) -> Kinds:
    """What an internal port is to be made of as its Interface row says; empty if that says nothing."""
    return DEVICE_KINDS.get(pairs(row, "other_config").get("device-kind", ""), ())


def datapath_id(row: Row) -> int | None:
    """The number that Bridge.other_config:datapath-id asks for: 16 hexadecimal digits, or fewer after 0x."""
    asked = pairs(row, "other_config").get("datapath-id", "")
    digits = asked[2:] if asked[:2] in ("0x", "0X") and len(asked) <= 18 else asked
    if digits is asked and len(asked) != 16:
        return None
    if not digits or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        return None
    return int(digits, 16) or None


def made_up_mac(uuid: str) -> bytes:
    """A bridge's stable, locally administered MAC, from its row's UUID: the same that OVS would give it on
    a little-endian machine."""
    fields = UUID(uuid).bytes
    taken = bytearray(fields[3::-1] + fields[7:5:-1])
    taken[0] = taken[0] & 0xFE | 0x02
    return bytes(taken)
