"""A switch of a scenario as the words that ovs-vsctl is given to make it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jackfield.model import ETH_P_8021Q, BridgeConfig, PortConfig, PriorityTags, SwitchConfig, VlanMode

UNUSED_VLAN = 4093  # of local ports: no scenario uses it, so they take no part
LEAST_TABLE_SIZE = 10  # OVS takes a smaller mac-table-size for this


def ofports(bridge: BridgeConfig) -> dict[int, str]:
    """The OpenFlow port numbers asked for, and whose they are."""
    return dict(enumerate((port.name for port in bridge.ports), 1))


def build(config: SwitchConfig, interface: Callable[[PortConfig], Iterable[str]]) -> list[str]:
    """The arguments of one ovs-vsctl that makes the whole switch; `interface` gives the settings of the
    Interface of each port that is not a patch port, such as its type."""
    words = ["set", "Open_vSwitch", ".", f"other_config:vlan-limit={config.vlan_limit}"]
    for bridge in config.bridges:
        words += ["--", "add-br", bridge.name, "--", "set", "Bridge", bridge.name, *_bridge_settings(bridge)]
        words += ["--", "set", "Port", bridge.name, f"trunks={UNUSED_VLAN}"]
        for number, port in enumerate(bridge.ports, 1):
            settings = [f"options:peer={port.patch_peer}", "type=patch"]
            if port.patch_peer is None:
                settings = list(interface(port))
            words += ["--", "add-port", bridge.name, port.name, *_port_settings(port)]
            words += ["--", "set", "Interface", port.name, f"ofport_request={number}", *settings]
    return words


def destroy(config: SwitchConfig) -> list[str]:
    """The arguments of one ovs-vsctl that removes it again."""
    words = [word for bridge in config.bridges for word in ("--", "--if-exists", "del-br", bridge.name)]
    return words[1:]


def _bridge_settings(bridge: BridgeConfig) -> list[str]:
    settings = [
        f"other_config:mac-aging-time={bridge.mac_aging_time}",
        f"other_config:mac-table-size={bridge.mac_table_size}",
        f"other_config:forward-bpdu={str(bridge.forward_bpdu).lower()}",
    ]
    if bridge.flood_vlans:
        settings.append(f"flood_vlans={_list(bridge.flood_vlans)}")
    return settings


def _port_settings(port: PortConfig) -> list[str]:
    settings = [f"vlan_mode={port.vlan_mode.value}"]
    if port.vlan_mode is not VlanMode.TRUNK:
        settings.append(f"tag={port.tag}")
    if port.trunks is not None:
        settings.append(f"trunks={_list(port.trunks)}")
    if port.cvlans is not None:
        settings.append(f"cvlans={_list(port.cvlans)}")
    if port.vlan_mode is VlanMode.DOT1Q_TUNNEL:
        protocol = "802.1q" if port.qinq_ethtype == ETH_P_8021Q else "802.1ad"
        settings.append(f"other_config:qinq-ethtype={protocol}")
    if port.priority_tags is not PriorityTags.NEVER:
        settings.append(f"other_config:priority-tags={port.priority_tags.value}")
    if port.protected:
        settings.append("protected=true")
    return settings


def _list(numbers: Iterable[int]) -> str:
    return "[" + ",".join(str(number) for number in sorted(numbers)) + "]"
