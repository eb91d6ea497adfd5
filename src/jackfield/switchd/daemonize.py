"""Going to the background, and telling whoever waits that the daemon is ready."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detached:
    """In the parent the exit status of the command; in the daemon the way to report that it is ready."""

    exit_status: int | None
    ready_fd: int | None


def detach() -> Detached:
    """Fork; the parent waits until the child says that it is ready, or dies.

    To be called before any thread is started. The parent's status is 0 when the child is ready, else the
    child's own. The child is in a session of its own; its standard streams are untouched until
    `notify_ready`, so that it can still say why it failed.
    """
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(read_fd)
        os.setsid()
        return Detached(None, write_fd)
    os.close(write_fd)
    ready = os.read(read_fd, 1)
    os.close(read_fd)
    if ready:
        return Detached(0, None)
    _pid, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return Detached(code if code > 0 else 1, None)


def notify_ready(ready_fd: int | None, *, chdir: bool = True) -> None:
    """Tell the waiting parent, and a service manager (sd_notify(3)), that the daemon serves.

    A daemon in the background lets go of its standard streams, and with `chdir` of its directory.
    """
    if ready_fd is not None:
        os.write(ready_fd, b"+")
        os.close(ready_fd)
        if chdir:
            os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.close(null)
    notify_manager("READY=1")


def notify_manager(state: str) -> None:
    """Send `state` to the service manager that started us, if one did (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
        try:
            manager.sendto(state.encode(), address)
        except OSError:
            return  # a manager that does not listen is no reason not to serve
