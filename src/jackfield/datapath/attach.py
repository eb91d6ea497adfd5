"""Two ways to have the program see what enters by a device. Both belong to one thread.

What comes out of a netkit pair enters by its primary as by any device: a program that sits inside the pair
only sees it sooner, and leaves nothing for one that is attached to the primary.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import zlib
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Protocol

from jackfield.datapath import tc
from jackfield.datapath.libbpf import NETKIT_PEER, TCX_INGRESS, Library
from jackfield.net.errors import KernelError

PRIORITY = 0x4A46
CLSACT_MARK = "clsact-"


class AttachMode(Enum):
    TCX = "tcx"  # links, kernel 6.6 and later; on netkit pairs, links of their own
    CLS_BPF = "cls_bpf"  # a direct-action filter below a clsact qdisc


class Attacher(Protocol):
    def attach(self, ifindex: int, program: int) -> None:
        """Raises KernelError. No error when it is attached already."""

    def detach(self, ifindex: int) -> None:
        """No error when it is not attached or the device is gone."""

    def release(self, ifindex: int) -> None:
        """As `detach`, for a device that is attached in the other way: what it sends is not disturbed, and
        `detach` is still to come."""

    def has(self, ifindex: int) -> bool:
        """Whether it is attached at present."""

    def attached(self) -> frozenset[int]:
        """All that are at present."""

    def update(self, program: int) -> None:
        """Put another program in the place of the present one everywhere; forget devices that are gone."""

    def repair(self) -> Iterator[str]:
        """Put back what is needed for all to stay attached and somebody removed; says what that was."""

    def close(self) -> None:
        """Let go; what is attached stays so."""


class LinkAttacher:
    """Links, pinned as FOLDER/<ifindex>. `is_netkit` tells whether a device is one of a netkit pair.

    They are also held open: should somebody remove the pins, the program goes on seeing frames, and `attach`
    pins the same link again.
    """

    def __init__(self, library: Library, folder: Path, is_netkit: Callable[[int], bool]) -> None:
        self._library = library
        self._folder = folder
        self._held: dict[int, int] = {}
        self._is_netkit = is_netkit

    def attach(self, ifindex: int, program: int) -> None:
        if self.has(ifindex):
            return
        link = self._held.pop(ifindex, None)
        if link is None or not self._is_alive(link, ifindex):
            self._close(link)
            link = self._create(ifindex, program)
        self._held[ifindex] = link
        self._library.pin(link, self._folder / str(ifindex))

    def detach(self, ifindex: int) -> None:
        (self._folder / str(ifindex)).unlink(missing_ok=True)
        self._close(self._held.pop(ifindex, None))

    def release(self, ifindex: int) -> None:
        self.detach(ifindex)

    def has(self, ifindex: int) -> bool:
        return any(self._links(self._folder / str(ifindex)))

    def attached(self) -> frozenset[int]:
        return frozenset(ifindex for ifindex, _ in self._links())

    def update(self, program: int) -> None:
        alive = set()
        for ifindex, link in self._links():
            self._library.call(f"updating device {ifindex}", "bpf_link_update", link, program, None)
            self._close(self._held.get(ifindex))
            self._held[ifindex] = os.dup(link)
            alive.add(str(ifindex))
        for path in _entries(self._folder):
            if path.name not in alive and not path.name.startswith(CLSACT_MARK):
                path.unlink(missing_ok=True)

    def take_over(self, ifindex: int, program: int, folder: Path) -> bool:
        """Put the program in the place of that of another version, which has its links in `folder`, in one
        step. Whether there is one to be replaced so."""
        path = folder / str(ifindex)
        for _, link in self._links(path):
            self._library.call(f"updating device {ifindex}", "bpf_link_update", link, program, None)
            self._close(self._held.get(ifindex))
            self._held[ifindex] = os.dup(link)
            self._library.pin(link, self._folder / path.name)
            path.unlink(missing_ok=True)
            return True
        return False

    def repair(self) -> Iterator[str]:
        for ifindex, link in self._held.items():
            path = self._folder / str(ifindex)
            if not path.exists() and self._is_alive(link, ifindex):
                self._library.pin(link, path)
                yield f"pin links/{path.name} again"

    def close(self) -> None:
        for link in self._held.values():
            os.close(link)
        self._held.clear()

    def _create(self, ifindex: int, program: int) -> int:
        if self._is_netkit(ifindex):
            link = self._library.tell("bpf_link_create", program, ifindex, NETKIT_PEER, None)
            # The inner end of somebody's pair takes none, and is a device like others.
            if link >= 0:
                return link
        what = f"attaching to device {ifindex}"
        return self._library.call(what, "bpf_link_create", program, ifindex, TCX_INGRESS, None)

    def _links(self, *only: Path) -> Iterator[tuple[int, int]]:
        """Devices and open links, each closed when the next is asked for: all, or those pinned there."""
        for path in only or _entries(self._folder):
            if path.name.isdecimal() and (link := self._open(path)) is not None:
                try:
                    ifindex = int(path.name)
                    if self._is_alive(link, ifindex):
                        yield ifindex, link
                finally:
                    os.close(link)

    def _is_alive(self, link: int, ifindex: int) -> bool:
        info = self._library.link_info(link)
        # The link of a device that is gone says 0. One that was moved away keeps its number. That of a netkit
        # pair has the number of the other end, which may be in another namespace.
        serves = info.ifindex != 0 if info.attach_type == NETKIT_PEER else info.ifindex == ifindex
        return serves and _exists(ifindex)

    def _open(self, path: Path) -> int | None:
        try:
            return self._library.get_pinned(path)
        except KernelError as error:
            if error.errno == errno.ENOENT:
                return None
            raise

    @staticmethod
    def _close(link: int | None) -> None:
        if link is not None:
            os.close(link)


class ClsBpfAttacher:
    """Filters of a fixed priority and of a handle that says whose they are; the name also tells the version,
    so that `attach` replaces a filter of another version in one step.

    A file system link FOLDER/clsact-<ifindex> says that the qdisc was not there before us. It is left there
    as long as the device belongs to the switch: while the kernel adds or removes one, it drops for a moment
    all that is sent by the device.
    """

    def __init__(self, control: tc.TrafficControl, folder: Path, instance: str, version: int) -> None:
        self._control = control
        self._folder = folder
        self._name = f"jackfield {instance} v{version}"
        self._marked = {int(path.name.removeprefix(CLSACT_MARK)) for path in folder.glob(CLSACT_MARK + "*")}
        self._handle = zlib.crc32(instance.encode()) & 0x7FFFFFFF or 1

    def attach(self, ifindex: int, program: int) -> None:
        if self._control.add_clsact(ifindex):
            self._set_mark(ifindex)
        self._control.put_program(ifindex, PRIORITY, self._handle, self._name, program)

    def release(self, ifindex: int) -> None:
        self._control.delete_program(ifindex, PRIORITY, self._handle)

    def detach(self, ifindex: int) -> None:
        self.release(ifindex)
        if ifindex not in self._marked:
            return
        if _exists(ifindex) and ifindex in self._control.clsact_devices():
            if self._control.filters(ifindex) or self._control.filters(ifindex, tc.EGRESS):
                return
            self._control.delete_clsact(ifindex)
        self._clear_mark(ifindex)

    def has(self, ifindex: int) -> bool:
        ours = (PRIORITY, self._handle, self._name)
        return any(
            (found.priority, found.handle, found.name) == ours for found in self._control.filters(ifindex)
        )

    def attached(self) -> frozenset[int]:
        return frozenset(filter(self.has, self._control.clsact_devices()))

    def update(self, program: int) -> None:
        devices = self._control.clsact_devices()
        for ifindex in filter(self.has, devices):
            self._control.put_program(ifindex, PRIORITY, self._handle, self._name, program)
        for ifindex in self._marked - devices:
            self._clear_mark(ifindex)

    def succeed(self, folder: Path, kept: frozenset[int]) -> None:
        """Take away the filters that another version left, which has its marks in `folder`, and the qdiscs of
        devices that are not `kept`."""
        for mark in folder.glob(CLSACT_MARK + "*"):
            self._set_mark(int(mark.name.removeprefix(CLSACT_MARK)))
        for ifindex in self._control.clsact_devices() - self.attached():
            # Neither does anything to devices that no version of this instance has touched.
            if ifindex in kept:
                self.release(ifindex)
            else:
                self.detach(ifindex)

    def repair(self) -> Iterator[str]:
        for ifindex in self._marked:
            mark = self._mark(ifindex)
            if not mark.is_symlink():
                mark.symlink_to("clsact")
                yield f"note again that the switch made the qdisc of device {ifindex}"

    def close(self) -> None:
        """Nothing is held."""

    def _mark(self, ifindex: int) -> Path:
        return self._folder / f"{CLSACT_MARK}{ifindex}"

    def _set_mark(self, ifindex: int) -> None:
        self._marked.add(ifindex)
        with contextlib.suppress(FileExistsError):
            self._mark(ifindex).symlink_to("clsact")

    def _clear_mark(self, ifindex: int) -> None:
        self._marked.discard(ifindex)
        self._mark(ifindex).unlink(missing_ok=True)


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, which somebody may have removed."""
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def _exists(ifindex: int) -> bool:
    try:
        socket.if_indextoname(ifindex)
    except OSError:
        return False
    return True
