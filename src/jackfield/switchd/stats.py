"""The `statistics` column of interfaces (ovs-vswitchd.conf.db(5), Interface): pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from jackfield.datapath._abi import Counters, DropReason
from jackfield.net.link import LinkStats

EGRESS_REASONS = frozenset({DropReason.MTU_EXCEEDED, DropReason.VLAN_EDIT_FAILED, DropReason.SEND_FAILED})
"""The reasons that are counted in the name of the interface a frame should have left by."""

DropsByInterface = Mapping[int, Mapping[DropReason, int]]


def drops_by_interface(drops: Mapping[tuple[int, DropReason], int]) -> DropsByInterface:
    """Drop counters regrouped: interface id to reason to number of frames; zeros left out."""
    grouped: defaultdict[int, dict[DropReason, int]] = defaultdict(dict)
    for (iface, reason), count in drops.items():
        if count:
            grouped[iface][reason] = count
    return grouped


def switch_statistics(counters: Counters, drops: Mapping[DropReason, int]) -> dict[str, int]:
    """Statistics of an internal or patch interface, as the switch sees it: rx is what entered the switch."""
    lost_out = sum(count for reason, count in drops.items() if reason in EGRESS_REASONS)
    return {
        "rx_packets": counters.rx_packets,
        "rx_bytes": counters.rx_bytes,
        "rx_dropped": sum(drops.values()) - lost_out,
        "rx_errors": 0,
        "tx_packets": counters.tx_packets,
        "tx_bytes": counters.tx_bytes,
        "tx_dropped": lost_out,
        "tx_errors": 0,
    }


def device_statistics(stats: LinkStats) -> dict[str, int]:
    """Statistics of a system interface: the device's own counters."""
    return {
        "rx_packets": stats.rx_packets,
        "rx_bytes": stats.rx_bytes,
        "rx_dropped": stats.rx_dropped,
        "rx_errors": stats.rx_errors,
        "tx_packets": stats.tx_packets,
        "tx_bytes": stats.tx_bytes,
        "tx_dropped": stats.tx_dropped,
        "tx_errors": stats.tx_errors,
        "rx_frame_err": stats.rx_frame_errors,
        "rx_over_err": stats.rx_over_errors,
        "rx_crc_err": stats.rx_crc_errors,
        "rx_missed_errors": stats.rx_missed_errors,
        "rx_multicast_packets": stats.multicast,
        "collisions": stats.collisions,
    }
