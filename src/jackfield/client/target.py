"""Where a daemon is to be found: its run directory, its locked pid file, its control socket
(ovs-appctl(8), -t)."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

DEFAULT_RUNDIR = "/var/run/openvswitch"
DEFAULT_TARGET = "ovs-vswitchd"
_FLOCK = "hhqqi"


class TargetError(OSError):
    """The pid file `filename` does not name a running daemon; ESRCH when nobody holds it locked."""


def rundir() -> str:
    """The directory of sockets and pid files: $OVS_RUNDIR or OVS's own."""
    return os.environ.get("OVS_RUNDIR") or DEFAULT_RUNDIR


def control_socket(target: str = DEFAULT_TARGET) -> str:
    """The control socket of a daemon, given its name, or the path itself; raises TargetError."""
    if target.startswith("/"):
        return target
    return f"{rundir()}/{target}.{running_pid(target)}.ctl"


def running_pid(target: str = DEFAULT_TARGET) -> int:
    """The process id of the daemon of that name; raises TargetError."""
    path = f"{rundir()}/{target}.pid"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            query = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            lock, _, _, _, holder = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, query))
            line = os.read(descriptor, 128).split(b"\n")[0].strip()
        finally:
            os.close(descriptor)
    except OSError as error:
        raise TargetError(error.errno, error.strerror, path) from error
    if lock == fcntl.F_UNLCK or not line.isdigit() or int(line) != holder:
        raise TargetError(errno.ESRCH, os.strerror(errno.ESRCH), path)
    return int(holder)
