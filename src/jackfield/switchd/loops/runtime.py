"""The search for loops in one switch, as the model says it goes.

All of it happens in the event loop, and only when a program tells of something or a timer has run out.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from jackfield.datapath._abi import Damped, DisabledBy, MoveKey, Switch, Upcall, UpcallKind, Watch
from jackfield.model.loops import Finder, Joint, Loop, News, Place, Probe
from jackfield.model.loops.probe import SECRET_BYTES, packed, unpacked
from jackfield.net.errors import NetworkError
from jackfield.net.monitor import LinkChange, Resync
from jackfield.reconcile.outcome import Outcome, PortOutcome
from jackfield.switchd.bonds.sender import FrameSender
from jackfield.switchd.loops.view import View
from jackfield.switchd.status import Update

_log = logging.getLogger("jackfield.loop")

MOST_NUMBER = (1 << 24) - 1
ADOPTED_SECONDS = 5.0
"""What an earlier process found is taken for true for so long; loops that are still there are found again."""

WATCH_SECONDS, UNWATCHED_SECONDS = 1.0, 3.0
"""How often the programs are told that somebody looks after loops, and how soon they act alone if not."""


class SwitchTable(Protocol):
    """Where a switch's own number is kept."""

    def get(self, key: int) -> Switch | None: ...
    def set(self, key: int, value: Switch) -> object: ...


class DampedTable(Protocol):
    """What the programs did by themselves while nobody looked after loops, by port id."""

    def items(self) -> list[tuple[int, Damped]]: ...
    def delete(self, key: int) -> object: ...


class WatchTable(Protocol):
    """Where the programs see that somebody looks after loops."""

    def set(self, key: int, value: Watch) -> object: ...


class Ports(Protocol):
    """How ports are disabled and enabled; blocks, for the thread that owns the kernel."""

    @property
    def damped(self) -> frozenset[str]: ...
    def damp(self, ports: frozenset[str]) -> None: ...
    def disable(self, port: int, by: DisabledBy, other: int, now_ns: int) -> None: ...
    def enable(self, port: int) -> None: ...


