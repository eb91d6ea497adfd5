"""Other network namespaces: find one by the number that this one knows it by, and reach into it."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Thread

from jackfield.net import netlink
from jackfield.net.errors import KernelError
from jackfield.net.linkcodec import RTM_GETNSID

CLONE_NEWNET = 0x40000000
NETNSA_NSID, NETNSA_FD = 1, 3
OWN = "/proc/self/ns/net"
NAMED = (Path("/run/netns"), Path("/run/docker/netns"))
# What holds a namespace is a process, or a file that somebody bound it to.


def candidates() -> Iterator[Path]:
    """Files that stand for network namespaces, each namespace once."""
    seen: set[tuple[int, int]] = set()
    for path in _files():
        try:
            status = path.stat()
        except OSError:
            continue
        if (identity := (status.st_dev, status.st_ino)) not in seen:
            seen.add(identity)
            yield path


def open_socket(requests: netlink.Netlink, nsid: int) -> socket.socket:
    """A netlink socket in the namespace that ours knows as `nsid`.

    Raises KernelError, with ENOENT when no process and no bound file leads there.
    """
    for path in candidates():
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            if number_of(requests, fd) == nsid:
                return _socket_in(fd)
        finally:
            os.close(fd)
    raise KernelError(
        f"finding network namespace {nsid}", errno.ENOENT, "no process and no file in /run/netns leads there"
    )


def open_socket_at(path: Path) -> socket.socket:
    """A netlink socket in the namespace that a file stands for (/run/netns/NAME, /proc/PID/ns/net).

    Raises KernelError, with ENOENT when there is no such file and EINVAL when it is not a namespace.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KernelError(f"opening network namespace {path}", error.errno or errno.EIO) from None
    try:
        return _socket_in(fd)
    finally:
        os.close(fd)


def inode_of(path: str) -> int | None:
    """The inode number of the namespace that a file stands for, which no other one has while it lives; None
    when there is no such file or it stands for no namespace."""
    try:
        status = os.stat(path)  # noqa: PTH116 - this is asked for hundreds of ports at a time
    except OSError:
        return None
    return status.st_ino if status.st_dev == _device() else None


@lru_cache(maxsize=1)
def _device() -> int:
    """The number of the file system that namespaces are in."""
    return Path(OWN).stat().st_dev


@contextmanager
def opened(path: str, inode: int) -> Iterator[int]:
    """A descriptor of the namespace with that inode number, which the file stands for.

    Raises KernelError: ENOENT when the file is gone, ENODEV when it stands for another one by now.
    """
    what = f"opening network namespace {path}"
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KernelError(what, error.errno or errno.EIO) from None
    try:
        if os.fstat(fd).st_ino != inode:
            raise KernelError(what, errno.ENODEV, "another one has taken its place")
        yield fd
    finally:
        os.close(fd)


def number_of(requests: netlink.Netlink, fd: int) -> int | None:
    """By which number this namespace knows the one of an open file; None when by none."""
    payload = bytes(4) + netlink.u32(NETNSA_FD, fd)
    try:
        (answer, *_) = requests.request("asking for a namespace's number", RTM_GETNSID, 0, payload)
    except (KernelError, ValueError):
        return None
    raw = netlink.attributes(answer, 4).get(NETNSA_NSID)
    number = struct.unpack("=i", raw)[0] if raw else -1
    return number if number >= 0 else None


def _files() -> Iterator[Path]:
    for folder in NAMED:
        if folder.is_dir():
            yield from folder.iterdir()
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            yield process / "ns" / "net"


def _socket_in(fd: int) -> socket.socket:
    """Make the socket on a thread that enters the namespace and ends, so that nothing else is moved."""
    made: list[socket.socket] = []
    failed: list[KernelError] = []

    def work() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(fd, CLONE_NEWNET) != 0:
            failed.append(KernelError("entering a network namespace", ctypes.get_errno()))
            return
        try:
            made.append(netlink.open_socket())
        except KernelError as error:
            failed.append(error)

    thread = Thread(target=work)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]
