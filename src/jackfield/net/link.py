"""A network device as the kernel describes it (rtnetlink(7), linux/if_link.h)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LinkStats:
    """A device's own counters, from its own point of view (struct rtnl_link_stats64)."""

    rx_packets: int = 0
    tx_packets: int = 0
    rx_bytes: int = 0
    tx_bytes: int = 0
    rx_errors: int = 0
    tx_errors: int = 0
    rx_dropped: int = 0
    tx_dropped: int = 0
    multicast: int = 0
    collisions: int = 0
    rx_length_errors: int = 0
    rx_over_errors: int = 0
    rx_crc_errors: int = 0
    rx_frame_errors: int = 0
    rx_fifo_errors: int = 0
    rx_missed_errors: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """One device. Statistics take no part in comparison, so that equal means "nothing was changed"."""

    ifindex: int
    name: str
    mac: bytes = b""  # empty when it has no Ethernet address
    mtu: int = 0
    min_mtu: int = 0  # 0: not told
    max_mtu: int = 0  # 0: not told
    up: bool = False  # administratively (IFF_UP)
    running: bool = False  # operational (IFF_RUNNING)
    carrier: bool = False
    promiscuous: bool = False  # somebody asked with `ip link … promisc on` (IFF_PROMISC)
    promiscuity: int = 0  # how many ask for it, IFF_PROMISC among them
    loopback: bool = False
    arp_type: int = 1  # ARPHRD_*; 1 is Ethernet
    operstate: int = 0  # RFC 2863 ifOperStatus as the kernel numbers it: IF_OPER_*; 6 is up
    kind: str = ""  # "veth", "bridge", …; empty for a physical device
    slave_kind: str = ""  # what kind of master holds it: "bridge", "bond", …
    alias: str = ""
    peer_ifindex: int = 0  # IFLA_LINK: the other end of a pair, the lower device of a VLAN; 0: none
    peer_nsid: int | None = None  # IFLA_LINK_NETNSID: where that is when it is not in this namespace
    master: int = 0
    group: int = 0  # `ip link set … group`
    carrier_changes: int = 0
    stats: LinkStats = field(default=LinkStats(), compare=False)


def is_device_name(name: str) -> bool:
    """Whether a network device can have that name."""
    # Bytes of a command line that are no UTF-8 come as surrogates, which the database could not hold.
    bad = re.search(r"[\s/:\0\ud800-\udfff]", name) or name in (".", "..")
    return not bad and 0 < len(name.encode()) <= 15
