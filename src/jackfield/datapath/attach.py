"""Two ways to have the program see what enters by a device. Both belong to one thread."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import zlib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Protocol

from jackfield.datapath import tc
from jackfield.datapath.libbpf import TCX_INGRESS, Library
from jackfield.net.errors import KernelError

PRIORITY = 0x4A46
CLSACT_MARK = "clsact-"


class AttachMode(Enum):
    TCX = "tcx"  # links, kernel 6.6 and later
    CLS_BPF = "cls_bpf"  # a direct-action filter below a clsact qdisc


class Attacher(Protocol):
    def attach(self, ifindex: int, program: int) -> None:
        """Raises KernelError. No error when it is attached already."""

    def detach(self, ifindex: int) -> None:
        """No error when it is not attached or the device is gone."""

    def has(self, ifindex: int) -> bool:
        """Whether it is attached at present."""

    def attached(self) -> frozenset[int]:
        """All that are at present."""

    def update(self, program: int) -> None:
        """Put another program in the place of the present one everywhere; forget devices that are gone."""


class TcxAttacher:
    """Links, pinned as FOLDER/<ifindex>."""

    def __init__(self, library: Library, folder: Path) -> None:
        self._library = library
        self._folder = folder

    def attach(self, ifindex: int, program: int) -> None:
        if self.has(ifindex):
            return
        link = self._library.call(
            f"attaching to device {ifindex}", "bpf_link_create", program, ifindex, TCX_INGRESS, None
        )
        try:
            self._library.pin(link, self._folder / str(ifindex))
        finally:
            os.close(link)

    def detach(self, ifindex: int) -> None:
        (self._folder / str(ifindex)).unlink(missing_ok=True)

    def has(self, ifindex: int) -> bool:
        return any(self._links(self._folder / str(ifindex)))

    def attached(self) -> frozenset[int]:
        return frozenset(ifindex for ifindex, _ in self._links())

    def update(self, program: int) -> None:
        alive = set()
        for ifindex, link in self._links():
            self._library.call(f"updating device {ifindex}", "bpf_link_update", link, program, None)
            alive.add(str(ifindex))
        for path in self._folder.iterdir():
            if path.name not in alive and not path.name.startswith(CLSACT_MARK):
                path.unlink(missing_ok=True)

    def _links(self, *only: Path) -> Iterator[tuple[int, int]]:
        """Devices and open links, each closed when the next is asked for: all, or those pinned there."""
        for path in only or self._folder.iterdir():
            if path.name.isdecimal() and (link := self._open(path)) is not None:
                try:
                    # The link of a device that is gone says 0. One that was moved away keeps its number.
                    ifindex = self._library.link_info(link).ifindex
                    if str(ifindex) == path.name and _exists(ifindex):
                        yield ifindex, link
                finally:
                    os.close(link)

    def _open(self, path: Path) -> int | None:
        try:
            return self._library.get_pinned(path)
        except KernelError as error:
            if error.errno == errno.ENOENT:
                return None
            raise


class ClsBpfAttacher:
    """Filters of a fixed priority and of a handle and name that say whose they are.

    A file system link FOLDER/clsact-<ifindex> says that the qdisc was not there before us.
    """

    def __init__(self, control: tc.TrafficControl, folder: Path, instance: str) -> None:
        self._control = control
        self._folder = folder
        self._name = f"jackfield {instance}"
        self._handle = zlib.crc32(instance.encode()) & 0x7FFFFFFF or 1

    def attach(self, ifindex: int, program: int) -> None:
        if self._control.add_clsact(ifindex):
            with contextlib.suppress(FileExistsError):
                (self._folder / f"{CLSACT_MARK}{ifindex}").symlink_to("clsact")
        self._control.put_program(ifindex, PRIORITY, self._handle, self._name, program)

    def detach(self, ifindex: int) -> None:
        self._control.delete_program(ifindex, PRIORITY, self._handle)
        mark = self._folder / f"{CLSACT_MARK}{ifindex}"
        if not mark.is_symlink():
            return
        if _exists(ifindex) and ifindex in self._control.clsact_devices():
            if self._control.filters(ifindex) or self._control.filters(ifindex, tc.EGRESS):
                return
            self._control.delete_clsact(ifindex)
        mark.unlink(missing_ok=True)

    def has(self, ifindex: int) -> bool:
        ours = (PRIORITY, self._handle, self._name)
        return any(
            (found.priority, found.handle, found.name) == ours for found in self._control.filters(ifindex)
        )

    def attached(self) -> frozenset[int]:
        return frozenset(filter(self.has, self._control.clsact_devices()))

    def update(self, program: int) -> None:
        present = self.attached()
        for ifindex in present:
            self._control.put_program(ifindex, PRIORITY, self._handle, self._name, program)
        for mark in self._folder.glob(CLSACT_MARK + "*"):
            if int(mark.name.removeprefix(CLSACT_MARK)) not in present:
                mark.unlink(missing_ok=True)


def _exists(ifindex: int) -> bool:
    try:
        socket.if_indextoname(ifindex)
    except OSError:
        return False
    return True
