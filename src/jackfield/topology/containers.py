"""Attached containers, as a network file has them: the same attachments that `jackfield attach` makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jackfield.client.database import Database
from jackfield.topology.network import Container

if TYPE_CHECKING:
    from jackfield.containers.targets import Target

Key = tuple[str, str]
"""The target in a file's words, and the name of its device."""


def attached(database: Database) -> dict[Key, Container]:
    """The containers that are attached, whether they run or not."""
    from jackfield.containers.records import every

    found = {}
    for known in every(database):
        words = _words(known.attachment.target)
        wish = known.attachment.wish
        found[words, wish.ifname] = Container(words, wish)
    return found


def netns_paths(database: Database) -> dict[str, str]:
    """For each that runs, by its words, the file that stands for its namespace."""
    from jackfield.containers.records import every

    found = {}
    for known in every(database):
        options = known.interface.get("options")
        if isinstance(options, dict) and "netns" in options:
            found[_words(known.attachment.target)] = str(options["netns"])
    return found


def attach(database: Database, container: Container) -> None:
    """Attach a container, or change how it is. Raises Failure."""
    from jackfield.containers.attach import attach
    from jackfield.containers.lock import exclusive
    from jackfield.containers.targets import find

    running = find(container.target)
    with exclusive(running.target.key) as meanwhile:
        attach(database, running, container.wish, meanwhile)


def detach(database: Database, key: Key) -> None:
    """Undo it; no error when it is undone already. Raises Failure."""
    from jackfield.containers.commands import take_off
    from jackfield.containers.records import every

    database.refresh()
    for known in every(database):
        target, ifname = known.attachment.target, known.attachment.wish.ifname
        if (_words(target), ifname) == key:
            list(take_off(database, target, ifname))


def plain_target(words: str) -> str:
    """A target's words in the form in which they are compared."""
    kind, colon, rest = words.partition(":")
    if colon and kind in ("docker", "podman"):
        return rest
    return f"netns:{rest.removeprefix('/run/netns/')}" if colon and kind == "netns" else words


def _words(target: Target) -> str:
    return target.name if target.kind in ("docker", "podman") else plain_target(f"{target.kind}:{target.id}")
