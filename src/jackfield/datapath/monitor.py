"""Hear of changes to network devices, here and in the namespaces that this one knows by number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinkChange:
    """Something about a device changed. `nsid` is None in this namespace."""

    ifindex: int
    name: str
    nsid: int | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Resync:
    """Messages were lost: look at everything again."""


class LinkMonitor:
    """A socket for an event loop: `add_reader(monitor.fileno(), …)`, then `read()`.

    Belongs to one thread, which must be in the switch's namespace when it is made.
    """

    def fileno(self) -> int: ...

    def read(self) -> list[LinkChange | Resync]:
        """What was heard since the last call; never blocks; empty when nothing was."""

    def close(self) -> None: ...
