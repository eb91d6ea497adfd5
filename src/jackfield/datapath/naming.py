"""Names that tie kernel objects to an instance. Pure."""

from __future__ import annotations

import hashlib
from pathlib import Path

ALIAS_WORD = "jackfield"


def instance_name(rundir: Path) -> str:
    """Eight hexadecimal digits that stand for a run directory; the same for every spelling of its path."""
    return hashlib.blake2b(str(rundir.resolve()).encode(), digest_size=4).hexdigest()


def switch_end_name(instance: str, interface: str, attempt: int = 0) -> str:
    """A device name of 15 characters for the switch's end of an internal port.

    Stable for (instance, interface); another `attempt` gives another name, should one be taken.
    """
    seed = f"{instance} {interface} {attempt}".encode()
    return f"jf{instance[:4]}{hashlib.blake2b(seed, digest_size=5).hexdigest()[:9]}"


def switch_end_alias(instance: str, interface: str, origin: str = "") -> str:
    """The alias by which a later process knows whose switch end a device is, whatever became of the other.

    `origin` tells of a pair that was made with its other end elsewhere where that was, without blanks.
    """
    return f"{ALIAS_WORD} {instance}{origin and '/'}{origin} {interface}"


def interface_of_alias(alias: str, instance: str) -> str | None:
    """The interface whose switch end bears this alias, or None when it is not one of this instance's."""
    word, _, rest = alias.partition(" ")
    owner, _, interface = rest.partition(" ")
    ours = (word, owner.partition("/")[0]) == (ALIAS_WORD, instance)
    return interface if ours and interface else None


def origin_of_alias(alias: str) -> str:
    """The `origin` in the alias of a switch end; empty when it has none."""
    return alias.partition(" ")[2].partition(" ")[0].partition("/")[2]


def stable_mac(instance: str, interface: str, end: str = "user") -> bytes:
    """A locally administered unicast address, the same each time for the same three strings."""
    digest = hashlib.blake2b(f"{instance} {interface} {end}".encode(), digest_size=6).digest()
    return bytes([digest[0] & 0xFC | 0x02]) + digest[1:]
