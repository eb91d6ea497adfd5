"""One command at a time deals with attachments: what it finds out stays true until it is done.

Whoever waits for something outside, such as a DHCP server, lets the others go ahead meanwhile, but for those
who mean the same target. The lock of a target is a byte of the same file (fcntl_locking(2), "Open file
description locks"), so there is no file for each, and it goes with its holder.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import blake2b

from jackfield.client.control import rundir
from jackfield.client.errors import Failure

_FLOCK = struct.Struct("hhqqi")
"""struct flock: type, whence, start, length, and the process, which is 0."""

Meanwhile = Callable[[], AbstractContextManager[None]]
"""What is done within it is done while others have the lock."""


@contextmanager
def exclusive(target: str = "") -> Iterator[Meanwhile]:
    """Wait for the lock and hold it, and that of the target with this key if one is given; both go with the
    process. What is returned lets others go ahead for a while. Raises Failure."""
    descriptor = _opened()

    @contextmanager
    def meanwhile() -> Iterator[None]:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_EX)

    try:
        if target:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW, _byte_of(target))
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield meanwhile
    finally:
        # The kernel gives up the target's lock before the other: who has that one then sees the target free.
        os.close(descriptor)


def is_claimed(target: str) -> bool:
    """Whether somebody else has the target's lock. Raises Failure."""
    descriptor = _opened()
    try:
        told = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _byte_of(target))
    finally:
        os.close(descriptor)
    return int(_FLOCK.unpack_from(told)[0]) != fcntl.F_UNLCK


def wait_until_free(target: str) -> None:
    """Wait until nobody has the target's lock. Raises Failure."""
    descriptor = _opened()
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW, _byte_of(target))
    finally:
        os.close(descriptor)


def _byte_of(target: str) -> bytes:
    start = int.from_bytes(blake2b(target.encode(), digest_size=7).digest())
    return _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, 1, 0)


def _opened() -> int:
    path = f"{rundir()}/jackfield-attachments.lock"
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        advice = {
            errno.ENOENT: "no switch runs here; `jackfield daemon --detach` starts one",
            errno.EACCES: "attaching and detaching need root's rights",
        }.get(error.errno or 0, "")
        what = f"{path} cannot be opened: {error.strerror}"
        raise Failure(f"{advice} ({what})" if advice else what) from error
