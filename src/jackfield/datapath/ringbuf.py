"""Reading a BPF ring buffer (https://docs.kernel.org/bpf/ringbuf.html) without a system call a record."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import Generic, TypeVar

from jackfield.datapath.maps import RawMap
from jackfield.net.errors import KernelError

HEADER = 8  # bytes before a record: its length as 32 bits, and 32 that are the kernel's own
BUSY, DISCARD = 1 << 31, 1 << 30

T = TypeVar("T")


class RingBuffer(Generic[T]):
    """Records in the order in which programs submitted them. For one reader in the whole system: what it has
    read is gone. It does not own the map, which must stay open."""

    def __init__(self, ring: RawMap, unpack: Callable[[bytes], T]) -> None:
        """Raises KernelError."""
        self._ring = ring
        self._unpack = unpack
        self._size = ring.max_entries
        try:
            self._mine = mmap.mmap(ring.fd, mmap.PAGESIZE)
            # The kernel's page, then the data twice in a row, so that no record is ever in two pieces.
            self._theirs = mmap.mmap(
                ring.fd, mmap.PAGESIZE + 2 * self._size, prot=mmap.PROT_READ, offset=mmap.PAGESIZE
            )
        except OSError as error:
            raise KernelError(f"mapping {ring.name}", error.errno or 0) from None
        self._read_to = memoryview(self._mine).cast("Q")
        self._numbers = memoryview(self._theirs).cast("I")
        self._written_to = memoryview(self._theirs).cast("Q")

    def fileno(self) -> int:
        """Readable when there is something to read; for an event loop."""
        return self._ring.fd

    def close(self) -> None:
        for view in (self._read_to, self._numbers, self._written_to):
            view.release()
        self._mine.close()
        self._theirs.close()

    def read(self, limit: int = 64) -> list[T]:
        """Up to `limit` records; never blocks."""
        records: list[T] = []
        at = self._read_to[0]
        while len(records) < limit and at < self._written_to[0]:
            start = mmap.PAGESIZE + (at & (self._size - 1))
            length = self._numbers[start // 4]
            if length & BUSY:
                break  # a program is still writing it
            kept = not length & DISCARD
            length &= ~(BUSY | DISCARD)
            if kept:
                records.append(self._unpack(self._theirs[start + HEADER : start + HEADER + length]))
            at += (length + HEADER + 7) & ~7
            self._read_to[0] = at
        return records
