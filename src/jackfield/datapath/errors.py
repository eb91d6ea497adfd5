"""What can go wrong in this room. Every message is one sentence that a user can act upon."""

from __future__ import annotations

import os


class DatapathError(Exception):
    """The kernel, or what it holds, does not allow what was asked."""


class KernelError(DatapathError):
    """A system call failed: `errno` says why, `str()` is "WHAT: REASON", with advice where there is some."""

    def __init__(self, what: str, errno: int, advice: str = "") -> None:
        self.what = what
        self.errno = errno
        super().__init__(f"{what}: {os.strerror(errno)}" + (f" ({advice})" if advice else ""))


class AbiMismatch(DatapathError):
    """The kernel holds maps of another build's layout under our own version's name."""


class Unsupported(DatapathError):
    """This machine lacks something that Jackfield needs: see `needs`."""
