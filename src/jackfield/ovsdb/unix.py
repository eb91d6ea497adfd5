"""Unix stream sockets to listen on."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

from jackfield.wire.address import address_of

SOCKET_MODE = 0o770


def bind_unix(path: Path) -> socket.socket:
    """A socket bound to `path`, in the place of any that nobody listens on any more. Raises OSError.

    As OVS's, its file may be used by user and group, within the umask.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with address_of(path) as address:
            _remove_stale(path, address)
            os.fchmod(sock.fileno(), SOCKET_MODE)
            sock.bind(address)
    except BaseException:
        sock.close()
        raise
    return sock


def _remove_stale(path: Path, address: str) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, "it exists and is not a socket", os.fspath(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # A full backlog must not make the probe wait; it means that somebody listens.
        probe.setblocking(False)
        try:
            probe.connect(address)
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except BlockingIOError:
            pass
    raise OSError(errno.EADDRINUSE, "another server listens on it", os.fspath(path))