class Loops:
    """See the module. Belongs to the event loop's thread."""

    def __init__(
        self,
        switch: SwitchTable,
        damped: DampedTable,
        watch: WatchTable,
        ports: Ports,
        own: Callable[[Callable[[], None]], Awaitable[None]],
        look_again: Callable[[], None],
    ) -> None:
        """`own` runs a function in the thread that owns the kernel, `look_again` has a pass follow. Raises
        OSError and NetworkError."""
        self._storms = damped
        self._watch = watch
        self._watching: asyncio.TimerHandle | None = None
        self._ports = ports
        self._own = own
        self._look_again = look_again
        self._number = own_number(switch)
        self._secret = secrets.token_bytes(SECRET_BYTES)
        self._sender = FrameSender()
        self._finder = Finder()
        self._view = View(Outcome())
        self._damped = ports.damped
        self._adopted_until = time.monotonic() + ADOPTED_SECONDS if self._damped else 0.0
        self._patches: dict[Joint, str] = {}
        self._texts: dict[Loop, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def close(self) -> None:
        """End. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._watching is not None:
            self._watching.cancel()
            self._watch.set(0, Watch())
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        self._sender.close()

    @property
    def report(self) -> list[Mapping[str, Any]]:
        """The loops that are there now, for `jackfield/status`."""
        found: list[Mapping[str, Any]] = [
            {"ports": sorted({*loop.ports}), "vlan": loop.out.vlan, "patches": False, "message": text}
            for loop, text in self._texts.items()
        ]
        return found + [
            {"ports": sorted((joint.port, joint.peer)), "vlan": joint.vlan, "patches": True, "message": text}
            for joint, text in self._patches.items()
        ]

    async def enable(self, port: PortOutcome) -> None:
        """Have a port that was disabled, for whatever reason, carry frames again. Raises NetworkError."""
        await self._own(lambda: self._ports.enable(port.id))
        self._look_again()

    # -- what happens --------------------------------------------------------------------------------

    def outcome(self, outcome: Outcome) -> Iterable[Update]:
        """The kernel has been configured anew."""
        old = self._view
        if outcome is not old.outcome:
            self._view = View(outcome)
        self._tell(self._finder.forget(old.ports.keys() - self._view.carrying))
        self._judge_patches()
        if self._watching is None:
            self._keep_watch()
        self._hear_of_storms()
        for port in self._view.disabled:
            if self._view.is_free_again(port):
                self._do(self.enable(port))
        self._run()
        return ()

    def links(self, changes: Sequence[LinkChange | Resync]) -> None:
        """A loop is not judged by its devices."""

    def heard(self, upcalls: Sequence[Upcall]) -> None:
        """The programs tell of moving addresses or a disabled port, or a probe has come back."""
        now = time.monotonic()
        if any(upcall.kind == UpcallKind.MOVES for upcall in upcalls):
            self._hear_of_storms()
        for upcall in upcalls:
            if upcall.kind == UpcallKind.MOVES:
                moved = MoveKey.unpack(upcall.data[: MoveKey.size()])
                self._finder.suspect(self._view.suspects(moved.before, moved.after, moved.vlan), now)
                continue
            if upcall.kind == UpcallKind.DISABLED:
                self._look_again()
                continue
            probe = unpacked(upcall.data[: upcall.length], self._secret)
            way = self._view.way(probe, upcall) if probe is not None else None
            if way is not None:
                self._tell(self._finder.returned(*way, now))
        self._run()

    def _keep_watch(self) -> None:
        """Say again and again that the programs need not act by themselves."""
        self._watch.set(0, Watch(time.monotonic_ns() + int(UNWATCHED_SECONDS * 1e9)))
        self._watching = asyncio.get_running_loop().call_later(WATCH_SECONDS, self._keep_watch)

    def _hear_of_storms(self) -> None:
        """Tell what the programs did alone, and look whether there is a loop."""
        if not self._view.ports:
            return  # nothing is known yet of whom it is about
        records = dict(self._storms.items())
        for text in self._view.storm_texts(records):
            _log.warning("%s", text)
        for number, record in records.items():
            self._finder.suspect(self._view.suspects(number, record.other, record.vlan), time.monotonic())
            self._storms.delete(number)

    def _judge_patches(self) -> None:
        """Loops of bridges are known from the configuration alone."""
        found = {joint: self._view.patch_text(joint) for joint in self._view.patches}
        for joint, text in found.items():
            if joint not in self._patches:
                _log.warning("%s", text)
            self._disable((joint.port, joint.peer))
        for joint in self._patches.keys() - found.keys():
            _log.info("the loop through patch ports %s and %s is gone", joint.port, joint.peer)
        self._patches = found

    def _tell(self, news: News) -> None:
        for loop in news.found:
            self._texts[loop] = self._view.loop_text(loop)
            _log.warning("%s", self._texts[loop])
            self._disable(loop.ports)
        for loop in news.gone:
            self._texts.pop(loop, None)
            _log.info("the loop between %s and %s is gone", *loop.ports)

    def _disable(self, names: tuple[str, str]) -> None:
        chosen = self._view.to_disable(names)
        if chosen is None:
            return
        port, other = chosen

        async def work() -> None:
            now = time.monotonic_ns()
            await self._own(lambda: self._ports.disable(port.id, DisabledBy.LOOP, other.id, now))
            self._look_again()

        self._do(work())

    # -- carrying out --------------------------------------------------------------------------------

    def _run(self) -> None:
        """Do what is due, and wake up when something is again."""
        now = time.monotonic()
        self._tell(self._finder.ended(now))
        for place in self._finder.probes(now):
            self._send(place)
        wakeup = min(self._finder.wakeup(), self._recover(now), self._damp(now))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if wakeup != math.inf and not self._closed:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, wakeup - time.monotonic()), self._run)

    def _damp(self, now: float) -> float:
        """Have the ports of loops flood little, and no others; when to look again."""
        wanted = {name for loop in self._finder.loops for name in loop.ports if self._view.carries(name)}
        if now < self._adopted_until:
            wanted |= {name for name in self._damped if self._view.carries(name)}
        if wanted != self._damped:
            damped = self._damped = frozenset(wanted)

            async def work() -> None:
                await self._own(lambda: self._ports.damp(damped))
                self._look_again()

            self._do(work())
        return self._adopted_until if now < self._adopted_until else math.inf

    def _recover(self, now: float) -> float:
        """Enable ports whose time is over; when the next one's is."""
        first = math.inf
        for port in self._view.disabled_for_loops():
            assert port.disabled is not None
            if port.loops.recover_seconds is None:
                continue
            due = port.disabled.since + port.loops.recover_seconds
            if due > now:
                first = min(first, due)
            else:
                _log.info("port %s: enabled again to see whether the loop is still there", port.name)
                self._do(self.enable(port))
        return first

    def _send(self, place: Place) -> None:
        port = self._view.ports.get(place.port)
        frame = packed(Probe(port.id, place.vlan), port.config, self._number, self._secret) if port else None
        if frame is None:
            return
        for device in self._view.devices(place.port):
            try:
                self._sender.send(device, frame)
            except OSError as error:
                _log.debug("port %s: cannot send a probe: %s", place.port, error)

    def _do(self, work: Awaitable[None]) -> None:
        async def carefully() -> None:
            try:
                await work
            except NetworkError as error:
                _log.warning("%s", error)

        task = asyncio.create_task(carefully())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def own_number(switch: SwitchTable) -> int:
    """The number by which a switch knows its probes: it stays for as long as the data plane is there."""
    held = switch.get(0)
    if held is not None and held.probe:
        return held.probe
    number = 1 + secrets.randbelow(MOST_NUMBER)
    switch.set(0, Switch(probe=number))
    return number
