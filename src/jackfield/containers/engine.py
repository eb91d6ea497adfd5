"""Asking a container engine by Docker's Engine API, which Podman's service speaks too.

The API is spoken over its Unix socket directly, in HTTP 1.0, whose answers end with the connection: the
engines' own library takes longer to import than an attachment takes as a whole, and the HTTP client of the
standard library a good part of that.
"""

from __future__ import annotations

import io
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlencode

from jackfield.client.errors import Failure
from jackfield.wire.address import address_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ANSWER_SECONDS = 5.0
"""How long an engine may take for a whole answer."""
_MOST_ANSWER, _MOST_LINE, _MOST_HEADERS = 16 << 20, 65536, 100
_EVENTS = {"died": "die", "remove": "destroy"} | {
    name: name for name in ("start", "die", "rename", "destroy")
}
"""Podman's own names of events, and Docker's."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container as its engine tells of it; `pid` is None when it does not run."""

    id: str
    name: str
    state: str  # "running", "exited" …
    pid: int | None


class NoContainer(Failure):
    """The engine answers and knows no such container."""


class NoAnswer(Failure):
    """The engine cannot be asked, or does not answer in time."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine at a socket. `kind` is "docker" or "podman". Every method raises Failure."""

    kind: str
    path: str

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.kind.capitalize()} at {self.path}"

    def inspect(self, name: str) -> Container:
        """The container of that name or id (a unique beginning of it will do)."""
        found = self._get(f"/containers/{quote(name, safe='')}/json", name)
        try:
            state = found["State"]
            pid = int(state.get("Pid") or 0)
            running = bool(state.get("Running")) and pid > 0
            status = str(state.get("Status") or ("running" if running else "not running"))
            return Container(
                str(found["Id"]), str(found["Name"]).lstrip("/"), status, pid if running else None
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Failure(f"{self.label} gave an answer about {name} that makes no sense") from error

    def events(self) -> Iterator[tuple[str, str]]:
        """What happens to containers, for as long as the engine tells: pairs of "start", "die", "rename" or
        "destroy" and the container's id. The first one is ("connected", ""): what comes after it is told."""
        wanted = urlencode({"filters": json.dumps({"type": ["container"]})})
        try:
            with _asked(self.path, f"/events?{wanted}", forever=True) as (status, reason, body):
                if status != 200:
                    raise Failure(f"{self.label} does not tell of events: {reason}")
                yield "connected", ""
                for line in iter(lambda: body.readline(_MOST_ANSWER), b""):
                    event = json.loads(line)
                    name = _EVENTS.get(event.get("status") or event.get("Action"))
                    number = event.get("id") or event.get("Actor", {}).get("ID")
                    if name is not None and isinstance(number, str):
                        yield name, number
        except (OSError, ValueError, AttributeError) as error:
            raise self._failed(error) from error

    def endpoints(self, network: str) -> Mapping[str, str] | None:
        """The endpoints of a network and the container of each, empty for one that is in none yet; None when
        the engine knows no such network."""
        try:
            found = self._get(f"/networks/{quote(network, safe='')}", network)
        except NoContainer:
            return None
        containers = found.get("Containers") if isinstance(found, dict) else None
        return {
            str(item["EndpointID"]): "" if container.startswith("ep-") else container
            for container, item in (containers or {}).items()
            if isinstance(item, dict) and item.get("EndpointID")
        }

    def _get(self, path: str, name: str) -> Any:
        try:
            with _asked(self.path, path) as (status, reason, stream):
                body = json.loads(stream.read(_MOST_ANSWER) or b"null")
        except (OSError, ValueError) as error:
            raise self._failed(error) from error
        if status == 404:
            raise NoContainer(f"{self.label} has no container {name}")
        if status != 200:
            said = body.get("message") if isinstance(body, dict) else None
            raise Failure(f"{self.label} refuses to tell of {name}: {said or reason}")
        return body

    def _failed(self, error: Exception) -> NoAnswer:
        if isinstance(error, TimeoutError):
            return NoAnswer(f"{self.label} has not answered within {ANSWER_SECONDS:g} seconds")
        if isinstance(error, OSError) and error.errno is not None:
            return NoAnswer(f"{self.label} cannot be asked: {os.strerror(error.errno)}")
        return NoAnswer(f"{self.label} broke off its answer")


@contextmanager
def _asked(path: str, what: str, *, forever: bool = False) -> Iterator[tuple[int, str, BinaryIO]]:
    """Ask at the Unix socket `path`: the answer's status, reason and body (RFC 1945). With `forever`, the
    body may take any time to come. Raises OSError and ValueError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        received = _Received(connection, time.monotonic() + ANSWER_SECONDS)
        received.allow()
        with address_of(Path(path)) as address:
            connection.connect(address)
        received.allow()
        connection.sendall(f"GET {what} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())
        with io.BufferedReader(received) as answer:
            _, status, reason = answer.readline(_MOST_LINE).decode("latin-1").rstrip().split(" ", 2)
            for _ in range(_MOST_HEADERS):
                if not answer.readline(_MOST_LINE).strip():
                    break
            if forever:
                received.deadline = None
            yield int(status), reason, answer


class _Received(io.RawIOBase):
    """What comes by a socket before `deadline` (time.monotonic(), None: for ever), in however many pieces."""

    def __init__(self, connection: socket.socket, deadline: float | None) -> None:
        self._connection = connection
        self.deadline = deadline

    def allow(self) -> None:
        """Let the socket's next operation take what time is left. Raises TimeoutError when none is."""
        left = None if self.deadline is None else self.deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self.allow()
        return self._connection.recv_into(buffer)


def engines(environment: Mapping[str, str] = os.environ) -> list[Engine]:
    """The engines of this machine whose sockets are there: where DOCKER_HOST and CONTAINER_HOST say, else in
    the usual places."""
    docker = _local(environment.get("DOCKER_HOST", "")) or "/var/run/docker.sock"
    podman = _local(environment.get("CONTAINER_HOST", "")) or "/run/podman/podman.sock"
    found = [Engine("docker", docker), Engine("podman", podman)]
    return [engine for engine in found if Path(engine.path).exists()]


def _local(host: str) -> str:
    return host.removeprefix("unix://") if host.startswith("unix://") else ""
