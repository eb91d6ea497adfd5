"""Sessions over Unix stream sockets."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jackfield.ovsdb.session import ProtocolError, Session
from jackfield.wire.stream import JsonStream, StreamError, encode

if TYPE_CHECKING:
    from jackfield.ovsdb.server import Server

_log = logging.getLogger("ovsdb.session")

SOCKET_MODE = 0o770
_PATH_MAX = 107


class SocketSession(asyncio.Protocol):
    """Carries a session's messages over one connection.

    A peer that sends what is no OVSDB loses its connection, as does one that does not read what it asked for.
    Nobody else waits for it.
    """

    def __init__(self, server: Server) -> None:
        limits = server.limits
        self._server = server
        self._stream = JsonStream(limits.message_bytes, limits.message_depth)
        self._transport: asyncio.WriteTransport | None = None
        self.session: Session | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the session, unless there are too many."""
        assert isinstance(transport, asyncio.WriteTransport)
        if not self._server.has_room():
            transport.abort()
            return
        # Both directions stop at once when the peer does not read, so that nothing piles up for long.
        transport.set_write_buffer_limits(high=1 << 16)
        self._transport = transport
        self.session = Session(self._server, _peer_name(transport), self.send)
        self._server.sessions[self.session] = self

    def data_received(self, data: bytes) -> None:
        """Pass on the messages that are complete."""
        try:
            messages = self._stream.feed(data)
        except StreamError as error:
            self._receive(error.messages)
            self._drop(str(error))
            return
        self._receive(messages)

    def _receive(self, messages: list[Any]) -> None:
        try:
            for message in messages:
                if self.session is None:
                    return
                self.session.receive(message)
        except ProtocolError as error:
            self._drop(str(error))
        except Exception:
            _log.exception("a request could not be handled")
            self._drop("internal error")

    def send(self, message: Any) -> None:
        """Pass a message to the peer, or drop a peer that has let too much pile up."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > self._server.limits.backlog_bytes:
            self._drop("it does not read what it asked for")
            return
        transport.write(encode(message))

    def pause_writing(self) -> None:
        """Read no more requests while their replies cannot be written."""
        if isinstance(self._transport, asyncio.Transport):
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on reading."""
        if isinstance(self._transport, asyncio.Transport):
            self._transport.resume_reading()

    def eof_received(self) -> bool:
        """The peer is gone."""
        return False

    def connection_lost(self, _exc: Exception | None) -> None:
        """End the session."""
        self._transport = None
        if self.session is not None:
            session, self.session = self.session, None
            self._server.end(session)

    def _drop(self, why: str) -> None:
        if self.session is not None:
            _log.info("%s: connection closed: %s", self.session.name, why)
        self.close()

    def close(self) -> None:
        """End the connection at once."""
        transport = self._transport
        self.connection_lost(None)
        if transport is not None:
            transport.abort()


def _peer_name(transport: asyncio.BaseTransport) -> str:
    sock = transport.get_extra_info("socket")
    try:
        pid = int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], "little")
    except OSError:
        return "unix"
    return f"unix (process {pid})"


def bind_unix(path: Path) -> socket.socket:
    """A socket bound to `path`, in the place of any that nobody listens on any more. Raises OSError.

    As OVS's, its file may be used by user and group, within the umask.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _address(path) as address:
            _remove_stale(path, address)
            os.fchmod(sock.fileno(), SOCKET_MODE)
            sock.bind(address)
    except BaseException:
        sock.close()
        raise
    return sock


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """A socket address for `path`, by way of its directory where the path itself is too long for one."""
    if len(os.fsencode(path)) <= _PATH_MAX:
        yield os.fspath(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


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
