"""What acts on the kernel's devices beside the cycle itself, such as bonds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from jackfield.net.monitor import LinkChange, Resync
from jackfield.reconcile.outcome import Outcome
from jackfield.switchd.status import Update


class Follower(Protocol):
    """Is called in the event loop's thread, and must not wait for anything."""

    def outcome(self, outcome: Outcome) -> Iterable[Update]:
        """The kernel is as `outcome` says. The status columns that follow from it."""

    def links(self, changes: Sequence[LinkChange | Resync]) -> None:
        """Devices have changed."""

    def close(self) -> None:
        """The end; may be called twice."""
