"""How a database is reached: the connection methods of ovsdb(7), active and passive."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Sequence
from typing import NamedTuple

from jackfield.cli.journal import Journal
from jackfield.cli.vsctl.tls import TlsOptions, secure
from jackfield.client.target import rundir
from jackfield.wire.blocking import Connection, ConnectionFailed

_DEFAULT_PORT = 6640
_METHODS = ("unix", "tcp", "ssl", "punix", "ptcp", "pssl")


class Dialer(NamedTuple):
    """Connects to the database at any of several remotes, of which `--db` names one or more."""

    remotes: Sequence[str]
    tls: TlsOptions
    journal: Journal

    def connect(self) -> Connection:
        """A connection to the first remote that can be reached; raises ConnectionFailed for the last one."""
        failure = _no_such_family()
        for remote in self.remotes:
            self.journal.info("reconnect", f"{remote}: connecting...")
            try:
                connection = self._open(remote)
            except ConnectionFailed as error:
                failure = error
                continue
            self.journal.info("reconnect", f"{remote}: connected")
            return connection
        raise failure

    def _open(self, remote: str) -> Connection:
        method, colon, rest = remote.partition(":")
        if not colon or method not in _METHODS:
            raise _no_such_family()
        try:
            if method == "unix":
                return Connection.open_unix(_in_rundir(rest))
            if method == "punix":
                return Connection(_accepted_unix(_in_rundir(rest)))
            if method in ("tcp", "ssl"):
                return self._active(method, rest)
            sock = self._accepted(rest)
            return Connection(secure(sock, self.tls, self.journal, None) if method == "pssl" else sock)
        except ConnectionFailed:
            raise
        except OSError as error:
            raise ConnectionFailed(error.errno or errno.EIO, error.strerror) from error

    def _active(self, method: str, rest: str) -> Connection:
        try:
            host, port = self._address(rest)
            rest = rest if rest.endswith(f":{port}") else f"{rest}:{port}"
            if not host or host.isdigit():
                raise _no_such_family()
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError, ConnectionFailed) as error:
            failure = _no_such_family()
            self.journal.error(f"stream_{method}", f"{method}:{rest}: connect: {failure.strerror}")
            raise failure from error
        sock = socket.create_connection((host, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if method == "ssl":
            try:
                sock = secure(sock, self.tls, self.journal, host)
            except OSError:
                sock.close()
                raise
        return Connection(sock)

    def _address(self, rest: str) -> tuple[str, int]:
        """HOST[:PORT], with the host in square brackets if it has colons."""
        found = re.fullmatch(r"(\[[^]]*\]|[^:]*)(?::([^:]*))?", rest)
        if found is None:
            self.journal.error("socket_util", f"{rest}: port must be specified")
            raise _no_such_family()
        return found[1].strip("[]"), self._port(found[2], rest)

    def _port(self, word: str | None, rest: str) -> int:
        if word is None:
            self.journal.warn("stream", "The default OVSDB port number has changed from 6632 to 6640")
            return _DEFAULT_PORT
        port = int(word) if word.isascii() and word.isdigit() else 0
        if not 0 < port < 1 << 16:
            self.journal.error("socket_util", f'{rest}: bad port number "{word}"')
            raise _no_such_family()
        return port

    def _accepted(self, rest: str) -> socket.socket:
        """The first peer that connects to [PORT][:HOST]."""
        port, _, host = rest.partition(":")
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listener = socket.create_server((host, self._port(port or None, rest)), family=family)
        except (socket.gaierror, UnicodeError) as error:
            raise _no_such_family() from error
        with listener:
            return listener.accept()[0]


def _in_rundir(path: str) -> str:
    return path if path.startswith("/") else f"{rundir()}/{path}"


def _accepted_unix(path: str) -> socket.socket:
    """The first peer that connects to a socket made at `path`."""
    from pathlib import Path

    name = Path(path)
    if name.is_socket():
        name.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        os.fchmod(listener.fileno(), 0o770)
        listener.bind(path)
        try:
            listener.listen(1)
            return listener.accept()[0]
        finally:
            name.unlink(missing_ok=True)


def _no_such_family() -> ConnectionFailed:
    return ConnectionFailed(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
