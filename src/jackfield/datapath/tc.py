"""The ingress filters of devices: clsact and cls_bpf in direct-action mode (tc-bpf(8), linux/pkt_cls.h)."""

from __future__ import annotations

import errno
import os
import socket
import struct
from dataclasses import dataclass

from jackfield.net import netlink
from jackfield.net.errors import KernelError

RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC = 36, 37, 38
RTM_NEWTFILTER, RTM_DELTFILTER, RTM_GETTFILTER = 44, 45, 46
CLSACT_HANDLE, CLSACT_PARENT = 0xFFFF0000, 0xFFFFFFF1
INGRESS, EGRESS = 0xFFFFFFF2, 0xFFFFFFF3
TCA_KIND, TCA_OPTIONS = 1, 2
BPF_FD, BPF_NAME, BPF_FLAGS, DIRECT_ACTION = 6, 7, 8, 1
ETH_P_ALL = 3

_TCMSG = struct.Struct("=BxxxiIII")


@dataclass(frozen=True, slots=True)
class Filter:
    ifindex: int
    priority: int
    handle: int
    name: str


def _tcmsg(ifindex: int, handle: int = 0, parent: int = 0, priority: int = 0) -> bytes:
    info = priority << 16 | socket.htons(ETH_P_ALL) if priority else 0
    return _TCMSG.pack(0, ifindex, handle, parent, info)


class TrafficControl:
    """Belongs to one thread. Methods raise KernelError."""

    def __init__(self, requests: netlink.Netlink) -> None:
        self._netlink = requests

    def clsact_devices(self) -> frozenset[int]:
        """The devices that have a clsact qdisc."""
        found = set()
        for body in self._netlink.dump("listing qdiscs", RTM_GETQDISC, _tcmsg(0)):
            if netlink.attributes(body, 20).get(TCA_KIND) == b"clsact\0":
                found.add(_TCMSG.unpack_from(body)[1])
        return frozenset(found)

    def add_clsact(self, ifindex: int) -> bool:
        """Whether there was none before."""
        payload = _tcmsg(ifindex, CLSACT_HANDLE, CLSACT_PARENT) + netlink.text(TCA_KIND, "clsact")
        try:
            self._netlink.request(
                f"adding clsact to device {ifindex}",
                RTM_NEWQDISC,
                netlink.CREATE | netlink.EXCL,
                payload,
            )
        except KernelError as error:
            if error.errno != errno.EEXIST:
                raise
            return False
        return True

    def delete_clsact(self, ifindex: int) -> None:
        """With all filters that hang on it."""
        payload = _tcmsg(ifindex, CLSACT_HANDLE, CLSACT_PARENT)
        self._netlink.request(f"removing clsact from device {ifindex}", RTM_DELQDISC, 0, payload)

    def filters(self, ifindex: int, parent: int = INGRESS) -> list[Filter]:
        """All filters on one side of a device with clsact."""
        found = []
        for body in self._netlink.dump("listing filters", RTM_GETTFILTER, _tcmsg(ifindex, parent=parent)):
            _, device, handle, _, info = _TCMSG.unpack_from(body)
            attributes = netlink.attributes(body, 20)
            options = netlink.attributes(attributes.get(TCA_OPTIONS, b""))
            name = os.fsdecode(options.get(BPF_NAME, b"").rstrip(b"\0"))
            # A filter chain's own entry comes before its filters and has no handle.
            if handle:
                found.append(Filter(device, info >> 16, handle, name))
        return found

    def put_program(self, ifindex: int, priority: int, handle: int, name: str, program: int) -> None:
        """Add the ingress filter, or put the program into the one with this priority and handle."""
        options = netlink.nest(
            TCA_OPTIONS,
            netlink.u32(BPF_FD, program),
            netlink.text(BPF_NAME, name),
            netlink.u32(BPF_FLAGS, DIRECT_ACTION),
        )
        self._netlink.request(
            f"attaching to device {ifindex}",
            RTM_NEWTFILTER,
            netlink.CREATE | netlink.REPLACE,
            _tcmsg(ifindex, handle, INGRESS, priority) + netlink.text(TCA_KIND, "bpf") + options,
        )

    def delete_program(self, ifindex: int, priority: int, handle: int) -> None:
        """No error when there is no such filter or device."""
        payload = _tcmsg(ifindex, handle, INGRESS, priority) + netlink.text(TCA_KIND, "bpf")
        try:
            self._netlink.request(f"detaching from device {ifindex}", RTM_DELTFILTER, 0, payload)
        except KernelError as error:
            # EINVAL: the device has no clsact.
            if error.errno not in (errno.ENOENT, errno.ENODEV, errno.EINVAL):
                raise
