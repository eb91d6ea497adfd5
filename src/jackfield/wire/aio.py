"""Connections to OVSDB servers for asyncio, by OVS's active connection methods (ovsdb(7))."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from jackfield.wire.address import address_of

DEFAULT_PORT = 6640
CONNECT_SECONDS = 10.0


class RemoteError(ValueError):
    """A text that names no server in a way that is supported."""


def check_remote(remote: str) -> None:
    """Raises RemoteError unless `remote` is `unix:FILE`, `tcp:HOST[:PORT]` or `ssl:HOST[:PORT]`."""
    kind, _, rest = remote.partition(":")
    if kind not in ("unix", "tcp", "ssl") or not rest:
        raise RemoteError(f'"{remote}" is not unix:FILE, tcp:HOST:PORT or ssl:HOST:PORT')
    if kind != "unix":
        host_and_port(rest)


def host_and_port(text: str) -> tuple[str, int]:
    """The parts of `HOST[:PORT]`, an IPv6 address being in brackets. Raises RemoteError."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise RemoteError(f'"{text}" is not [ADDRESS]:PORT')
        port = rest[1:]
    else:
        host, _, port = text.partition(":")
    if not host or not (port.isdecimal() or not port) or int(port or 0) > 65535:
        raise RemoteError(f'"{text}" is not HOST:PORT')
    return host, int(port or DEFAULT_PORT)


async def open_remote(
    remote: str, tls: ssl.SSLContext | None, limit: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect; `limit` is how many bytes are read ahead. Raises OSError or RemoteError."""
    check_remote(remote)
    kind, _, rest = remote.partition(":")
    if kind == "unix":
        with address_of(Path(rest)) as address:
            return await asyncio.open_unix_connection(address, limit=limit)
    if kind == "ssl" and tls is None:
        raise RemoteError(f"{remote}: needs a private key, a certificate and a CA certificate")
    host, port = host_and_port(rest)
    async with asyncio.timeout(CONNECT_SECONDS):
        return await asyncio.open_connection(host, port, limit=limit, ssl=tls if kind == "ssl" else None)
