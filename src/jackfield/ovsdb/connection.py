"""Sessions over stream connections: bytes to messages and back, backlog, inactivity probes."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from jackfield.ovsdb.notice import Message, Notice
from jackfield.ovsdb.session import Rights, Session
from jackfield.wire.peer import Peer, peer_of
from jackfield.wire.stream import JsonStream, StreamError, encode

if TYPE_CHECKING:
    from jackfield.ovsdb.server import Server

_log = logging.getLogger("ovsdb.session")

INBOX = 64
"""With so many requests waiting for their turn, no more are read."""
LINGER_SECONDS = 5.0
"""How long a peer that is asked to connect anew has to read what was sent to it."""


class Connection(asyncio.Protocol):
    """Carries a session's messages over one connection.

    A peer that sends what is no OVSDB loses its connection, as does one that does not read what it asked
    for, or that is silent for two intervals of `probe` seconds (0: never), though asked for an echo after the
    first. Nobody else waits for it. `closed` is called with the reason, if one is known, when the connection
    is gone. One that is `expendable` gives way when there are too many and it does nothing.
    """

    def __init__(
        self,
        server: Server,
        *,
        name: str | None = None,
        rights: Rights | None = None,
        probe: float = 0.0,
        expendable: bool = True,
        closed: Callable[[Connection, str | None], None] = lambda _connection, _why: None,
    ) -> None:
        limits = server.limits
        self.name = name
        self.probing = False
        self.session: Session | None = None
        self._server = server
        self._rights = rights
        self._expendable = expendable
        self._closed = closed
        self._stream = JsonStream(limits.message_bytes, limits.message_depth)
        self._transport: asyncio.Transport | None = None
        self._held_back: set[str] = set()
        self._why: str | None = None
        self._probe = probe
        self._heard = 0.0
        self._written = self._read = 0
        self._timer: asyncio.TimerHandle | None = None

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the session, unless there are too many."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._server.admit():
            self.close()
            return
        # Both directions stop at once when the peer does not read, so that nothing piles up for long.
        transport.set_write_buffer_limits(high=1 << 16)
        peer = peer_of(transport.get_extra_info("socket")) if _is_unix(transport) else None
        self.name = self.name or _peer_name(transport, peer)
        self.session = Session(
            self._server,
            self.name,
            self.send,
            rights=self._rights,
            expendable=self._expendable,
            own=peer is not None and peer.pid == os.getpid(),
            drained=self._drained,
            end=self._end,
        )
        self._server.sessions[self.session] = self
        self.set_probe(self._probe)

    def data_received(self, data: bytes) -> None:
        """Pass on the messages that are complete."""
        self._heard, self.probing = self._server.now(), False
        limits = self._server.limits
        if self.session is None:
            return
        fault, before = None, self._stream.pending
        try:
            messages = self._stream.feed(data)
        except StreamError as error:
            messages, fault = error.messages, str(error)
        self._server.unfinished_bytes += self._stream.pending - before
        if self._stream.pending > before and self._server.unfinished_bytes > limits.unfinished_bytes:
            fault = "too many bytes of unfinished messages are held"
        for message in messages:
            self.session.receive(message)
        if fault is not None:
            self._hold_back("fault")
            self.session.finish(fault)
        elif len(self.session.inbox) >= INBOX:
            self._hold_back("inbox")

    def pause_writing(self) -> None:
        """Read no more requests while their replies cannot be written."""
        self._hold_back("output")

    def resume_writing(self) -> None:
        """Go on reading."""
        self._let_go("output")

    def eof_received(self) -> bool:
        """The peer is done; what it has sent is still worked off, except over TLS, where both sides end."""
        assert self._transport is not None
        if self.session is None or self._transport.get_extra_info("ssl_object") is not None:
            return False
        self.session.finish(None)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """End the session."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        transport, self._transport = self._transport, None
        self._end_session()
        if transport is not None:
            self._closed(self, self._why or (str(error) if error else None))

    def _end_session(self) -> None:
        if self.session is not None:
            session, self.session = self.session, None
            self._server.unfinished_bytes -= self._stream.pending
            self._server.end(session)

    # What the session and the server call.

    def send(self, message: Message | Notice) -> None:
        """Pass a message to the peer, or drop a peer that has let too much pile up."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > self._server.limits.backlog_bytes:
            self.drop("it does not read what it asked for")
            return
        data = message.data if isinstance(message, Notice) else encode(message)
        self._written += len(data)
        transport.write(data)

    @property
    def backlog(self) -> int:
        """Bytes that the peer has not read yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def drop(self, why: str) -> None:
        """End the connection at once, as the peer has given reason to."""
        if self.session is not None:
            _log.info("%s: connection closed: %s", self.name, why)
        self._why = why
        self.close()

    def disconnect(self, why: str) -> None:
        """End the connection after what has been sent."""
        transport = self._transport
        if transport is None or self.session is None:
            return
        _log.info("%s: disconnecting (%s)", self.name, why)
        self._end_session()
        transport.close()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, transport.abort)

    def close(self) -> None:
        """End the connection at once."""
        transport = self._transport
        self.connection_lost(None)
        if transport is not None:
            transport.abort()

    def _end(self, why: str | None) -> None:
        if why is None:
            transport = self._transport
            self.connection_lost(None)
            if transport is not None:
                transport.close()
        else:
            self.drop(why)

    # Reading stops while any reason holds it back.

    def _drained(self) -> None:
        self._let_go("inbox")

    def _hold_back(self, reason: str) -> None:
        if not self._held_back and self._transport is not None:
            self._transport.pause_reading()
        self._held_back.add(reason)

    def _let_go(self, reason: str) -> None:
        if reason in self._held_back:
            self._held_back.discard(reason)
            if not self._held_back and self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    # Probes and rights, which the configuration may change.

    def set_rights(self, rights: Rights) -> None:
        """What the peer may do from now on."""
        self._rights = rights
        if self.session is not None:
            self.session.rights = rights

    def set_probe(self, seconds: float) -> None:
        """Probe the peer after so many seconds of silence; 0 for never."""
        if seconds == self._probe and self._timer is not None:
            return
        self._probe = seconds
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds and self.session is not None:
            self._heard, self.probing = self._server.now(), False
            self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._silent)

    def _silent(self) -> None:
        silence = self._server.now() - self._heard
        read, self._read = self._read, self._written - self.backlog
        if self._held_back and ("output" not in self._held_back or self._read != read):
            # We do not listen, so it is not the peer that is silent, or it is busy with reading.
            self._heard, self.probing = self._server.now(), False
            self._wait(self._probe)
        elif silence < self._probe and not self.probing:
            self._wait(self._probe - silence)
        elif self.probing:
            self.drop(f"no response to inactivity probe after {self._probe:.3g} seconds")
        else:
            self.probing = True
            self.send({"id": "echo", "method": "echo", "params": []})
            self._wait(self._probe)


def _is_unix(transport: asyncio.BaseTransport) -> bool:
    found = transport.get_extra_info("socket")
    return found is not None and bool(found.family == socket.AF_UNIX)


def _peer_name(transport: asyncio.BaseTransport, peer: Peer | None) -> str:
    address = transport.get_extra_info("peername")
    if isinstance(address, tuple) and address:
        host, port = address[:2]
        kind = "tcp" if transport.get_extra_info("ssl_object") is None else "ssl"
        return f"{kind}:[{host}]:{port}" if ":" in host else f"{kind}:{host}:{port}"
    return "unix" if peer is None else f"unix ({peer})"
