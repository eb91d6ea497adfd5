"""What can go wrong between us and the kernel. Every message is one sentence that a user can act upon."""

from __future__ import annotations

import os


class NetworkError(Exception):
    """The kernel, or what it holds, does not allow what was asked."""


class KernelError(NetworkError):
    """A system call failed: `errno` says why, `str()` is "WHAT: REASON", with advice where there is some."""

    def __init__(self, what: str, errno: int, advice: str = "") -> None:
        self.what = what
        self.errno = errno
        super().__init__(f"{what}: {os.strerror(errno)}" + (f" ({advice})" if advice else ""))
