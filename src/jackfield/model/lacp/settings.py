"""What LACP is told to do (ovs-vswitchd.conf.db(5), Port and Interface, "LACP Configuration")."""

from __future__ import annotations

from dataclasses import dataclass

LOWEST_PRIORITY = 65535


@dataclass(frozen=True, slots=True)
class LacpSettings:
    """Of a port. The system is a MAC address. `active` speaks first, `fast` wants to hear every second
    rather than every 30; with `fallback_ab` a bond without a partner carries frames nevertheless."""

    system: bytes
    system_priority: int = LOWEST_PRIORITY
    active: bool = True
    fast: bool = False
    fallback_ab: bool = False


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Of one member: its number, its priority (lower ranks first), its aggregation key (0: that of the
    link that gives the whole its key)."""

    port: int
    priority: int = LOWEST_PRIORITY
    key: int = 0
