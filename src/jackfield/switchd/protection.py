"""Names the ports that offend against protections or crowd the learning table, in the log and to commands."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence

from jackfield.datapath.store import Datapath
from jackfield.net.errors import NetworkError
from jackfield.net.monitor import LinkChange, Resync
from jackfield.reconcile.outcome import Outcome
from jackfield.switchd.alarms import Alarm, Alarms, Reading
from jackfield.switchd.engine import Engine
from jackfield.switchd.status import Update

_log = logging.getLogger("jackfield.protection")

WATCH_SECONDS = 2.0


class Protection:
    """A follower of the engine that looks at counters now and then."""

    def __init__(self, engine: Engine) -> None:
        """To be made in the event loop."""
        self._engine = engine
        self._alarms = Alarms()
        self._begun = asyncio.Event()
        self._task = asyncio.create_task(self._watch(), name="protection")

    def outcome(self, outcome: Outcome) -> Iterable[Update]:
        """Nothing in the database follows from it. The first one is when there is something to watch."""
        self._alarms.follow(outcome)
        self._begun.set()
        return ()

    def links(self, changes: Sequence[LinkChange | Resync]) -> None:
        """Devices do not matter here."""

    def close(self) -> None:
        """End watching; may be called twice."""
        self._task.cancel()

    def alarms(self) -> list[Alarm]:
        """What happened of late."""
        return self._alarms.current(time.monotonic())

    async def _watch(self) -> None:
        await self._begun.wait()
        while True:
            await self._look()
            await asyncio.sleep(WATCH_SECONDS)

    async def _look(self) -> None:
        outcome = self._engine.outcome
        try:
            reading = await self._engine.read(_read)
        except NetworkError as error:
            _log.warning("cannot see what protections count: %s", error)
            return
        if outcome is not self._engine.outcome:
            return  # nobody knows whose counters these were; the next look tells
        for sentence in self._alarms.update(outcome, reading, time.monotonic()):
            _log.warning("%s", sentence)


def _read(datapath: Datapath) -> Reading:
    bridges = dict(datapath.bridge_state.items())
    crowded = any(state.evicted or state.refused for state in bridges.values())
    return Reading(
        drops=datapath.drops(),
        guards=datapath.guards.states(),
        ports=dict(datapath.port_state.items()) if crowded else {},
        bridges=bridges,
    )
