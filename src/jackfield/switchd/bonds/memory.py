"""What LACP remembers, in the data plane's form: pure. It lives and dies with the data plane."""

from __future__ import annotations

from jackfield.datapath._abi import Lacp as Stored
from jackfield.model.lacp import Information, Memory, Status

_STATUS = (Status.DEFAULTED, Status.EXPIRED, Status.CURRENT)


def stored(memory: Memory, heard_ns: int) -> Stored:
    """For the map; `heard_ns` is CLOCK_MONOTONIC."""
    return Stored(
        heard_ns=heard_ns,
        partner=memory.partner.pack(),
        status=_STATUS.index(memory.status),
        attached=int(memory.attached),
        key_member=int(memory.gives_key),
    )


def remembered(value: Stored) -> Memory:
    """From the map; what cannot be is as good as nothing."""
    status = _STATUS[value.status] if value.status < len(_STATUS) else Status.DEFAULTED
    return Memory(
        status, bool(value.attached), Information.unpack(bytes(value.partner)), bool(value.key_member)
    )
