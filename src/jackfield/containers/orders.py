"""The agent's socket for orders (see `containers.order`): a thread for each that comes."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread, current_thread

from jackfield.client.errors import Failure
from jackfield.containers import order
from jackfield.containers.commands import carry_out
from jackfield.containers.plainwords import read_order
from jackfield.wire.address import address_of

MOST_AT_ONCE = 16
ORDER_SECONDS = 5.0
FINISH_SECONDS = 1.5
_CREDENTIALS = struct.Struct("iII")


class _Withdrawn(Exception):
    """Whoever sent the order has gone before anything was done."""


class Orders:
    """Takes orders from commands that live where this process lives, and run for the same user.

    An order is carried out whole once it is begun, whether its sender waits or not.
    """

    def __init__(self, say: Callable[[str, str], None]) -> None:
        """`say` takes a level and a line for the log."""
        self._say = say
        self._path = Path(order.path_of_socket())
        self._home = order.whereabouts()
        self._listener: socket.socket | None = None
        self._serving: set[Thread] = set()

    def start(self) -> None:
        """Begin to take orders. Raises Failure."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self._path.unlink(missing_ok=True)
            # Before bind, so that the socket is never open to others, not even for a moment.
            os.fchmod(listener.fileno(), 0o770)
            with address_of(self._path) as address:
                listener.bind(address)
            listener.listen(MOST_AT_ONCE)
        except OSError as error:
            listener.close()
            raise Failure(f"the agent's socket {self._path} cannot be made: {error.strerror}") from error
        self._listener = listener
        Thread(target=self._accept, args=(listener,), name="orders", daemon=True).start()

    def close(self) -> None:
        """Take no more orders, and finish those that were begun."""
        if self._listener is None:
            return
        self._path.unlink(missing_ok=True)
        # This wakes up accept(2), which close(2) would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + FINISH_SECONDS
        for thread in list(self._serving):
            thread.join(max(0.0, deadline - time.monotonic()))
        self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                if len(self._serving) >= MOST_AT_ONCE:
                    connection.close()
                    continue
                thread = Thread(target=self._serve, args=(connection,), name="order", daemon=True)
                self._serving.add(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        thread = current_thread()
        try:
            with connection, suppress(OSError, ValueError, _Withdrawn):
                connection.settimeout(ORDER_SECONDS)
                answer = self._answer(connection)
                if answer is not None:
                    connection.sendall(order.pack(answer))
        except Exception as error:
            # The command will do it itself, and tell its user of what happens to it there.
            self._say("WARN", f"an order could not be carried out: internal error: {error!r}")
        finally:
            self._serving.discard(thread)

    def _answer(self, connection: socket.socket) -> list[str] | None:
        """Exit code, output and complaint; None when it is not for us. Raises OSError, ValueError for what
        makes no sense, and _Withdrawn."""
        if _user_of(connection) != os.geteuid():
            return None
        version, home, docker, podman, *words = order.unpack(_received(connection))
        if (version, home) != (order.VERSION, self._home):
            return None
        environment = dict(zip(order.ENGINES, (docker, podman), strict=True))
        said: list[str] = []
        try:
            wanted = read_order(words)
            if wanted is None:
                return None
            for text in carry_out(wanted, environment, lambda: _stay(connection)):
                said.append(text)
        except Failure as failure:
            return ["1", _lines(said), str(failure)]
        return ["0", _lines(said), ""]


def _received(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(order.MOST_ORDER):
        data += piece
        if len(data) > order.MOST_ORDER:
            raise ValueError("an order that is too long")
    return data


def _user_of(connection: socket.socket) -> int:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, _gid = _CREDENTIALS.unpack(raw)
    return int(uid)


def _stay(connection: socket.socket) -> None:
    """Raises _Withdrawn when the other side has closed, not merely ended what it sends."""
    poll = select.poll()
    poll.register(connection, 0)  # POLLHUP is told anyway
    if poll.poll(0):
        raise _Withdrawn


def _lines(texts: list[str]) -> str:
    return "".join(f"{text}\n" for text in texts)
