"""Filters of traffic control (tc(8)) on what a device receives, as far as that there are some."""

from __future__ import annotations

import struct

from jackfield.net.errors import KernelError
from jackfield.net.netlink import Netlink, attributes

_RTM_GETTFILTER = 46
_TCMSG = struct.Struct("=BxxxiIII")
_CLSACT_INGRESS = 0xFFFFFFF2
"""TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), by which those of the older qdisc "ingress" are found too."""
_TCA_KIND = 1


def ingress_filters(requests: Netlink, ifindex: int) -> tuple[str, ...]:
    """The kinds of a device's filters, such as "flower", each once."""
    payload = _TCMSG.pack(0, ifindex, 0, _CLSACT_INGRESS, 0)
    try:
        found = requests.dump(f"listing the filters of device {ifindex}", _RTM_GETTFILTER, payload)
    except KernelError:
        return ()  # it has no qdisc that could have some
    kinds = (attributes(body, _TCMSG.size).get(_TCA_KIND, b"") for body in found)
    return tuple(dict.fromkeys(kind.rstrip(b"\0").decode(errors="replace") for kind in kinds if kind))
