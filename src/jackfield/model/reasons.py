"""Every way a frame can end inside the switch, by name.

The names are what users see and what the data path's own list (`bpf/abi.h`) uses.
"""

from __future__ import annotations

from enum import Enum


class DropReason(Enum):
    """Why a frame, or one copy of it, was not forwarded. `value` is the name, `text` says it in words."""

    RUNT = "runt", "shorter than an Ethernet header"
    SOURCE_MULTICAST = "source-multicast", "source address is a group address"
    RESERVED_DESTINATION = "reserved-destination", "link-local destination and forward-bpdu is off"
    VLAN_TRUNCATED = "vlan-truncated", "ends within its VLAN tag"
    VLAN_TAGGED_ON_ACCESS = "vlan-tagged-on-access", "tagged frame on an access port"
    VLAN_NOT_TRUNKED = "vlan-not-trunked", "VLAN is not in the port's trunks"
    VLAN_CUSTOMER_REFUSED = "vlan-customer-refused", "customer VLAN is not in the port's cvlans"
    SAME_PORT = "same-port", "destination is behind the port the frame came from"
    PROTECTED = "protected", "both the source and the destination port are protected"
    MTU_EXCEEDED = "mtu-exceeded", "longer than the MTU of the output interface"
    NO_DESTINATION = "no-destination", "no other port carries the frame's VLAN"
    TOO_MANY_HOPS = "too-many-hops", "passed through too many patch ports"
    PATCH_NO_PEER = "patch-no-peer", "patch port without a peer"
    PATCH_QUEUE_FULL = "patch-queue-full", "copied to too many patch ports at once"
    PORT_DOWN = "port-down", "output port is down or has no device"
    BOND_INACTIVE_MEMBER = "bond-inactive-member", "came in by a bond member that is not to receive it"
    BOND_MULTICAST_INACTIVE = "bond-multicast-inactive", "group destination on an inactive bond member"
    BOND_MOVED = "bond-moved", "source address is behind another port: a reflection from a bond"
    BOND_NO_LACP = "bond-no-lacp", "LACP has not been negotiated on the bond"
    BOND_NO_MEMBER = "bond-no-member", "no member of the bond can carry the frame"
    STORM_BROADCAST = "storm-broadcast", "more broadcast than the port's limit lets in"
    STORM_MULTICAST = "storm-multicast", "more multicast than the port's limit lets in"
    STORM_UNKNOWN_UNICAST = "storm-unknown-unicast", "more unknown unicast than the port's limit lets in"
    MAC_LIMIT = "mac-limit", "new source address on a port with as many as its mac-limit"
    MAC_LOCKED = "mac-locked", "source address is none of those that the port is locked to"
    MAC_STICKY = "mac-sticky", "source address belongs to another port, which port-security keeps it on"
    BOUND_MAC = "bound-mac", "source MAC address is none of the port's allowed-addresses"
    BOUND_IP = "bound-ip", "source IP address is none of the port's allowed-addresses"
    BOUND_ARP = (
        "bound-arp",
        "sender in ARP is not the frame's, or none of the port's allowed-addresses",
    )
    BOUND_ND = "bound-nd", "neighbour discovery for others than the port's allowed-addresses"
    BPDU_GUARD = "bpdu-guard", "BPDU on a port with bpdu-guard, which is disabled by it"
    PORT_DISABLED = "port-disabled", "the port is disabled: `jackfield status` says why"
    UPCALL_LIMIT = "upcall-limit", "more frames for the control plane than it takes"
    VLAN_EDIT_FAILED = "vlan-edit-failed", "kernel could not change the VLAN tags"
    SEND_FAILED = "send-failed", "output device refused the frame"

    text: str

    def __new__(cls, name: str, text: str) -> DropReason:
        member = object.__new__(cls)
        member._value_ = name
        member.text = text
        return member
