"""Commands and namespaces for tests that need a real kernel."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def entered(path: str) -> Iterator[None]:
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    target = os.open(path, os.O_RDONLY)
    try:
        assert libc.setns(target, CLONE_NEWNET) == 0
        yield
    finally:
        assert libc.setns(before, CLONE_NEWNET) == 0
        os.close(before)
        os.close(target)
