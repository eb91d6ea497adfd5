"""Connection methods as texts: `punix:FILE`, `ptcp:[PORT][:HOST]`, `ssl:HOST[:PORT]` and so on (ovsdb(7))."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jackfield.wire.aio import DEFAULT_PORT, RemoteError, host_and_port

_ACTIVE = frozenset({"unix", "tcp", "ssl"})
_PASSIVE = frozenset({"punix", "ptcp", "pssl"})


class TargetError(ValueError):
    """A text is no connection method."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to listen (`passive`) or connect: at a socket file, or at a host and port (`path` is None then).

    `host` is empty for a listener on all addresses.
    """

    text: str
    passive: bool
    path: Path | None = None
    host: str = ""
    port: int = DEFAULT_PORT
    secure: bool = False


def parse_target(text: str, rundir: Path) -> Target:
    """Understand a connection method. `rundir` is where socket files are that have no absolute path.

    Raises TargetError.
    """
    kind, colon, rest = text.partition(":")
    passive, secure = kind in _PASSIVE, kind.endswith("ssl")
    if not colon or kind not in _ACTIVE | _PASSIVE:
        raise TargetError(f'"{text}" is not a connection method')
    if kind.endswith("unix"):
        if not rest:
            raise TargetError(f'"{text}" names no socket file')
        return Target(text, passive, rundir / rest)
    try:
        host, port = _port_and_host(rest) if passive else host_and_port(rest)
    except RemoteError as error:
        raise TargetError(f'"{text}": {error}') from error
    return Target(text, passive, None, host, port, secure)


def _port_and_host(text: str) -> tuple[str, int]:
    port, _, host = text.partition(":")
    if text.startswith("[") or (":" in host and not host.startswith("[")):
        # Colons outside of brackets are an IPv6 address, and there is no port.
        port, host = "", text
    host = host.removeprefix("[").removesuffix("]")
    if port and (not port.isdecimal() or not port.isascii() or int(port) > 65535):
        raise TargetError(f'"{port}" is not a port')
    return host, int(port) if port else DEFAULT_PORT


def needs_probes(target: Target) -> bool:
    """Whether a peer can be gone without the kernel telling us."""
    return target.path is None
