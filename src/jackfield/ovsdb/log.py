"""The file of a standalone database (ovsdb(5), "Standalone Database File Format").

A record is a line `OVSDB JSON <length> <sha1>` and `length` bytes of JSON with their own newline, over which
the SHA-1 is taken. The first record is the schema, the others are transactions.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from jackfield.ovsdb.errors import OvsdbError

_log = logging.getLogger("ovsdb.log")

_HEADER = re.compile(rb"OVSDB JSON (\d{1,12}) ([0-9a-f]{40})\n")
_ANY_HEADER = re.compile(rb"OVSDB ([A-Z]+) ")

FILE_MODE = 0o640


class LogError(Exception):
    """The database file cannot be used; the text is a sentence for people."""


def pack(record: Any) -> bytes:
    """The bytes of one record."""
    data = msgspec.json.encode(record) + b"\n"
    return b"OVSDB JSON %d %s\n%s" % (len(data), hashlib.sha1(data).hexdigest().encode(), data)


def unpack(data: bytes) -> Iterator[tuple[Any, int]]:
    """The whole and sound records at the start of `data`, each with the offset behind it."""
    offset = 0
    while header := _HEADER.match(data, offset):
        end = header.end() + int(header[1])
        body = data[header.end() : end]
        if len(body) != int(header[1]) or hashlib.sha1(body).hexdigest().encode() != header[2]:
            return
        try:
            record = msgspec.json.decode(body)
        except (ValueError, RecursionError):
            return
        yield record, end
        offset = end


class LogFile:
    """An open database file, locked against other servers; `records` is what it held when opened.

    A torn or damaged tail is cut off with a warning when the file is opened. `size` is where the written
    records end, `durable` where those end that are known to be on disk. `fault` is why the file could not be
    written last time, None if it could.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        """Open the file; with `create` an empty one is made if there is none. Raises LogError."""
        self.path = Path(os.path.realpath(path))
        self.size = self.durable = 0
        self.fault: str | None = None
        self._unsettled = False
        self._moved = False
        with _explained(self.path, "open"):
            if not create:
                self.path.stat()
            self._lock = _lock(self.path)
            try:
                self._fresh.unlink(missing_ok=True)  # left by a crash while the file was rewritten
                flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
                self._fd = os.open(self.path, flags, FILE_MODE)
            except OSError:
                os.close(self._lock)
                raise
        try:
            self.records = self._read()
        except BaseException:
            self.close()
            raise

    @property
    def _fresh(self) -> Path:
        """Where a file is written that is to take the place of this one."""
        return self.path.with_name(self.path.name + ".tmp")

    def _read(self) -> list[Any]:
        with _explained(self.path, "read"):
            data = self.path.read_bytes()
            found = _ANY_HEADER.match(data)
            if data and (found is None or found[1] != b"JSON"):
                what = "a clustered database" if found and found[1] == b"CLUSTER" else "something else"
                raise LogError(f"{self.path}: not a standalone OVSDB database file but {what}")
            records = []
            for record, self.size in unpack(data):
                records.append(record)
            if self.size < len(data):
                self._cut(data)
        self.durable = self.size
        return records

    def _cut(self, data: bytes) -> None:
        lost = len(data) - self.size
        _log.warning("%s: the last %d bytes are not a whole record and are cut off", self.path, lost)
        if _HEADER.search(data, self.size + 1):
            copy = self.path.with_name(self.path.name + ".damaged")
            copy.write_bytes(data)
            _log.warning(
                "%s: records follow the damaged place; the file as it was is kept as %s", self.path, copy
            )
        os.ftruncate(self._fd, self.size)
        os.fsync(self._fd)

    def write(self, record: Any) -> None:
        """Hand a record to the kernel; `sync` puts it on disk.

        Raises OvsdbError, and the file is as before.
        """
        data = pack(record)
        try:
            if self._unsettled:
                self._cut_back()
            _write(self._fd, data, self.size)
        except OSError as error:
            try:
                os.ftruncate(self._fd, self.size)
            except OSError:
                self._unsettled = True
            raise self._failed(error) from error
        self.size += len(data)

    def sync(self) -> None:
        """Wait until all that was written is on disk. Any thread may call it, one at a time.

        Raises OSError; `settle` or `take_back` has to follow, as it went well or not.
        """
        if self._moved:
            self._sync_name()
        os.fdatasync(self._fd)

    def _sync_name(self) -> None:
        sync_directory(self.path.parent)
        self._moved = False

    def settle(self) -> None:
        """All that was written is on disk."""
        self.durable = self.size
        if self.fault is not None:
            self.fault = None
            _log.info("%s: can be written again", self.path)

    def take_back(self, error: OSError) -> OvsdbError:
        """Forget what was written and is not known to be on disk; returns the error to report."""
        self.size = self.durable
        self._unsettled = True
        with contextlib.suppress(OSError):
            self._cut_back()
        return self._failed(error)

    def _cut_back(self) -> None:
        """Make sure that nothing of what has failed may come back after a crash. Raises OSError."""
        os.ftruncate(self._fd, self.size)
        os.fsync(self._fd)
        self._unsettled = False

    def _failed(self, error: OSError) -> OvsdbError:
        text = f"{self.path}: cannot write: {error.strerror}"
        if self.fault is None:
            _log.error("%s; changes are refused until it can be written again", text)
        self.fault = text
        return OvsdbError("I/O error", text)

    def replace(self, records: Iterable[Any]) -> None:
        """Put these records in the place of all there are, so that a crash leaves the old or the new file.

        Raises LogError, and the file in use holds what it has held.
        """
        fresh = self._fresh
        with _explained(self.path, "rewrite"):
            status = os.fstat(self._fd)
            fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
            try:
                os.fchmod(fd, status.st_mode & 0o777)
                if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(fd, status.st_uid, status.st_gid)
                size = 0
                for record in records:
                    data = pack(record)
                    _write(fd, data, size)
                    size += len(data)
                os.fsync(fd)
                fresh.rename(self.path)
            except BaseException:
                os.close(fd)
                fresh.unlink(missing_ok=True)
                raise
            os.close(self._fd)
            self._fd, self.size, self.durable = fd, size, size
            self._unsettled, self._moved = False, True
            self._sync_name()  # or else the next `sync` does it, before anything is acknowledged

    def close(self) -> None:
        """Close the file and let others open it."""
        os.close(self._fd)
        os.close(self._lock)


def sync_file(path: Path) -> None:
    """Make a file's content durable."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_directory(path: Path) -> None:
    """Make renames and new files in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _lock(path: Path) -> int:
    """Take the lock that OVS's servers and tools take: on `.NAME.~lock~` beside the file."""
    lock = path.with_name(f".{path.name}.~lock~")
    fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise LogError(f"{path}: in use by another process, which holds {lock}") from error
    return fd


def _write(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(fd, view, offset)
        view = view[count:]
        offset += count


@contextlib.contextmanager
def _explained(path: Path, verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LogError(f"{path}: {verb} failed ({error.strerror})") from error
