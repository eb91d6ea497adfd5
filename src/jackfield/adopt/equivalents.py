"""What a Linux bridge's settings are on the switch, and which have no equivalent there. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jackfield.net import bridge as lb
from jackfield.net.bridge import BridgePort, BridgeSettings, BridgeVlan

LEAST_AGEING, MOST_AGEING = 15, 3600  # seconds
_ALL_VLANS = 4094
_VLAN_PROTOCOL_8021Q = b"\x81\x00"

_PORT_SETTINGS = (
    (lb.HAIRPIN, 0, "hairpin mode"),
    (lb.LEARNING, 1, "learning turned off"),
    (lb.UNICAST_FLOOD, 1, "flooding of unknown unicast turned off"),
    (lb.MULTICAST_FLOOD, 1, "flooding of multicast turned off"),
    (lb.BROADCAST_FLOOD, 1, "flooding of broadcast turned off"),
    (lb.PROXY_ARP, 0, "proxy ARP"),
    (lb.PROXY_ARP_WIFI, 0, "proxy ARP for Wi-Fi"),
    (lb.MULTICAST_TO_UNICAST, 0, "multicast to unicast"),
    (lb.VLAN_TUNNEL, 0, "VLAN tunnels"),
    (lb.PORT_GROUP_FWD_MASK, 0, "a group forwarding mask"),
    (lb.NEIGH_SUPPRESS, 0, "neighbour suppression"),
    (lb.BACKUP_PORT, 0, "a backup port"),
    (lb.LOCKED, 0, "a lock (802.1X)"),
)
"""What a port must have, and what it is called when it has not."""


def bridge_problems(bridge: BridgeSettings) -> list[str]:
    """What of a bridge's own settings has no equivalent."""
    found = []
    if bridge.number(lb.STP_STATE):
        found.append("spanning tree")
    if bridge.number(lb.GROUP_FWD_MASK):
        found.append("a group forwarding mask")
    if bridge.number(lb.VLAN_FILTERING):
        protocol = dict(bridge.settings).get(lb.VLAN_PROTOCOL, _VLAN_PROTOCOL_8021Q)
        if protocol != _VLAN_PROTOCOL_8021Q:
            found.append("VLANs of 802.1ad")
        found += _vlan_problems(bridge.vlans)
    if not LEAST_AGEING <= bridge.ageing_seconds <= MOST_AGEING:
        found.append(
            f"an ageing time of {bridge.ageing_seconds:g} s (it can be {LEAST_AGEING} to {MOST_AGEING} s)"
        )
    return found


def port_problems(port: BridgePort, filtering: bool) -> list[str]:
    """What of a port's settings has no equivalent."""
    found = [words for kind, usual, words in _PORT_SETTINGS if port.number(kind, usual) != usual]
    return found + (_vlan_problems(port.vlans) if filtering else [])


def port_columns(port: BridgePort, filtering: bool) -> dict[str, Any]:
    """The columns of a Port row that say the same."""
    columns: dict[str, Any] = {"protected": True} if port.number(lb.ISOLATED) else {}
    return columns | (vlan_columns(port.vlans) if filtering else {})


def bridge_config(bridge: BridgeSettings) -> dict[str, str]:
    """The keys of a Bridge's other_config that say the same."""
    return {"mac-aging-time": str(int(bridge.ageing_seconds))}


def vlan_columns(vlans: Sequence[BridgeVlan]) -> dict[str, Any]:
    """Columns tag, trunks and vlan_mode for a list of VLANs without problems."""
    native = next((vlan for vlan in vlans if vlan.pvid), None)
    trunks: dict[str, Any] = {"trunks": [vlan.vid for vlan in vlans]}
    if native is None:
        return trunks
    if len(vlans) == 1 and native.untagged:
        return {"tag": native.vid}
    mode = "native-untagged" if native.untagged else "native-tagged"
    return {"tag": native.vid, "vlan_mode": mode, **(trunks if len(vlans) < _ALL_VLANS else {})}


def _vlan_problems(vlans: Sequence[BridgeVlan]) -> list[str]:
    if not vlans:
        return ["no VLAN at all"]
    odd = [str(vlan.vid) for vlan in vlans if vlan.untagged and not vlan.pvid]
    return [f"VLAN {', '.join(odd)} sent untagged besides the port's own"] if odd else []
