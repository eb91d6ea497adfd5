"""Attached containers, as a network file has them: a bridge to `jackfield.containers`."""

from __future__ import annotations

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.topology.network import Container


def attached(database: Database) -> dict[tuple[str, str], Container]:
    """The containers that are attached."""
    return {}


def attach(container: Container) -> None:
    """Attach a container, or change how it is. Raises Failure."""
    raise Failure("containers cannot be attached")


def detach(target: str, device: str) -> None:
    """Detach a container. Raises Failure."""
    raise Failure("containers cannot be attached")
