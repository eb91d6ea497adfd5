"""Routing policy rules (`ip rule`): list, add, delete (linux/fib_rules.h).

Rules name devices, not their numbers. What is read can be added again: attributes are kept as they came.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from dataclasses import dataclass

from jackfield.net import inet
from jackfield.net.errors import KernelError
from jackfield.net.netlink import CREATE, EXCL, Netlink, attribute, attribute_list

RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
FRA_IIFNAME, FRA_PRIORITY, FRA_TABLE, FRA_OIFNAME = 3, 6, 15, 17

_DETACHED = 0x8 | 0x10  # the device is not there: told, not asked for
_HEADER = struct.Struct("=BBBBBBBBI")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: `header` holds the numbers of struct fib_rule_hdr (family, prefix lengths, tos, table, action,
    flags), `attributes` the rest in the kernel's form."""

    family: int
    header: tuple[int, ...]
    attributes: tuple[tuple[int, bytes], ...]

    @classmethod
    def of(
        cls, priority: int, table: int, *, family: int = socket.AF_INET, iif: str = "", oif: str = ""
    ) -> Rule:
        """Look up `table` for what comes in by or goes out by a device."""
        found = [(FRA_PRIORITY, struct.pack("=I", priority)), (FRA_TABLE, struct.pack("=I", table))]
        for kind, name in ((FRA_IIFNAME, iif), (FRA_OIFNAME, oif)):
            if name:
                found.append((kind, os.fsencode(name) + b"\0"))
        return cls(family, (family, 0, 0, 0, table if table < 256 else 0, 0, 0, 1, 0), tuple(found))

    @property
    def priority(self) -> int:
        """Lower ones are looked at first."""
        return int.from_bytes(self._value(FRA_PRIORITY), sys.byteorder)

    @property
    def table(self) -> int:
        """The table to look up."""
        return int.from_bytes(self._value(FRA_TABLE), sys.byteorder) or self.header[4]

    @property
    def devices(self) -> tuple[str, ...]:
        """The names of the devices that it is bound to."""
        raw = (self._value(kind) for kind in (FRA_IIFNAME, FRA_OIFNAME))
        return tuple(os.fsdecode(name.rstrip(b"\0")) for name in raw if name)

    def renamed(self, old: str, new: str) -> Rule:
        """The same rule bound to another device."""
        before, after = os.fsencode(old), os.fsencode(new) + b"\0"
        replaced = tuple(
            (kind, after if kind in (FRA_IIFNAME, FRA_OIFNAME) and value.rstrip(b"\0") == before else value)
            for kind, value in self.attributes
        )
        return Rule(self.family, self.header, replaced)

    def __str__(self) -> str:
        return f"{self.priority} ({', '.join(self.devices) or 'every device'})"

    def _value(self, wanted: int) -> bytes:
        return next((value for kind, value in self.attributes if kind == wanted), b"")


def list_rules(netlink: Netlink, device: str = "") -> tuple[Rule, ...]:
    """All rules by rising priority, or those bound to a device. Raises KernelError."""
    found = []
    for family in inet.FAMILIES:
        try:
            bodies = netlink.dump("listing rules", RTM_GETRULE, _HEADER.pack(family, *bytes(8)))
        except KernelError as error:
            if error.errno in (errno.EOPNOTSUPP, errno.EAFNOSUPPORT):
                continue
            raise
        found += [read_rule(body) for body in bodies if body[0] == family]
    return tuple(rule for rule in found if not device or device in rule.devices)


def add_rule(netlink: Netlink, rule: Rule) -> None:
    """Raises KernelError, with EEXIST when there is the same one."""
    netlink.request(f"adding rule {rule}", RTM_NEWRULE, CREATE | EXCL, _body(rule))


def delete_rule(netlink: Netlink, rule: Rule) -> None:
    """No error when it is gone. Raises KernelError."""
    try:
        netlink.request(f"removing rule {rule}", RTM_DELRULE, 0, _body(rule))
    except KernelError as error:
        if error.errno != errno.ENOENT:
            raise


def read_rule(body: bytes) -> Rule:
    """The rule that an RTM_NEWRULE or RTM_DELRULE message describes."""
    *header, flags = _HEADER.unpack_from(body)
    return Rule(header[0], (*header, flags & ~_DETACHED), attribute_list(body, _HEADER.size))


def _body(rule: Rule) -> bytes:
    pairs = (attribute(kind, value) for kind, value in rule.attributes)
    return _HEADER.pack(*rule.header) + b"".join(pairs)
