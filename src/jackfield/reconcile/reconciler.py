"""One pass from the database to the kernel and back to an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jackfield.datapath.store import Datapath
from jackfield.reconcile.apply import Report, apply
from jackfield.reconcile.desired import desired
from jackfield.reconcile.devices import plan_devices
from jackfield.reconcile.observed import Observed, Tables, observe
from jackfield.reconcile.outcome import Outcome
from jackfield.reconcile.plan import plan_maps
from jackfield.reconcile.presence import bridge_mtu
from jackfield.reconcile.report import outcome
from jackfield.reconcile.rows import Snapshot
from jackfield.reconcile.steps import Owner
from jackfield.reconcile.wanted import Desired

READ_AGAIN_S = 60.0
"""After so long the maps are read afresh, though nobody else should write them."""


@dataclass(slots=True)
class _Memory:
    """What one pass tells the next. All of it can be lost: then a pass costs more or asks the database."""

    ofports: Mapping[str, int] = field(default_factory=dict)
    mtus: Mapping[str, int] = field(default_factory=dict)
    tables: Tables | None = None
    read_at: float = 0.0


class Reconciler:
    """Keeps the kernel as the database wants it. Owned by one thread; every call blocks."""

    def __init__(self, datapath: Datapath, instance: str) -> None:
        """`instance` is the name that marks this switch's devices (`datapath.naming.instance_name`)."""
        self._datapath = datapath
        self._instance = instance
        self._memory = _Memory()

    def reconcile(self, snapshot: Snapshot, now: float) -> Outcome:
        """Bring the kernel to what `snapshot` wants; `now` is in seconds, monotonic.

        A failure that is about one object is in the outcome; what is raised (DatapathError) concerns the
        whole, and the next call starts afresh.
        """
        if now - self._memory.read_at >= READ_AGAIN_S:
            self._memory.tables = None
        if self._memory.tables is None:
            self._memory.read_at = now
        wanted = desired(snapshot, self._memory.ofports)
        result = self._pass(wanted)
        self._memory.ofports = {
            interface.uuid: interface.ofport
            for _, _, interface in wanted.interfaces()
            if interface.uuid is not None and interface.ofport > 0
        }
        return result

    def refresh(self, snapshot: Snapshot) -> Outcome:
        """The outcome as things are, with no change made."""
        wanted = desired(snapshot, self._memory.ofports)
        return outcome(wanted, self._observe(), {}, {}, (), self._datapath.devices.hardware)

    def plan_only(self, snapshot: Snapshot) -> tuple[str, ...]:
        """What `reconcile` would do now, in plain words. What depends on devices yet to be made is not
        told: to wire them up and let their frames in."""
        wanted = desired(snapshot, self._memory.ofports)
        seen = self._observe()
        steps = plan_devices(wanted, seen, self._memory.mtus).steps + plan_maps(wanted, seen).steps
        return tuple(step.describe() for step in steps)

    def remove_all(self) -> tuple[str, ...]:
        """Take away every device, attachment, address and setting that the switch made (for
        `exit --cleanup`); returns what was done. The maps stay, empty: see Datapath.destroy."""
        return self._pass(Desired()).steps

    def _pass(self, wanted: Desired) -> Outcome:
        seen = self._observe()
        # Until the pass is over nobody can say what the maps hold.
        self._memory.tables = None
        report = Report()
        first = plan_devices(wanted, seen, self._memory.mtus)
        apply(first.steps, self._datapath, seen.tables, report)
        if first.steps:
            seen = observe(self._datapath, self._instance, seen.tables)
        second = plan_maps(wanted, seen)
        devices_done = len(report.done)
        apply(second.steps, self._datapath, seen.tables, report)
        if len(report.done) > devices_done:
            seen = observe(self._datapath, self._instance, seen.tables)
        if not report.failed:
            self._memory.tables = seen.tables
            self._memory.mtus = {b.name: bridge_mtu(b, seen) for b in wanted.bridges if b.error is None}
        problems: dict[Owner, str] = dict(second.problems) | dict(first.problems) | report.failed
        words = (step.describe() for step in report.done)
        return outcome(wanted, seen, problems, report.faults, words, self._datapath.devices.hardware)

    def _observe(self) -> Observed:
        return observe(self._datapath, self._instance, self._memory.tables)
