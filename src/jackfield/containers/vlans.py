"""The VLANs of a container's port, as columns of its Port row (ovs-vswitchd.conf.db(5), table Port). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jackfield.client.operations import Columns

MOST_VLAN = 4094  # 4095 is reserved (IEEE 802.1Q, table 9-2)


@dataclass(frozen=True, slots=True)
class Vlans:
    """With a tag alone an access port, with trunks a trunk port whose untagged frames belong to the tag;
    with neither a trunk port of all VLANs."""

    tag: int | None = None
    trunks: frozenset[int] = frozenset()

    def columns(self) -> Columns:
        """The columns `tag`, `trunks` and `vlan_mode`."""
        mode = "native-untagged" if self.tag is not None and self.trunks else None
        return {"tag": self.tag, "trunks": self.trunks, "vlan_mode": mode}


def check_vlan(number: int) -> int:
    """The number itself; raises ValueError when no VLAN has it."""
    if not 0 <= number <= MOST_VLAN:
        raise ValueError(f"{number} is not a VLAN (0 to {MOST_VLAN}, 0 for no tag)")
    return number


def read_vlan(word: str) -> int:
    """A VLAN's number; raises ValueError."""
    if not (word.isascii() and word.isdecimal()):
        raise ValueError(f'"{word}" is not a VLAN (0 to {MOST_VLAN}, 0 for no tag)')
    return check_vlan(int(word))


def vlan_range(first: int, last: int) -> Iterable[int]:
    """The VLANs from one to another; raises ValueError."""
    if check_vlan(last) < check_vlan(first):
        raise ValueError(f"{first}-{last} ends before it begins")
    return range(first, last + 1)


def read_vlans(words: str) -> frozenset[int]:
    """The VLANs of a list such as "10,20-30"; raises ValueError."""
    found: set[int] = set()
    for word in words.split(","):
        first, dash, last = word.strip().partition("-")
        found.update(vlan_range(read_vlan(first), read_vlan(last)) if dash else (read_vlan(first),))
    return frozenset(found)
