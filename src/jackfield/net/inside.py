"""Doing something inside another network namespace, on a thread of its own, so that nothing else is moved."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from jackfield.net.errors import KernelError
from jackfield.net.netns import CLONE_NEWNET

T = TypeVar("T")


def inside(path: str, work: Callable[[], T]) -> T:
    """What `work` returns, called in the namespace that a file stands for; what it raises is raised here.

    Raises KernelError, with ENOENT when there is no such file and EINVAL when it is not a namespace.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KernelError(f"opening network namespace {path}", error.errno or errno.EIO) from None
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) != 0:
                raise KernelError(f"entering network namespace {path}", ctypes.get_errno())
            results.append(work())
        except BaseException as failure:
            failures.append(failure)

    try:
        thread = Thread(target=run)
        thread.start()
        thread.join()
    finally:
        os.close(fd)
    if failures:
        raise failures[0]
    return results[0]
