"""Turning the driver on and off, and telling how it is: a user's side of it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.client.operations import set_keys
from jackfield.containers.docker_network import records
from jackfield.containers.docker_network.server import FOLDER
from jackfield.containers.docker_network.service import (
    COLUMNS,
    KEY,
    PROBLEM,
    check_name,
    problem_of,
    served_name,
    wanted_name,
)
from jackfield.wire.address import address_of

ANSWER_SECONDS = 5.0
START_SECONDS = 10.0
_TABLES = {"Open_vSwitch": COLUMNS}


@dataclass(frozen=True, slots=True)
class NetworkStatus:
    """A network of Docker's, by the beginning of its id."""

    id: str
    bridge: str
    vlan: str
    gateways: tuple[str, ...]
    containers: int

    def cells(self) -> tuple[str, ...]:
        """Its row of a table."""
        return self.id[:12], self.bridge, self.vlan, " ".join(self.gateways), str(self.containers)


@dataclass(frozen=True, slots=True)
class Status:
    """Under which name Docker is to be served, empty for not at all, and whether it is."""

    name: str
    socket: str
    answers: bool
    networks: Sequence[NetworkStatus]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "name": self.name,
            "socket": self.socket,
            "answers": self.answers,
            "networks": [asdict(network) for network in self.networks],
        }


def enable(name: str) -> None:
    """Have Docker served under a name and wait until it is; raises Failure."""
    check_name(name)
    _set(name)
    deadline = time.monotonic() + START_SECONDS
    with Database.open(_TABLES) as database:
        while served_name(database) != name:
            if wanted_name(database) != name:
                raise Failure("somebody else has changed the driver's name meanwhile")
            if problem := problem_of(database):
                raise Failure(problem)
            try:
                database.wait(deadline)
            except TimeoutError:
                raise Failure(f"nobody serves {socket_path(name)}; the daemon's log says why") from None


def disable() -> None:
    """Have Docker served no more; raises Failure."""
    _set(None)


def status() -> Status:
    """How it is now; raises Failure."""
    with Database.open(_TABLES) as database:
        name = wanted_name(database)
        networks = [
            NetworkStatus(
                id=network_id,
                bridge=network.bridge,
                vlan="trunk" if network.trunks else str(network.tag if network.tag is not None else ""),
                gateways=network.gateways,
                containers=len(records.endpoints(database, network_id)),
            )
            for network_id, network in records.networks(database).items()
        ]
    return Status(name, str(socket_path(name)) if name else "", bool(name) and answers(name), networks)


def socket_path(name: str) -> Path:
    """Where a driver of that name is served."""
    return FOLDER / f"{name}.sock"


def answers(name: str) -> bool:
    """Whether a driver of that name says that it is one."""
    request = b"POST /Plugin.Activate HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_SECONDS)
            with address_of(socket_path(name)) as address:
                connection.connect(address)
            connection.sendall(request)
            answer = connection.makefile("rb").read(1 << 16)
        return "NetworkDriver" in json.loads(answer.partition(b"\r\n\r\n")[2])["Implements"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _set(name: str | None) -> None:
    with Database.open(_TABLES) as database:
        root = database.root
        database.commit(
            [
                set_keys("Open_vSwitch", root, "other_config", {KEY: name}),
                set_keys("Open_vSwitch", root, "external_ids", {PROBLEM: None, KEY: None}),
            ]
        )
