"""What a bond is told to do (ovs-vswitchd.conf.db(5), Port, "Bonding Configuration")."""

from __future__ import annotations

from dataclasses import dataclass

from jackfield.model.config import BondMode


@dataclass(frozen=True, slots=True)
class BondSettings:
    """Of one bond. `miimon_ms` is how often links are asked for, 0 to be told by carrier. `rebalance_ms` 0
    leaves the balance alone. `primary` is the member that an active-backup bond prefers."""

    mode: BondMode = BondMode.ACTIVE_BACKUP
    basis: int = 0
    updelay_ms: int = 0
    downdelay_ms: int = 0
    miimon_ms: int = 0
    rebalance_ms: int = 10_000
    primary: str | None = None
    all_members_active: bool = False
    fallback_ab: bool = False

    @property
    def follows_carrier(self) -> bool:
        """Whether what the kernel says of a member's link counts at once."""
        return not self.downdelay_ms and not self.miimon_ms
