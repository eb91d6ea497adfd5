"""The pid file: the daemon's pid, and a lock that says that it lives (--pidfile in ovs-vswitchd(8))."""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

_FLOCK = struct.Struct("hhqqi4x")  # struct flock of 64-bit Linux


class PidFileError(Exception):
    """The pid file cannot be had; the text says why, in OVS's words."""


class PidFile:
    """A pid file held by this process, from `acquire` to `release`.

    The lock belongs to the process that takes it: take it after the last fork, and open the file nowhere else
    in the process, as closing it there would give up the lock.
    """

    def __init__(self, path: Path, fd: int) -> None:
        self._path = path
        self._fd = fd

    @classmethod
    def acquire(cls, path: Path, *, overwrite: bool = False) -> PidFile:
        """Lock and write `path`; a file left by a dead process is replaced. Raises PidFileError.

        With `overwrite`, so is that of a process that lives.
        """
        # Contenders lock one and the same temporary file, so only one at a time gets to look and rename.
        temporary = path.with_name(path.name + ".tmp")
        try:
            fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise PidFileError(f"{temporary}: create failed ({error.strerror})") from error
        try:
            _lock(fd, temporary)
            try:
                if not overwrite:
                    _refuse_second(path)
                os.ftruncate(fd, 0)
                os.write(fd, b"%d\n" % os.getpid())
                temporary.rename(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            os.close(fd)
            raise PidFileError(f"{path}: {error.strerror}") from error
        except PidFileError:
            os.close(fd)
            raise
        return cls(path, fd)

    def release(self) -> None:
        """Remove the file and give up the lock."""
        with suppress(OSError):
            self._path.unlink()
        os.close(self._fd)


def holder(path: Path) -> int | None:
    """The pid of the live process that holds the pid file, or None; never ask about one's own file."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return _locker(fd)
    finally:
        os.close(fd)


def _locker(fd: int) -> int | None:
    answer = fcntl.fcntl(fd, fcntl.F_GETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    kind, _whence, _start, _length, pid = _FLOCK.unpack(answer)
    return None if kind == fcntl.F_UNLCK else pid


def _lock(fd: int, path: Path) -> None:
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise PidFileError(f"{path}: fcntl(F_SETLK) failed ({error.strerror})") from error


def _refuse_second(path: Path) -> None:
    pid = holder(path)
    if pid is not None:
        raise PidFileError(f"{path}: already running as pid {pid}, aborting")
