"""The cycle: database to kernel to status columns, again whenever something changes.

The event loop never waits for the kernel: one worker thread owns the datapath and does all that may take
long, a second one reads counters and tables meanwhile. What changes during a pass is taken up by the next.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import ssl
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from jackfield.datapath._abi import FdbOp
from jackfield.net.errors import NetworkError
from jackfield.net.monitor import MountMonitor
from jackfield.reconcile.outcome import Outcome
from jackfield.switchd.bonds.view import judged
from jackfield.switchd.client import DatabaseClient, DatabaseError, Unreachable
from jackfield.switchd.collect import collect
from jackfield.switchd.coverage import Coverage
from jackfield.switchd.follower import Follower
from jackfield.switchd.status import (
    MONITORED,
    LinkResets,
    Platform,
    Update,
    is_configuration,
    narrate,
    operations,
    root_updates,
)
from jackfield.switchd.unwritten import Unwritten

if TYPE_CHECKING:
    from jackfield.datapath.store import Datapath
    from jackfield.net.monitor import LinkMonitor
    from jackfield.reconcile.reconciler import Reconciler
    from jackfield.wire.replica import Change

_log = logging.getLogger("jackfield.bridge")

DATABASE = "Open_vSwitch"
LOCK = "ovs_vswitchd"
"""The lock by which one switch at a time works for a database, as ovs-vswitchd takes it."""
EVENTS = (
    "bridge_reconfigure",
    "database_change",
    "database_transact",
    "fdb_sweep",
    "link_change",
    "stats_update",
    "unixctl_received",
)
LINK_SETTLE_SECONDS = 0.010
RETRY_SECONDS = 1.0
RECONNECT_SECONDS = (0.25, 8.0)
SAFETY_SECONDS = 30.0
CHECK_SECONDS = 60.0
SWEEP_SECONDS = 1.0
IDLE_SWEEP_SECONDS = 5.0
SETTLE_PAUSE_SECONDS = 0.05
QUIET_SECONDS = 1.0

_ANOTHER = "another ovs-vswitchd process is running, disabling this process (pid %d) until it goes away"

T = TypeVar("T")


class Engine:
    """Keeps kernel and status columns as the database wants them, from `start` to `stop`."""

    def __init__(
        self,
        remote: str,
        datapath: Datapath,
        reconciler: Reconciler,
        monitor: LinkMonitor,
        platform: Platform,
        owner: ThreadPoolExecutor,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`remote` is the database server, as `open_remote` takes it, with `tls` if that needs it.

        `owner` is the one thread that made `datapath` and `reconciler` and alone may use them.
        """
        self._remote = remote
        self._tls = tls
        self._datapath = datapath
        self._reconciler = reconciler
        self._monitor = monitor
        self._mounts = MountMonitor()
        self._platform = platform
        self._owner = owner
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._client: DatabaseClient | None = None
        self._wanted = asyncio.Event()
        self._in_charge = asyncio.Event()
        self._link_timer: asyncio.TimerHandle | None = None
        self._unsettled = asyncio.Event()
        self._look_seconds = 0.0
        self._passed_at = 0.0
        self._resets = LinkResets()
        self._unwritten = Unwritten()
        self._checked: asyncio.Future[tuple[str, ...]] | None = None
        self._checked_at = time.monotonic()
        self.repairs = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._followers: list[Follower] = []
        self.ready = False
        self.trouble = ""
        """Why the configuration cannot be applied or followed at present, which is tried again and again."""
        self.outcome = Outcome()
        self.coverage = Coverage(EVENTS)
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # -- life ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Follow the database and bring the kernel to what it wants once; then go on by itself.

        Waits for a database server that cannot be reached yet. Raises DatabaseError or NetworkError.
        """
        await self._reconnect(Unreachable)
        await self._pass()
        asyncio.get_running_loop().add_reader(self._monitor.fileno(), self._links_changed)
        asyncio.get_running_loop().add_reader(self._mounts.fileno(), self._mounts_changed)
        self._links_changed()
        cycles = (self._reconfigure, self._keep_statistics, self._sweep, self._settle, self._stay_connected)
        for cycle in cycles:
            task = asyncio.create_task(cycle(), name=cycle.__name__)
            task.add_done_callback(self._ended)
            self._tasks.append(task)
        self._unsettled.set()
        self.ready = True

    async def stop(self, *, cleanup: bool = False) -> None:
        """End; with `cleanup` everything that the switch made in the kernel is taken away as well."""
        started = time.monotonic()
        asyncio.get_running_loop().remove_reader(self._monitor.fileno())
        asyncio.get_running_loop().remove_reader(self._mounts.fileno())
        if self._link_timer is not None:
            self._link_timer.cancel()
        for follower in self._followers:
            follower.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
        if cleanup:
            self._tell_steps(await self.own(self._remove_all), time.monotonic() - started)
        self._mounts.close()
        self._reader.shutdown(wait=False, cancel_futures=True)

    def _remove_all(self) -> tuple[str, ...]:
        steps = self._reconciler.remove_all()
        self._reconciler.close()
        self._datapath.destroy()
        return steps

    async def release(self) -> None:
        """Let go of the kernel, which goes on forwarding; waits for what is under way there."""
        await self.own(self._reconciler.close)
        await self.own(self._datapath.close)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A cycle must not end by itself: a daemon that only seems to work is worse than none."""
        if not task.cancelled() and not self.failed.done():
            self.failed.set_exception(task.exception() or RuntimeError(f"{task.get_name()} ended"))

    def follow(self, follower: Follower) -> None:
        """Have somebody else hear of outcomes and links, until the engine stops."""
        self._followers.append(follower)

    # -- what commands use ---------------------------------------------------------------------------

    async def own(self, function: Callable[[], T]) -> T:
        """Run `function` in the thread that owns the datapath; raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._owner, function)

    async def change(self, function: Callable[[Datapath], T]) -> T:
        """Run `function` on the datapath in the thread that owns it, after any pass under way."""
        return await self.own(lambda: function(self._datapath))

    async def read(self, function: Callable[[Datapath], T]) -> T:
        """Run `function`, which only reads counters and tables, without waiting for a pass under way."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, lambda: function(self._datapath))

    async def plan(self) -> tuple[str, ...]:
        """What a pass would do now, in plain words."""
        snapshot = self._database.snapshot()
        return await self.own(lambda: self._reconciler.plan_only(snapshot))

    async def check(self) -> tuple[str, ...]:
        """Look at all of the kernel afresh and repair what somebody else changed: what that was."""
        if self._checked is None:
            self._checked = asyncio.get_running_loop().create_future()
        self._checked_at = -math.inf
        self._wanted.set()
        return await asyncio.shield(self._checked)

    def count(self, event: str) -> None:
        """Note an event for `coverage/show`."""
        self.coverage.count(event, time.monotonic())

    # -- database ------------------------------------------------------------------------------------

    @property
    def _database(self) -> DatabaseClient:
        if self._client is None:
            raise DatabaseError("not connected to the database")
        return self._client

    async def _connect(self) -> None:
        client = await DatabaseClient.connect(self._remote, DATABASE, MONITORED, self._changed, self._tls)
        try:
            if not await client.lock(LOCK):
                self._in_charge.clear()
                _log.error(_ANOTHER, os.getpid())
                await client.locked()
            if not client.tables["Open_vSwitch"]:
                row = {"ovs_version": self._platform.ovs_version}
                await client.transact([{"op": "insert", "table": "Open_vSwitch", "row": row}])
        except BaseException:
            await client.close()
            raise
        self._platform = replace(self._platform, db_version=client.schema_version)
        self._client = client
        self._in_charge.set()

    async def _reconnect(self, passing: type[DatabaseError]) -> None:
        """Connect, trying again while it fails for a reason of this kind. Raises DatabaseError for others."""
        delay, longest = RECONNECT_SECONDS
        while True:
            try:
                return await self._connect()
            except passing as error:
                _log.info("%s; trying again in %g s", error, delay)
            await asyncio.sleep(delay)
            delay = min(2 * delay, longest)

    async def _stay_connected(self) -> None:
        shortest, longest = RECONNECT_SECONDS
        while True:
            since = time.monotonic()
            reason = await self._database.lost
            _log.warning("%s; connecting again", reason)
            self.trouble = f"{reason}; connecting again"
            if time.monotonic() - since < longest:
                await asyncio.sleep(shortest)  # no storm of connections to a server that always ends them
            await self._reconnect(DatabaseError)
            _log.info("connected to the database again")
            self._wanted.set()

    def _changed(self, changes: list[Change]) -> None:
        self.count("database_change")
        if any(is_configuration(change.table, change.old, change.new) for change in changes):
            self._wanted.set()

    async def write(self, updates: Iterable[Update]) -> None:
        """Write status columns; what is so already costs nothing. Raises DatabaseError."""
        todo = operations(updates, self._database.tables)
        if todo and not self._database.lost.done():
            self.count("database_transact")
            # What is not written for want of a connection is written once there is one again.
            with suppress(Unreachable):
                await self._database.transact(todo)

    # -- cycles --------------------------------------------------------------------------------------

    async def _reconfigure(self) -> None:
        while True:
            try:
                async with asyncio.timeout(SAFETY_SECONDS):
                    await self._wanted.wait()
            except TimeoutError:
                pass  # now and then without a reason, should something have gone unnoticed
            await self._in_charge.wait()
            try:
                await self._pass()
            except (DatabaseError, NetworkError) as error:
                _log.error("cannot apply the configuration, trying again: %s", error)
                await self._try_again(f"cannot apply the configuration: {error}")
            except Exception as error:
                # Better to serve on and say so than to leave everybody without a switch daemon.
                _log.exception("internal error while applying the configuration, trying again")
                await self._try_again(f"internal error while applying the configuration: {error!r}")

    async def _try_again(self, trouble: str) -> None:
        self.trouble = trouble
        await asyncio.sleep(RETRY_SECONDS)
        self._wanted.set()

    async def _pass(self) -> None:
        self._wanted.clear()
        self.count("bridge_reconfigure")
        started = time.monotonic()
        snapshot = self._database.snapshot()
        cur_cfg = next((row["next_cfg"] for row in snapshot["Open_vSwitch"].values()), None)
        check = started - self._checked_at >= CHECK_SECONDS
        before = self.outcome.interfaces

        def work() -> tuple[Outcome, dict[str, dict[str, int]]]:
            outcome = judged(
                self._reconciler.check(snapshot) if check else self._reconciler.reconcile(snapshot)
            )
            if outcome.interfaces is before:
                return outcome, {}
            known = {each.name for each in before if each.ofport >= 0}
            return outcome, collect(self._datapath, outcome, lambda each: each.name not in known)

        outcome, statistics = await self.own(work)
        old, self.outcome = self.outcome, outcome
        news, faults = narrate(old, outcome)
        for line in (*news, *outcome.notes):
            _log.info("%s", line)
        for line in faults:
            _log.warning("%s", line)
        if check:
            self._note_check(started, outcome.repaired)
        resets = self._resets.count(outcome.interfaces)
        tables = self._database.tables
        updates = self._unwritten.updates(outcome, self._platform, resets, statistics, tables)
        for follower in self._followers:
            updates += follower.outcome(outcome)
        self.trouble = ""
        await self.write([*updates, *root_updates(snapshot, self._platform, cur_cfg)])
        self._passed_at = time.monotonic()
        seconds = self._passed_at - started
        if outcome.steps:
            self._tell_steps(outcome.steps, seconds)
            self._unsettled.set()
        else:
            self._look_seconds = seconds

    def _note_check(self, now: float, repaired: tuple[str, ...]) -> None:
        for step in repaired:
            _log.warning("somebody changed what the switch has in the kernel; repaired: %s", step)
        self._checked_at = now
        self.repairs += len(repaired)
        if self._checked is not None and not self._checked.done():
            self._checked.set_result(repaired)
        self._checked = None

    def _tell_steps(self, steps: tuple[str, ...], seconds: float) -> None:
        for step in steps:
            _log.debug("%s", step)
        if steps:
            _log.info("changed the kernel in %d steps, %.0f ms", len(steps), seconds * 1000)

    async def _keep_statistics(self) -> None:
        while True:
            await asyncio.sleep(self.outcome.stats_interval_ms / 1000)
            self.count("stats_update")
            try:
                outcome = self.outcome
                statistics = await self.own(partial(collect, self._datapath, outcome))
                await self.write(
                    [
                        Update("Interface", each.uuid, {"statistics": statistics[each.name]})
                        for each in outcome.interfaces
                        if each.uuid is not None and each.name in statistics
                    ]
                )
            except (DatabaseError, NetworkError) as error:
                _log.warning("cannot update statistics: %s", error)

    async def _sweep(self) -> None:
        """Remove aged entries. Look-ups judge the age themselves, so being late costs memory only."""

        def work() -> bool:
            self._datapath.fdb_control(FdbOp.SWEEP)
            return any(state.entries for _id, state in self._datapath.bridge_state.items())

        busy = False
        while True:
            await asyncio.sleep(SWEEP_SECONDS if busy else IDLE_SWEEP_SECONDS)
            if not self.outcome.bridges:
                continue
            self.count("fdb_sweep")
            try:
                busy = await self.own(work)
            except NetworkError as error:
                _log.warning("cannot remove aged addresses: %s", error)

    # -- devices -------------------------------------------------------------------------------------

    def _links_changed(self) -> None:
        changes = self._monitor.read()
        if not changes:
            return
        for follower in self._followers:
            follower.links(changes)
        self.count("link_change")
        self._look_soon()

    def _mounts_changed(self) -> None:
        """A namespace that an internal port waits for may be there now."""
        self._mounts.clear()
        if any(each.waits for each in self.outcome.interfaces):
            self._look_soon()

    def _look_soon(self) -> None:
        if self._link_timer is None:
            # A storm of changes, ours or others', may take a fifth of the worker's time, not all of it.
            delay = max(LINK_SETTLE_SECONDS, min(1.0, 4 * self._look_seconds))
            self._link_timer = asyncio.get_running_loop().call_later(delay, self.look_again)

    def look_again(self) -> None:
        """Have another pass follow."""
        self._link_timer = None
        self._wanted.set()

    async def _settle(self) -> None:
        """In quiet moments, replace attachments that were made in a hurry by those that cost frames least."""
        while True:
            await self._unsettled.wait()
            self._unsettled.clear()
            left = True
            try:
                while left:
                    quiet = time.monotonic() - self._passed_at
                    # Passes go first, and other users of the kernel's device lock want their turn.
                    await asyncio.sleep(max(SETTLE_PAUSE_SECONDS, QUIET_SECONDS - quiet))
                    if time.monotonic() - self._passed_at >= QUIET_SECONDS:
                        left = await self.own(self._reconciler.settle) > 0
            except NetworkError as error:
                _log.warning("cannot attach to a device in the best way: %s", error)
