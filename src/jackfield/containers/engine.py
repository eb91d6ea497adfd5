"""Asking a container engine by Docker's Engine API, which Podman's service speaks too.

The API is spoken over its Unix socket directly: the engines' own library takes a third of a second to import,
longer than an attachment takes as a whole.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jackfield.client.errors import Failure
from jackfield.wire.address import address_of

ANSWER_SECONDS = 5.0
_MOST_ANSWER = 16 << 20
_EVENTS = {"start": "start", "die": "die", "died": "die", "destroy": "destroy", "remove": "destroy"}
"""Docker's names of events, and Podman's own."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container as its engine tells of it; `pid` is None when it does not run."""

    id: str
    name: str
    state: str  # "running", "exited" …
    pid: int | None


class NoContainer(Failure):
    """The engine answers and knows no such container."""


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
        """What happens to containers, for as long as the engine tells: pairs of "start", "die" or "destroy"
        and the container's id. The first one is ("connected", ""): what happens from then on is told."""
        wanted = urlencode({"filters": json.dumps({"type": ["container"]})})
        with closing(_UnixConnection(self.path, forever=True)) as connection:
            try:
                connection.request("GET", f"/events?{wanted}")
                response = connection.getresponse()
                if response.status != 200:
                    raise Failure(f"{self.label} does not tell of events: {response.reason}")
                yield "connected", ""
                for line in iter(lambda: response.readline(_MOST_ANSWER), b""):
                    event = json.loads(line)
                    name = _EVENTS.get(event.get("status") or event.get("Action"))
                    number = event.get("id") or event.get("Actor", {}).get("ID")
                    if name is not None and isinstance(number, str):
                        yield name, number
            except (OSError, HTTPException, ValueError, AttributeError) as error:
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
        with closing(_UnixConnection(self.path)) as connection:
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                body = json.loads(response.read(_MOST_ANSWER) or b"null")
            except (OSError, HTTPException, ValueError) as error:
                raise self._failed(error) from error
        if response.status == 404:
            raise NoContainer(f"{self.label} has no container {name}")
        if response.status != 200:
            reason = body.get("message") if isinstance(body, dict) else None
            raise Failure(f"{self.label} refuses to tell of {name}: {reason or response.reason}")
        return body

    def _failed(self, error: Exception) -> Failure:
        if isinstance(error, TimeoutError):
            return Failure(f"{self.label} has not answered within {ANSWER_SECONDS:g} seconds")
        if isinstance(error, OSError) and error.errno is not None:
            return Failure(f"{self.label} cannot be asked: {os.strerror(error.errno)}")
        return Failure(f"{self.label} broke off its answer")


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, *, forever: bool = False) -> None:
        super().__init__("localhost")
        self._path = path
        self._forever = forever

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.sock.settimeout(ANSWER_SECONDS)
        with address_of(Path(self._path)) as address:
            self.sock.connect(address)

    def getresponse(self) -> HTTPResponse:
        response = super().getresponse()
        if self._forever:
            self.sock.settimeout(None)
        return response


def engines() -> list[Engine]:
    """The engines of this machine whose sockets are there: where DOCKER_HOST and CONTAINER_HOST say, else in
    the usual places."""
    docker = _local(os.environ.get("DOCKER_HOST", "")) or "/var/run/docker.sock"
    podman = _local(os.environ.get("CONTAINER_HOST", "")) or "/run/podman/podman.sock"
    found = [Engine("docker", docker), Engine("podman", podman)]
    return [engine for engine in found if Path(engine.path).exists()]


def _local(host: str) -> str:
    return host.removeprefix("unix://") if host.startswith("unix://") else ""
