"""A switch of a scenario as the words that ovs-vsctl is given to make it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jackfield.model import (
    ETH_P_8021Q,
    BondConfig,
    BridgeConfig,
    GuardConfig,
    PortConfig,
    PortSecurity,
    PriorityTags,
    SwitchConfig,
    VlanMode,
)

UNUSED_VLAN = 4093  # of local ports: no scenario uses it, so they take no part
LEAST_TABLE_SIZE = 10  # OVS takes a smaller mac-table-size for this


def ofports(bridge: BridgeConfig) -> dict[int, str]:
    """The OpenFlow port numbers by which ports are known, and whose they are: those asked for, of a bond that
    of its first member."""
    numbers = _requests(bridge)
    return {numbers[port.interfaces[0]]: port.name for port in bridge.ports}


def _requests(bridge: BridgeConfig) -> dict[str, int]:
    names = (name for port in bridge.ports for name in port.interfaces)
    return {name: number for number, name in enumerate(names, 1)}


def build(config: SwitchConfig, interface: Callable[[PortConfig], Iterable[str]]) -> list[str]:
    """The arguments of one ovs-vsctl that makes the whole switch; `interface` gives the settings of the
    Interface of each port that is not a patch port, such as its type."""
    words = ["set", "Open_vSwitch", ".", f"other_config:vlan-limit={config.vlan_limit}"]
    for bridge in config.bridges:
        words += ["--", "add-br", bridge.name, "--", "set", "Bridge", bridge.name, *_bridge_settings(bridge)]
        words += ["--", "set", "Port", bridge.name, f"trunks={UNUSED_VLAN}"]
        for port in bridge.ports:
            settings = [f"options:peer={port.patch_peer}", "type=patch"]
            if port.patch_peer is None:
                settings = list(interface(port))
            add = ["add-port", bridge.name, port.name]
            if port.bond is not None:
                add = ["add-bond", bridge.name, port.name, *port.bond.members, *_bond_settings(port.bond)]
            words += ["--", *add, *_port_settings(port)]
            for name in port.interfaces:
                number = _requests(bridge)[name]
                words += ["--", "set", "Interface", name, f"ofport_request={number}", *settings]
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


def _bond_settings(bond: BondConfig) -> list[str]:
    # The database has it as an integer of 32 bits with a sign.
    basis = bond.basis - (1 << 32) if bond.basis >> 31 else bond.basis
    return [
        f"bond_mode={bond.mode.value}",
        f"lacp={'active' if bond.lacp else 'off'}",
        f"other_config:bond-hash-basis={basis}",
        f"other_config:lacp-fallback-ab={str(bond.fallback_ab).lower()}",
        f"other_config:all-members-active={str(bond.all_members_active).lower()}",
    ]


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
    if port.guard is not None:
        settings += _protections(port.guard)
    return settings


def _protections(guard: GuardConfig) -> list[str]:
    values = {
        "storm-broadcast": guard.storm_broadcast,
        "storm-multicast": guard.storm_multicast,
        "storm-unknown-unicast": guard.storm_unknown_unicast,
        "storm-burst": guard.storm_burst,
        "mac-limit": guard.mac_limit,
    }
    settings = [f"other_config:{key}={value}" for key, value in values.items() if value is not None]
    if guard.mac_limit is not None:
        settings.append(f"other_config:mac-limit-action={guard.mac_limit_action.value}")
    if guard.security is not PortSecurity.NONE:
        settings.append(f"other_config:port-security={guard.security.value}")
    if guard.allowed_macs:
        listed = " ".join(each.hex(":") for each in sorted(guard.allowed_macs))
        settings.append(f'other_config:allowed-macs="{listed}"')
    if guard.bpdu_guard:
        settings.append("other_config:bpdu-guard=true")
    sources = [each.hex(":") for each in sorted(guard.bound_macs)] + sorted(map(str, guard.bound_networks))
    if sources:
        settings.append(f'other_config:allowed-addresses="{" ".join(sources)}"')
    return settings


def _list(numbers: Iterable[int]) -> str:
    return "[" + ",".join(str(number) for number in sorted(numbers)) + "]"
