"""What listeners and connections that we make have in common, and how they stand (ovsdb-server(1))."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Protocol

from jackfield.ovsdb.remote_config import DEFAULT_PROBE, Options
from jackfield.ovsdb.target import Target, needs_probes


@dataclass(frozen=True, slots=True)
class Status:
    """How a remote stands; times are in whole seconds, None for "never"."""

    connected: bool = False
    state: str = ""
    since_connect: int | None = 0
    since_disconnect: int | None = 0
    last_error: str = ""
    locks: dict[str, list[str]] = field(default_factory=dict)
    connections: int = 0
    bound_port: int = 0

    def to_map(self) -> dict[str, str]:
        """The `status` column of the remote's row, in OVS's words."""
        status = {
            "state": self.state,
            "sec_since_connect": _text(self.since_connect),
            "sec_since_disconnect": _text(self.since_disconnect),
            "last_error": self.last_error,
            "n_connections": str(self.connections) if self.connections > 1 else "",
            "bound_port": str(self.bound_port or ""),
        }
        status |= {f"locks_{how}": " ".join(names) for how, names in self.locks.items()}
        return {key: text for key, text in status.items() if text}


def _text(seconds: int | None) -> str:
    return "" if seconds is None else str(seconds)


class Remote(Protocol):
    """A remote that is in use."""

    options: Options

    def configure(self, options: Options) -> None:
        """Treat the remote like this from now on."""

    def status(self) -> Status:
        """How it stands."""

    async def close(self) -> None:
        """Give it up and end its connections."""


def probe_seconds(target: Target, options: Options) -> float:
    """The interval of probes, 0 for none."""
    if options.probe is not None:
        return options.probe
    return DEFAULT_PROBE if needs_probes(target) else 0.0


def mark(sock: socket.socket, dscp: int) -> None:
    """Send with this DSCP, where the network has one. Raises OSError."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
    elif sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
