"""What the control plane decides about a bond: members, balance, announcements. No I/O, no clock."""

from jackfield.model.bonding.announce import announcement
from jackfield.model.bonding.balance import BUCKETS, Shift, halved, hand_over, rebalance, spread
from jackfield.model.bonding.members import Member, Members
from jackfield.model.bonding.settings import BondSettings

__all__ = [
    "BUCKETS",
    "BondSettings",
    "Member",
    "Members",
    "Shift",
    "announcement",
    "halved",
    "hand_over",
    "rebalance",
    "spread",
]
