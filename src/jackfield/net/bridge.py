"""Linux bridges and their ports: settings, VLANs, membership (linux/if_link.h, linux/if_bridge.h)."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from jackfield.net.linkcodec import (
    IFLA_AF_SPEC,
    IFLA_IFNAME,
    IFLA_INFO_DATA,
    IFLA_INFO_KIND,
    IFLA_INFO_SLAVE_KIND,
    IFLA_LINKINFO,
    IFLA_MASTER,
    RTM_DELLINK,
    RTM_GETLINK,
    RTM_NEWLINK,
    RTM_SETLINK,
    ifinfo,
)
from jackfield.net.netlink import Netlink, attribute, attribute_list, attributes, nest, text, u32

AF_BRIDGE = 7
AGEING_TIME, STP_STATE, VLAN_FILTERING, VLAN_PROTOCOL, GROUP_FWD_MASK = 4, 5, 7, 8, 9
HAIRPIN, GUARD, ROOT_BLOCK, FAST_LEAVE, LEARNING, UNICAST_FLOOD, PROXY_ARP = 4, 5, 6, 7, 8, 9, 10
PROXY_ARP_WIFI, MULTICAST_FLOOD, MULTICAST_TO_UNICAST, VLAN_TUNNEL, BROADCAST_FLOOD = 12, 27, 28, 29, 30
PORT_GROUP_FWD_MASK, NEIGH_SUPPRESS, ISOLATED, BACKUP_PORT, LOCKED = 31, 32, 33, 34, 39

_TICKS = 100  # USER_HZ: hundredths of a second on every platform that Linux runs on today
_INFO_SLAVE_DATA, _EXT_MASK, _VLANS_IN_RANGES = 5, 29, 4
_BRIDGE_VLAN_INFO = 2
_VLAN = struct.Struct("=HH")
_PVID, _UNTAGGED, _RANGE_BEGIN, _RANGE_END = 2, 4, 8, 16
_PRIORITY, _NUMBER, _MULTICAST_ROUTER = 2, 18, 25
_WRITABLE = frozenset(
    {
        *(_PRIORITY, HAIRPIN, GUARD, ROOT_BLOCK, FAST_LEAVE, LEARNING, UNICAST_FLOOD, PROXY_ARP),
        *(PROXY_ARP_WIFI, _MULTICAST_ROUTER, MULTICAST_FLOOD, MULTICAST_TO_UNICAST, VLAN_TUNNEL),
        *(BROADCAST_FLOOD, NEIGH_SUPPRESS, ISOLATED),
    }
)


@dataclass(frozen=True, slots=True)
class BridgeVlan:
    """A VLAN of a port. `pvid`: untagged frames that come in belong to it."""

    vid: int
    pvid: bool = False
    untagged: bool = False  # what goes out has no tag


@dataclass(frozen=True, slots=True)
class BridgePort:
    """A device on a Linux bridge. `settings` are IFLA_BRPORT_* in the kernel's form."""

    ifindex: int
    name: str
    settings: tuple[tuple[int, bytes], ...] = ()
    vlans: tuple[BridgeVlan, ...] = ()

    def number(self, kind: int, default: int = 0) -> int:
        """A setting as a number."""
        return _number(dict(self.settings), kind, default)


@dataclass(frozen=True, slots=True)
class BridgeSettings:
    """A Linux bridge's own settings, IFLA_BR_* in the kernel's form, and the VLANs of its own device."""

    settings: tuple[tuple[int, bytes], ...] = ()
    vlans: tuple[BridgeVlan, ...] = ()

    def number(self, kind: int, default: int = 0) -> int:
        """A setting as a number, in the host's byte order."""
        return _number(dict(self.settings), kind, default)

    @property
    def ageing_seconds(self) -> float:
        """For how long an address is kept that nothing comes from."""
        return self.number(AGEING_TIME) / _TICKS


