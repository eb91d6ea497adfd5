"""Hear of changes to network devices, here and in the namespaces that this one knows by number."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
from dataclasses import dataclass

from jackfield.net import netlink
from jackfield.net.errors import KernelError
from jackfield.net.linkcodec import RTM_DELLINK, RTM_NEWLINK, read_carrier, read_identity

ADD_MEMBERSHIP, LISTEN_ALL_NSID = 1, 8
GROUP_LINK = 1
SO_RCVBUFFORCE = 33
BUFFER_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class LinkChange:
    """Something about a device changed. `nsid` is None in this namespace. `carrier` tells whether it is up
    and has a link."""

    ifindex: int
    name: str
    nsid: int | None = None
    deleted: bool = False
    carrier: bool = False


@dataclass(frozen=True, slots=True)
class Resync:
    """Messages were lost: look at everything again."""


class LinkMonitor:
    """A socket for an event loop: `add_reader(monitor.fileno(), …)`, then `read()`.

    Belongs to one thread, which must be in the switch's namespace when it is made.
    """

    def __init__(self) -> None:
        """Raises KernelError."""
        self._socket = netlink.open_socket()
        self._socket.setblocking(False)
        try:
            self._socket.setsockopt(netlink.SOL_NETLINK, LISTEN_ALL_NSID, 1)
            self._socket.setsockopt(netlink.SOL_NETLINK, ADD_MEMBERSHIP, GROUP_LINK)
        except OSError as error:
            self._socket.close()
            raise KernelError("listening for changes of devices", error.errno or errno.EIO) from None
        with contextlib.suppress(OSError):
            # Beyond the machine's limit, for bursts of thousands of changes; losing some is only slower.
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def read(self) -> list[LinkChange | Resync]:
        """What was heard since the last call; never blocks; empty when nothing was."""
        heard: list[LinkChange | Resync] = []
        while True:
            try:
                data, ancillary, _, _ = self._socket.recvmsg(65536, socket.CMSG_SPACE(4))
            except BlockingIOError:
                return heard
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise KernelError("listening for changes of devices", error.errno or 0) from None
                heard.append(Resync())
                continue
            nsid = _nsid(ancillary)
            for kind, _, _, body in netlink.messages(data):
                if kind in (RTM_NEWLINK, RTM_DELLINK):
                    ifindex, name = read_identity(body)
                    heard.append(LinkChange(ifindex, name, nsid, kind == RTM_DELLINK, read_carrier(body)))


class MountMonitor:
    """Hears of mounts coming and going, as a namespace does that is bound to a file in /run/netns.

    For an event loop: `add_reader(monitor.fileno(), …)`, then `clear()`, and look at what matters.
    """

    def __init__(self) -> None:
        """Raises KernelError."""
        # The file is always readable (proc_pid_mountinfo(5)): another poll object tells of changes alone.
        try:
            self._mounts = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise KernelError("listening for changes of mounts", error.errno or errno.EIO) from None
        self._poll = select.epoll()
        self._fd = self._poll.fileno()
        self._poll.register(self._mounts, select.EPOLLPRI | select.EPOLLERR)

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        if not self._poll.closed:
            self._poll.close()
            os.close(self._mounts)

    def clear(self) -> bool:
        """Be readable again only after the next change; whether there was one. Never blocks."""
        return bool(self._poll.poll(0))


def _nsid(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    for level, kind, data in ancillary:
        if (level, kind) == (netlink.SOL_NETLINK, LISTEN_ALL_NSID) and len(data) >= 4:
            number: int = struct.unpack_from("=i", data)[0]
            return number if number >= 0 else None
    return None
