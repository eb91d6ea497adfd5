"""One pass from the database to the kernel and back to an outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from weakref import finalize

from jackfield.datapath._abi import Disabled, DisabledBy
from jackfield.datapath.store import Datapath
from jackfield.reconcile.apply import Report, apply
from jackfield.reconcile.desired import Reading, desired
from jackfield.reconcile.devices import plan_devices
from jackfield.reconcile.loops import damped, damped_before
from jackfield.reconcile.memory import Memory
from jackfield.reconcile.observed import Observed
from jackfield.reconcile.outcome import Outcome
from jackfield.reconcile.plan import plan_maps
from jackfield.reconcile.presence import bridge_mtu, presence
from jackfield.reconcile.report import outcome
from jackfield.reconcile.rows import Snapshot, ask_the_same
from jackfield.reconcile.steps import Owner
from jackfield.reconcile.wanted import Desired, Kind
from jackfield.reconcile.watch import Watch

CALM_LOOKS = 3
"""A look during which devices change tells nothing of what else was changed: then another one follows."""


class Reconciler:
    """Keeps the kernel as the database wants it. Owned by one thread; every call blocks.

    What one pass remembers for the next can be lost: then a pass costs more or asks the database.
    """

    def __init__(
        self, datapath: Datapath, instance: str, after_step: Callable[[], None] = lambda: None
    ) -> None:
        """`instance` is the name that marks this switch's devices (`datapath.naming.instance_name`).
        `after_step` is called after each step on the kernel, for tests that stop there."""
        self._datapath = datapath
        self._after_step = after_step
        self._watch = Watch(datapath, instance)
        self._close = finalize(self, self._watch.close)
        self._ofports: Mapping[str, int] = {}
        self._mtus: Mapping[str, int] = {}
        self.damped = damped_before(datapath.guards.items(), datapath.names.get)
        """The ports that may flood little because they are in loops."""
        self._read: tuple[Snapshot, Desired] | None = None
        self._reading = Reading()
        self._memory = Memory()
        self._calm: _Calm | None = None

    def close(self) -> None:
        """Let go of what was opened; changes nothing."""
        self._close()

    def check(self, snapshot: Snapshot) -> Outcome:
        """As `reconcile`, and then trust nothing that was seen before: look at all of it afresh, repair what
        somebody else changed, and say so in the outcome's `repaired`."""
        result = self.reconcile(snapshot)
        repaired = self._datapath.repair_pins()
        steps = result.steps + repaired
        for _ in range(CALM_LOOKS):
            self._watch.forget()
            result = self.reconcile(snapshot)
            steps += result.steps
            if not self._watch.heard:
                repaired += result.steps
                break
        return replace(result, steps=steps, repaired=repaired)

    def reconcile(self, snapshot: Snapshot) -> Outcome:
        """Bring the kernel to what `snapshot` wants.

        A failure that is about one object is in the outcome; what is raised (NetworkError) concerns the
        whole, and the next call starts afresh.
        """
        return self._pass(damped(self._wanted(snapshot), self.damped))

    def _wanted(self, snapshot: Snapshot) -> Desired:
        """What `snapshot` wants; when it asks for the same as the last one, that is not worked out again."""
        if self._read is not None and ask_the_same(self._read[0], snapshot):
            wanted = self._read[1]
        else:
            wanted = desired(snapshot, self._ofports, self._reading)
            self._ofports = {
                interface.uuid: interface.ofport
                for interface in wanted.interfaces
                if interface.uuid is not None and interface.ofport > 0
            }
        self._read = snapshot, wanted
        return wanted

    def disable(self, port: int, by: DisabledBy, other: int, now_ns: int) -> None:
        """Have a port carry no frames, from the next pass on. `port` and `other` are ids of the data plane,
        `now_ns` is CLOCK_MONOTONIC."""
        self._datapath.disabled.set(port, Disabled(since_ns=now_ns, by=int(by), other=other))

    def damp(self, ports: frozenset[str]) -> None:
        """Have these ports, and no others, flood little from the next pass on."""
        self.damped = ports

    def enable(self, port: int) -> None:
        """Have a port that was disabled carry frames again, from the next pass on."""
        self._datapath.disabled.delete(port)
        self._watch.forget()  # a program may have taken the port out of its bridge, unheard

    def settle(self, limit: int = 1) -> int:
        """Give up to `limit` devices that were attached the fast way, many at once, the attachment that costs
        frames least; some 15 ms each, for idle moments. How many are left."""
        return self._datapath.settle(limit)

    def plan_only(self, snapshot: Snapshot) -> tuple[str, ...]:
        """What `reconcile` would do now, in plain words. What depends on devices yet to be made is not
        told: to wire them up and let their frames in."""
        wanted = damped(desired(snapshot, self._ofports), self.damped)
        seen = self._watch.look(wanted.namespaces())
        steps = plan_devices(wanted, seen, self._mtus).steps + plan_maps(wanted, seen).steps
        return tuple(step.describe() for step in steps)

    def remove_all(self) -> tuple[str, ...]:
        """Take away every device, attachment, address and setting that the switch made (for
        `exit --cleanup`); returns what was done. The maps stay, empty: see Datapath.destroy."""
        return self._pass(Desired()).steps

    def _pass(self, wanted: Desired) -> Outcome:
        try:
            return self._planned_and_done(wanted)
        except BaseException:
            self._watch.forget()
            self._calm = None
            self._memory = Memory()
            raise

    def _planned_and_done(self, wanted: Desired) -> Outcome:
        found = self._watch.look(wanted.namespaces())
        if self._calm is not None and self._calm.holds(wanted, found, self._watch.heard_of):
            return self._calm.outcome
        report = Report()
        first = plan_devices(wanted, found, self._mtus, self._memory)
        apply(first.steps, self._datapath, self._watch, report, self._after_step)
        second = plan_maps(wanted, self._watch.seen(), self._memory)
        apply(second.steps, self._datapath, self._watch, report, self._after_step)
        seen = self._watch.seen()
        if report.failed:
            self._watch.forget()
        else:
            self._datapath.remove_other_versions()
            there = self._memory.presence = presence(wanted, seen, self._memory.presence)
            self._mtus = {b.name: bridge_mtu(b, there) for b in wanted.bridges if b.error is None}
        problems: dict[Owner, str] = dict(second.problems) | dict(first.problems) | report.failed
        hardware = self._datapath.devices.hardware
        result = outcome(wanted, seen, problems, report.faults, report.done, hardware, self._memory)
        # What a step was done for may be what another one waited for.
        calm = not report.faults and not (problems and report.done)
        disabled = dict(seen.tables.disabled)
        self._calm = _Calm(wanted, seen, disabled, replace(result, steps=(), notes=())) if calm else None
        return result


@dataclass(frozen=True, slots=True)
class _Calm:
    """What was wanted and there after a pass that left nothing to do, and what it came to."""

    wanted: Desired
    seen: Observed
    disabled: Mapping[int, Disabled]
    outcome: Outcome

    def holds(self, wanted: Desired, found: Observed, heard_of: frozenset[int] | None) -> bool:
        """Whether another pass would find nothing to do either. Of system devices there is more to tell than
        what is observed, so those that were heard of are looked at."""
        if heard_of is None or found.tables is not self.seen.tables or found.tables.disabled != self.disabled:
            return False
        if not heard_of:
            return (wanted, found) == (self.wanted, self.seen)
        told = {each.switch_ifindex for each in self.outcome.interfaces if each.type == Kind.SYSTEM.value}
        return heard_of.isdisjoint(told) and (wanted, found) == (self.wanted, self.seen)
