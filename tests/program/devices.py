"""Devices for frames to come in by: the kernel runs a program on a frame of a device only if there is one."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from jackfield.net.netns import CLONE_NEWNET

PAIRS = 24
_libc = ctypes.CDLL(None, use_errno=True)


class Devices:
    """Some devices in a network namespace without a name, which is gone with this."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        made = Thread(target=self._make)
        made.start()
        made.join()
        if not self.numbers:
            raise RuntimeError("no devices were made: see above")

    def close(self) -> None:
        os.close(self._namespace)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread is in the devices' namespace for a while."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _check(_libc.setns(self._namespace, CLONE_NEWNET))
            yield
        finally:
            _check(_libc.setns(before, CLONE_NEWNET))
            os.close(before)

    def _make(self) -> None:
        _check(_libc.unshare(CLONE_NEWNET))
        self._namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        commands = [f"link add jftr{at} type veth peer name jfts{at}\n" for at in range(PAIRS)]
        subprocess.run(["ip", "-batch", "-"], input="".join(commands), text=True, check=True)
        self.numbers = [number for number, name in socket.if_nameindex() if name.startswith("jft")]


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), "changing the network namespace")
