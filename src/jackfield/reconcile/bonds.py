"""From columns of Port and Interface to what bonds and LACP are told.

Follows ovs-vswitchd.conf.db(5), Port, "Bonding Configuration" and "LACP Configuration", and Interface, "LACP
Configuration". Values out of range are taken as OVS takes them.
"""

from __future__ import annotations

from jackfield.model.bonding.settings import BondSettings
from jackfield.model.config import BondMode
from jackfield.model.lacp.settings import LOWEST_PRIORITY, LacpSettings, LinkSettings
from jackfield.reconcile.rows import Row, integer, integer_option, mac, pairs, text, true

BRIDGE_ADDRESS = bytes(6)
"""The LACP system that stands for the bridge's own address."""

MODES = {mode.value: mode for mode in BondMode}
REBALANCE_DEFAULT_MS, REBALANCE_LEAST_MS = 10_000, 1_000
MIIMON_DEFAULT_MS = 200
_MOST = 0xFFFF


def bond_settings(row: Row, members: int) -> BondSettings | None:
    """The settings of a Port row with so many interfaces; None if these make no bond."""
    if members < 2:
        return None
    options = pairs(row, "other_config")
    mode = MODES.get(text(row, "bond_mode"), BondMode.ACTIVE_BACKUP)
    fallback = true(options, "lacp-fallback-ab")
    rebalance = integer_option(options, "bond-rebalance-interval", REBALANCE_DEFAULT_MS)
    asks_primary = mode is BondMode.ACTIVE_BACKUP or fallback
    return BondSettings(
        mode=mode,
        basis=integer_option(options, "bond-hash-basis", 0) & 0xFFFFFFFF,
        updelay_ms=max(0, integer(row, "bond_updelay") or 0),
        downdelay_ms=max(0, integer(row, "bond_downdelay") or 0),
        miimon_ms=_miimon_ms(row),
        rebalance_ms=max(rebalance, REBALANCE_LEAST_MS) if rebalance else 0,
        primary=options.get("bond-primary") if asks_primary else None,
        all_members_active=mode is BondMode.BALANCE_SLB and true(options, "all-members-active"),
        fallback_ab=fallback,
    )


def lacp_settings(row: Row, members: int) -> LacpSettings | None:
    """The settings of a Port row with so many interfaces; None when it does without LACP."""
    if text(row, "lacp") not in ("active", "passive"):
        return None
    options = pairs(row, "other_config")
    system = BRIDGE_ADDRESS
    if "lacp-system-id" in options:
        asked = mac(options["lacp-system-id"])
        if asked is None or not any(asked):
            return None
        system = asked
    priority = integer_option(options, "lacp-system-priority", 0)
    return LacpSettings(
        system=system,
        system_priority=priority if 0 < priority <= _MOST else LOWEST_PRIORITY - (members > 1),
        active=text(row, "lacp") == "active",
        fast=options.get("lacp-time", "").lower() == "fast",
        fallback_ab=true(options, "lacp-fallback-ab"),
    )


def link_settings(row: Row, ofport: int) -> LinkSettings:
    """The LACP settings of an Interface row with this OpenFlow port number."""
    options = pairs(row, "other_config")
    port = integer_option(options, "lacp-port-id", 0)
    priority = integer_option(options, "lacp-port-priority", 0)
    key = integer_option(options, "lacp-aggregation-key", 0)
    return LinkSettings(
        port=port if 0 < port <= _MOST else ofport & _MOST,
        priority=priority if 0 < priority <= _MOST else LOWEST_PRIORITY,
        key=key if 0 <= key <= _MOST else 0,
    )


def _miimon_ms(row: Row) -> int:
    options = pairs(row, "other_config")
    if options.get("bond-detect-mode") != "miimon":
        return 0
    interval = integer_option(options, "bond-miimon-interval", 0)
    return interval if interval > 0 else MIIMON_DEFAULT_MS