def read_bridge(netlink: Netlink, ifindex: int) -> tuple[BridgeSettings, tuple[BridgePort, ...]]:
    """A bridge and its ports, in the order of their numbers on it. Raises KernelError."""
    vlans = _vlans(netlink)
    settings = BridgeSettings(vlans=vlans.get(ifindex, ()))
    ports = []
    for body in netlink.dump("listing devices", RTM_GETLINK, ifinfo()):
        number = struct.unpack_from("=4xi", body)[0]
        found = attributes(body, 16)
        info = attributes(found.get(IFLA_LINKINFO, b""))
        if number == ifindex and info.get(IFLA_INFO_KIND, b"").rstrip(b"\0") == b"bridge":
            data = attribute_list(info.get(IFLA_INFO_DATA, b""))
            settings = BridgeSettings(data, vlans.get(ifindex, ()))
        elif found.get(IFLA_MASTER) == struct.pack("=I", ifindex):
            name = found[IFLA_IFNAME].rstrip(b"\0").decode(errors="surrogateescape")
            data = attribute_list(info.get(_INFO_SLAVE_DATA, b""))
            ports.append(BridgePort(number, name, data, vlans.get(number, ())))
    return settings, tuple(sorted(ports, key=lambda port: port.number(_NUMBER)))


def set_master(netlink: Netlink, ifindex: int, master: int) -> None:
    """Put a device on a bridge, or with 0 take it off the one that it is on. Raises KernelError."""
    netlink.request(
        f"device {ifindex}: setting master {master}",
        RTM_SETLINK,
        0,
        ifinfo(ifindex) + u32(IFLA_MASTER, master),
    )


def restore_port(netlink: Netlink, port: BridgePort) -> None:
    """Give a device that is on a bridge the settings and VLANs of `port`. Raises KernelError."""
    settings = b"".join(attribute(kind, value) for kind, value in port.settings if kind in _WRITABLE)
    info = nest(IFLA_LINKINFO, text(IFLA_INFO_SLAVE_KIND, "bridge"), nest(_INFO_SLAVE_DATA, settings))
    netlink.request(
        f"device {port.name}: restoring its settings on the bridge",
        RTM_NEWLINK,
        0,
        ifinfo(port.ifindex) + info,
    )
    present = _vlans(netlink).get(port.ifindex, ())
    unwanted = [vlan for vlan in present if vlan not in port.vlans]
    _change_vlans(netlink, RTM_DELLINK, port, unwanted)
    _change_vlans(netlink, RTM_SETLINK, port, [vlan for vlan in port.vlans if vlan not in present])


def _change_vlans(netlink: Netlink, kind: int, port: BridgePort, vlans: Iterable[BridgeVlan]) -> None:
    entries = [
        attribute(_BRIDGE_VLAN_INFO, _VLAN.pack(_PVID * vlan.pvid | _UNTAGGED * vlan.untagged, vlan.vid))
        for vlan in vlans
    ]
    if entries:
        header = bytes([AF_BRIDGE]) + ifinfo(port.ifindex)[1:]
        netlink.request(
            f"device {port.name}: restoring its VLANs", kind, 0, header + nest(IFLA_AF_SPEC, *entries)
        )


def _vlans(netlink: Netlink) -> dict[int, tuple[BridgeVlan, ...]]:
    """The VLANs of all devices on bridges and of bridges; none where bridges know no VLANs."""
    request = bytes([AF_BRIDGE]) + ifinfo()[1:] + u32(_EXT_MASK, _VLANS_IN_RANGES)
    found: dict[int, tuple[BridgeVlan, ...]] = {}
    for body in netlink.dump("listing VLANs of bridges", RTM_GETLINK, request):
        spec = attributes(body, 16).get(IFLA_AF_SPEC, b"")
        number = struct.unpack_from("=4xi", body)[0]
        entries = [_VLAN.unpack(raw) for kind, raw in attribute_list(spec) if kind == _BRIDGE_VLAN_INFO]
        found[number] = found.get(number, ()) + tuple(_expanded(entries))
    return found


def _expanded(entries: Iterable[tuple[int, int]]) -> Iterable[BridgeVlan]:
    begin = 0
    for flags, vid in entries:
        if flags & _RANGE_BEGIN:
            begin = vid
            continue
        first = begin if flags & _RANGE_END else vid
        for each in range(first, vid + 1):
            yield BridgeVlan(each, bool(flags & _PVID), bool(flags & _UNTAGGED))


def _number(found: dict[int, bytes], kind: int, default: int) -> int:
    value = found.get(kind)
    return int.from_bytes(value, sys.byteorder) if value is not None else default
