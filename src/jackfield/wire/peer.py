"""Who is at the other end of a Unix socket (unix(7), SO_PEERCRED)."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_CREDENTIALS = struct.Struct("=iII")
MOST_TEXT = 400
"""Characters of what a peer wrote that are repeated in a log line."""


class _Socket(Protocol):
    def getsockopt(self, level: int, name: int, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Peer:
    """The process that connected, as it was then: 0 and empty where that is not known."""

    pid: int
    uid: int
    program: str

    def __str__(self) -> str:
        program = f", {self.program}" if self.program else ""
        return f"process {self.pid}{program}, user {self.uid}"


def peer_of(connection: _Socket) -> Peer | None:
    """Who connected; None when the socket does not tell."""
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _gid = _CREDENTIALS.unpack(raw)
    except (OSError, struct.error):
        return None
    return Peer(pid, uid, _program(pid))


def one_line(text: str) -> str:
    """What somebody else wrote, as it may stand in a log: on one line, not too long."""
    plain = "".join(each if each.isprintable() else " " for each in text[: MOST_TEXT + 1])
    return plain if len(plain) <= MOST_TEXT else plain[:MOST_TEXT] + "…"


def _program(pid: int) -> str:
    try:
        return one_line(Path(f"/proc/{pid}/comm").read_text(errors="backslashreplace").strip())
    except OSError:
        return ""
