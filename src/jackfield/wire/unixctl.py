"""A client of OVS's control sockets: a method and words out, a text back (unixctl, ovs-appctl(8))."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from jackfield.wire.blocking import Connection, ConnectionFailed, RpcError


class CommandRefused(Exception):
    """The daemon answered with an error; its text is the argument."""


def call(path: str, command: str, words: Sequence[str] = (), deadline: float | None = None) -> str:
    """Run one command at the control socket `path` and return its text.

    Raises CommandRefused when the daemon refuses, ConnectionFailed when it cannot be reached or hangs up,
    TimeoutError when `deadline` (time.monotonic()) passes.
    """
    with Connection.open_unix(path, deadline) as connection:
        return transact(connection, command, words, deadline)


def transact(
    connection: Connection, command: str, words: Sequence[str] = (), deadline: float | None = None
) -> str:
    """Run one command over an open connection; raises as `call` does."""
    try:
        result = connection.call(command, list(words), deadline)
    except RpcError as error:
        if isinstance(error.error, str):
            raise CommandRefused(error.error) from error
        raise _invalid() from error
    if not isinstance(result, str):
        raise _invalid()
    return result


def _invalid() -> ConnectionFailed:
    return ConnectionFailed(errno.EINVAL, os.strerror(errno.EINVAL))
