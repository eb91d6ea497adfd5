"""Running the agent, which looks after attached containers, while the database has work for it.

It is a process of its own: container engines that hang, leases and the calls of Docker's plugins are no
matter for the daemon. What it writes are lines for our log, a level and a text; it ends when its standard
input does, so also when the daemon is killed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from jackfield.reconcile.rows import Snapshot
from jackfield.switchd.client import DatabaseClient, DatabaseError
from jackfield.wire.replica import Change

_log = logging.getLogger("jackfield.agent")

DATABASE = "Open_vSwitch"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "Open_vSwitch": ("other_config",),
    "Bridge": ("external_ids",),
    "Port": ("external_ids",),
}
_MARKS = {
    "Open_vSwitch": ("other_config", "docker-plugin"),
    "Bridge": ("external_ids", "jackfield-attachment:"),
    "Port": ("external_ids", "jackfield-attachment"),
}
"""By table: the column in which a key that begins so gives the agent something to do."""
PROGRAM = "from jackfield.containers.agent import main; raise SystemExit(main())"
AGAIN_SECONDS = (0.5, 30.0)
LEAVE_SECONDS = 2.0
GIVE_BACK_SECONDS = 20.0
LAST_WORDS_SECONDS = 1.0
_LEVELS = {"WARN": logging.WARNING, "INFO": logging.INFO}


class AgentRunner:
    """Starts the agent, starts it again when it dies, and ends it. Belongs to an event loop."""

    def __init__(self, remote: str, rundir: Path) -> None:
        """`remote` is the database server, whose socket in `rundir` the agent uses too."""
        self._remote = remote
        self._environment = os.environ | {"OVS_RUNDIR": str(rundir)}
        self._working: set[tuple[str, str]] = set()
        self._wanted = asyncio.Event()
        self._unwanted = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._left = False

    @property
    def pid(self) -> int | None:
        """The agent's process, None while there is none."""
        return None if self._process is None else self._process.pid

    async def leave(self) -> None:
        """Have the agent put back what attachments replaced, while the switch still serves; it is not started
        again."""
        self._left = True
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.write(b"leave\n")
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await process.wait()

    async def run(self) -> None:
        """Follow the database and keep the agent as it wants, until cancelled."""
        shortest, longest = AGAIN_SECONDS
        delay = shortest
        while not self._left:
            started = time.monotonic()
            try:
                await self._follow()
            except (DatabaseError, OSError) as error:
                _log.info("not looking after containers for the moment: %s", error)
            delay = shortest if time.monotonic() - started > longest else min(2 * delay, longest)
            await asyncio.sleep(delay)

    async def _follow(self) -> None:
        """Until the connection to the database is lost. Raises DatabaseError."""
        client = await DatabaseClient.connect(self._remote, DATABASE, COLUMNS, self._changed)
        keeping = asyncio.create_task(self._keep())
        try:
            self._working = set(_working(client.tables))
            self._settle()
            await asyncio.wait((client.lost, keeping), return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                keeping.result()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await client.close()

    def _changed(self, changes: list[Change]) -> None:
        for change in changes:
            key = (change.table, change.uuid)
            if change.new is not None and _gives_work(change.table, change.new):
                self._working.add(key)
            else:
                self._working.discard(key)
        self._settle()

    def _settle(self) -> None:
        yes, no = (self._wanted, self._unwanted) if self._working else (self._unwanted, self._wanted)
        yes.set()
        no.clear()

    async def _keep(self) -> None:
        shortest, longest = AGAIN_SECONDS
        delay = shortest
        while not self._left:
            await self._wanted.wait()
            started = time.monotonic()
            status = await self._run_once()
            if status is None or self._left:
                continue
            if time.monotonic() - started > longest:
                delay = shortest
            _log.warning("the agent that looks after containers ended (%s); starting it again", status)
            await asyncio.sleep(delay)
            delay = min(2 * delay, longest)

    async def _run_once(self) -> str | None:
        """Run the agent until it ends, and say how; None when it ended because it is not wanted any more."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._environment,
            cwd="/",
        )
        self._process = process
        assert process.stdin is not None and process.stdout is not None
        reading = asyncio.create_task(_log_lines(process.stdout))
        unwanted = asyncio.create_task(self._unwanted.wait())
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait((unwanted, ended), return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                code = ended.result()
                return f"exit status {code}" if code >= 0 else f"signal {-code}"
            return None
        finally:
            self._process = None
            unwanted.cancel()
            process.stdin.close()
            await _end(process, ended)
            # A process that the agent left behind may hold the other end of the pipe for ever.
            await asyncio.wait((reading,), timeout=LAST_WORDS_SECONDS)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _end(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    with suppress(TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(LEAVE_SECONDS):
            await asyncio.shield(ended)
    if not ended.done():
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.gather(ended, return_exceptions=True)


async def _log_lines(stream: asyncio.StreamReader) -> None:
    """Log what the agent says; what is not in its form is a fault of its own."""
    with suppress(ValueError):  # a line beyond all measure
        while line := await stream.readline():
            level, _, text = line.decode(errors="replace").rstrip().partition(" ")
            if level in _LEVELS:
                _log.log(_LEVELS[level], "%s", text)
            elif level:
                _log.warning("%s %s", level, text)


def _working(tables: Snapshot) -> list[tuple[str, str]]:
    return [
        (table, uuid) for table in COLUMNS for uuid, row in tables[table].items() if _gives_work(table, row)
    ]


def _gives_work(table: str, row: Mapping[str, object]) -> bool:
    column, mark = _MARKS[table]
    value = row[column]
    return isinstance(value, dict) and any(str(key).startswith(mark) for key in value)
