"""One pass from the database to the kernel and back to an outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jackfield.reconcile.outcome import Outcome
from jackfield.reconcile.rows import Snapshot

if TYPE_CHECKING:
    from jackfield.datapath.store import Datapath


class Reconciler:
    """Keeps the kernel as the database wants it. Owned by one thread; every call blocks."""

    def __init__(self, datapath: Datapath, instance: str) -> None:
        """`instance` is the name that marks this switch's devices (`datapath.instance_name`)."""
        raise NotImplementedError

    def reconcile(self, snapshot: Snapshot, now: float) -> Outcome:
        """Bring the kernel to what `snapshot` wants; `now` is in seconds, monotonic. Raises nothing that is about one
        object: such failures are in the outcome."""
        raise NotImplementedError

    def refresh(self, snapshot: Snapshot, now: float) -> Outcome:
        """The outcome as things are, with no change made."""
        raise NotImplementedError

    def plan_only(self, snapshot: Snapshot) -> tuple[str, ...]:
        """What `reconcile` would do now, in plain words."""
        raise NotImplementedError

    def remove_all(self) -> tuple[str, ...]:
        """Take away every device, attachment, address-table entry and setting that the switch made, in
        the right order (for `exit --cleanup`); returns what was done."""
        raise NotImplementedError
