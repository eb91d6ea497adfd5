"""One at a time: whoever attaches or detaches, by command or in the agent, holds this lock meanwhile."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from jackfield.client.control import rundir
from jackfield.client.errors import Failure


@contextmanager
def exclusive() -> Iterator[None]:
    """Wait for the lock and hold it; it goes with the process. Raises Failure."""
    path = f"{rundir()}/jackfield-attachments.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        advice = {
            errno.ENOENT: "no switch runs here; `jackfield daemon --detach` starts one",
            errno.EACCES: "attaching and detaching need root's rights",
        }.get(error.errno or 0, "")
        what = f"{path} cannot be opened: {error.strerror}"
        raise Failure(f"{advice} ({what})" if advice else what) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
