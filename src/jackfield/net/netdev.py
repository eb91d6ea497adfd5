"""Network devices: list, make, change, remove. One netlink request each; nothing is cached.

The devices are those of the network namespace that the calling thread is in when `Devices` is opened.
A `Devices` belongs to one thread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType

from jackfield.net import linkcodec, netlink, netns, pair
from jackfield.net.errors import KernelError
from jackfield.net.ethtool import Hardware, read_hardware
from jackfield.net.link import Link
from jackfield.net.pair import DEFAULT, Kinds

__all__ = ["Devices", "Hardware", "InternalPair", "Link"]

DELETE_GROUP = 0x4A460000  # the first of the groups that serve delete_many


@dataclass(frozen=True, slots=True)
class InternalPair:
    """The two ends of an internal port's device pair, as they are after it was made."""

    switch: Link
    user: Link


class Devices:
    """Every method raises KernelError when the kernel refuses."""

    def __init__(self) -> None:
        self._netlink = netlink.Netlink()
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    @classmethod
    def open(cls) -> Devices:
        return cls()

    def close(self) -> None:
        self._netlink.close()
        self._control.close()

    def __enter__(self) -> Devices:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def list_links(self) -> tuple[Link, ...]:
        """All devices of this namespace, by rising ifindex, from one dump."""
        found = self._netlink.dump("listing devices", linkcodec.RTM_GETLINK, linkcodec.ifinfo())
        return tuple(sorted(map(linkcodec.read_link, found), key=lambda link: link.ifindex))

    def get_link(self, name_or_ifindex: str | int) -> Link | None:
        """One device, or None when there is none of that name or number."""
        if isinstance(name_or_ifindex, int):
            payload = linkcodec.ifinfo(name_or_ifindex)
        elif 0 < len(os.fsencode(name_or_ifindex)) <= 15:
            payload = linkcodec.ifinfo() + netlink.text(linkcodec.IFLA_IFNAME, name_or_ifindex)
        else:
            return None
        return self._get(f"looking for device {name_or_ifindex}", payload)

    def read_far(self, nsid: int, ifindex: int) -> Link | None:
        """A device of another namespace (the user's end of a pair: `peer_nsid` and `peer_ifindex` of ours).

        None when it is gone. `nsid` is this namespace's number for the other, as in `Link.peer_nsid`.
        """
        target = netlink.attribute(linkcodec.IFLA_TARGET_NETNSID, struct.pack("=i", nsid))
        return self._get(f"reading device {ifindex} of namespace {nsid}", linkcodec.ifinfo(ifindex) + target)

    def create_internal(
        self,
        name: str,
        switch_end: str,
        alias: str,
        mac: bytes,
        mtu: int,
        switch_mac: bytes,
        namespace: tuple[str, int] | None = None,
        *,
        up: bool = False,
        kinds: Kinds = DEFAULT,
    ) -> InternalPair:
        """Make an internal port: the user's end `name`, down or `up`, and the switch's end, up, with `alias`.

        With `namespace`, a file that stands for one and its inode number, the user's end is made in that one.
        No address autoconfiguration runs on the switch's end. A switch's end that an interrupted call left
        without its alias is removed first. KernelError with EEXIST when one of the names is taken, ENOENT or
        ENODEV when the namespace is gone or another one now, EOPNOTSUPP when the kernel has none of `kinds`.
        """
        user_end = _end(name, mac, mtu)
        with netns.opened(*namespace) if namespace else contextlib.nullcontext() as fd:
            if fd is not None:
                user_end += netlink.u32(linkcodec.IFLA_NET_NS_FD, fd)
            try:
                self._create_pair(name, user_end, _end(switch_end, switch_mac, mtu), kinds)
            except KernelError as error:
                left = self.get_link(switch_end) if error.errno == errno.EEXIST else None
                if left is None or left.alias or left.kind not in pair.NAMES:
                    raise
                self.delete(left.ifindex)
                self._create_pair(name, user_end, _end(switch_end, switch_mac, mtu), kinds)
        switch = self._need(switch_end)
        # The kernel applies the address mode after IFF_UP of the same request: so up is one of its own.
        mode = netlink.attribute(linkcodec.IFLA_INET6_ADDR_GEN_MODE, bytes([linkcodec.ADDR_GEN_MODE_NONE]))
        spec = netlink.nest(linkcodec.IFLA_AF_SPEC, netlink.nest(socket.AF_INET6, mode))
        with contextlib.suppress(KernelError):
            # Refused where IPv6 is off, and then not needed.
            self._change(switch.ifindex, "turning off autoconfiguration", spec)
        self.set_alias(switch.ifindex, alias)
        self.set_up(switch.ifindex, True)
        if up:
            self._set_user_end_up(self._peer(switch), namespace)
        switch = self._need(switch_end)
        return InternalPair(switch, self._peer(switch))

    def delete(self, ifindex: int) -> None:
        """Remove a device (of a pair: both ends, wherever the other one is). No error when it is gone."""
        try:
            self._netlink.request(
                f"removing device {ifindex}", linkcodec.RTM_DELLINK, 0, linkcodec.ifinfo(ifindex)
            )
        except KernelError as error:
            if error.errno != errno.ENODEV:
                raise

    def delete_many(self, ifindexes: Iterable[int]) -> None:
        """Remove virtual devices all at once: one by one, each would take the kernel some 25 ms.

        Those that are gone already are no error. KernelError with EOPNOTSUPP when one cannot be removed.
        """
        taken = {link.group for link in self.list_links()}
        group = next(number for number in count(DELETE_GROUP) if number not in taken)
        found = False
        for ifindex in ifindexes:
            try:
                self._change(ifindex, "choosing for removal", netlink.u32(linkcodec.IFLA_GROUP, group))
            except KernelError as error:
                if error.errno != errno.ENODEV:
                    raise
            else:
                found = True
        if found:
            # Without a number or name, the kernel goes by the group; here it holds nothing else.
            payload = linkcodec.ifinfo() + netlink.u32(linkcodec.IFLA_GROUP, group)
            self._netlink.request("removing devices", linkcodec.RTM_DELLINK, 0, payload)

    def set_up(self, ifindex: int, up: bool, nsid: int | None = None) -> None:
        """Set the administrative state."""
        self._set_flag(ifindex, linkcodec.IFF_UP, up, nsid)

    def set_promiscuous(self, ifindex: int, on: bool) -> None:
        """As `ip link set … promisc`: others who want it keep it."""
        self._set_flag(ifindex, linkcodec.IFF_PROMISC, on, None)

    def set_mtu(self, ifindex: int, mtu: int, nsid: int | None = None) -> None:
        """KernelError with EINVAL when the device does not allow it (see Link.min_mtu, max_mtu)."""
        self._change(ifindex, f"setting MTU {mtu}", netlink.u32(linkcodec.IFLA_MTU, mtu), nsid)

    def set_mac(self, ifindex: int, mac: bytes, nsid: int | None = None) -> None:
        """Set the device's Ethernet address."""
        address = netlink.attribute(linkcodec.IFLA_ADDRESS, mac)
        self._change(ifindex, f"setting address {mac.hex(':')}", address, nsid)

    def set_alias(self, ifindex: int, alias: str) -> None:
        """Set the text that `ip link` shows as alias (at most 255 bytes)."""
        # The kernel wants it without the terminating zero.
        raw = netlink.attribute(linkcodec.IFLA_IFALIAS, os.fsencode(alias))
        self._change(ifindex, f"setting alias {alias!r}", raw)

    def rename(self, ifindex: int, name: str) -> None:
        """Since Linux 6.2 also while the device is up."""
        self._change(ifindex, f"renaming to {name}", netlink.text(linkcodec.IFLA_IFNAME, name))

    def hardware(self, name: str) -> Hardware:
        """Speed, duplex and driver of a device here; all unknown when the driver tells nothing."""
        return read_hardware(self._control, name)

    def _set_user_end_up(self, user: Link, namespace: tuple[str, int] | None) -> None:
        if namespace is None:
            self.set_up(user.ifindex, True)
            return
        header = linkcodec.ifinfo(user.ifindex, linkcodec.IFF_UP, linkcodec.IFF_UP)
        with contextlib.closing(netlink.Netlink(netns.open_socket_at(Path(namespace[0])))) as far:
            far.request(f"bringing up {user.name}", linkcodec.RTM_SETLINK, 0, header)

    def _peer(self, link: Link) -> Link:
        """The other end of a pair, wherever it is."""
        if link.peer_nsid is None:
            peer = self.get_link(link.peer_ifindex)
        else:
            peer = self.read_far(link.peer_nsid, link.peer_ifindex)
        if peer is None:
            raise KernelError(f"looking for the other end of {link.name}", errno.ENODEV)
        return peer

    def _create_pair(self, name: str, user: bytes, switch: bytes, kinds: Kinds) -> None:
        what = f"creating device {name}"
        for kind in kinds:
            payload = linkcodec.ifinfo() + switch + pair.pair_info(kind, user)
            try:
                self._netlink.request(what, linkcodec.RTM_NEWLINK, netlink.CREATE | netlink.EXCL, payload)
            except KernelError as error:
                # The answer of a kernel without the kind, and of one whose netkit takes no Ethernet address.
                if error.errno != errno.EOPNOTSUPP:
                    raise
            else:
                return
        lacking = " or ".join(kind.value for kind in kinds)
        raise KernelError(what, errno.EOPNOTSUPP, f"this kernel has no {lacking} pairs")

    def _get(self, what: str, payload: bytes) -> Link | None:
        try:
            found = self._netlink.request(what, linkcodec.RTM_GETLINK, 0, payload)
        except KernelError as error:
            # EINVAL: the namespace's number means nothing any more.
            if error.errno in (errno.ENODEV, errno.EINVAL):
                return None
            raise
        return linkcodec.read_link(found[0]) if found else None

    def _need(self, name: str) -> Link:
        link = self.get_link(name)
        if link is None:
            raise KernelError(f"looking for device {name}", errno.ENODEV)
        return link

    def _set_flag(self, ifindex: int, flag: int, on: bool, nsid: int | None) -> None:
        what = f"setting flag {flag:#x} to {int(on)}"
        header = linkcodec.ifinfo(ifindex, flag if on else 0, flag)
        with self._requests(nsid) as requests:
            requests.request(f"device {ifindex}: {what}", linkcodec.RTM_SETLINK, 0, header)

    def _change(self, ifindex: int, what: str, payload: bytes, nsid: int | None = None) -> None:
        with self._requests(nsid) as requests:
            requests.request(
                f"device {ifindex}: {what}", linkcodec.RTM_SETLINK, 0, linkcodec.ifinfo(ifindex) + payload
            )

    @contextlib.contextmanager
    def _requests(self, nsid: int | None) -> Iterator[netlink.Netlink]:
        """Our own socket, or one in another namespace: the kernel lets no one change devices from afar."""
        if nsid is None:
            yield self._netlink
            return
        far = netlink.Netlink(netns.open_socket(self._netlink, nsid))
        try:
            yield far
        finally:
            far.close()


def _end(name: str, mac: bytes, mtu: int) -> bytes:
    return (
        netlink.text(linkcodec.IFLA_IFNAME, name)
        + netlink.attribute(linkcodec.IFLA_ADDRESS, mac)
        + netlink.u32(linkcodec.IFLA_MTU, mtu)
    )
