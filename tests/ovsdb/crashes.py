"""Kills a server again and again under concurrent clients and checks what is left: see `history`.

    python -m tests.ovsdb.crashes --kills 500 --seed 1

Every kill is a power cut as well: what the server has not waited for the disk with may be gone, so the file
is cut somewhere behind the last place that it has waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import random
import struct
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.storage import open_storage
from jackfield.wire.stream import JsonStream, encode
from tests.ovsdb.history import Asked, Done, Event, Recovered, Refused, Seen, Sent, Tag, Told, violations

WRITERS = 4
FRESH_AFTER = 8
"""A new database is begun after so many kills, so that reading all of it stays quick."""
SECONDS = 30.0

_TAGGED = {"client": {"type": "integer"}, "number": {"type": "integer"}}
SCHEMA: dict[str, Any] = {
    "name": "Ledger",
    "version": "1.0.0",
    "tables": {
        "Counter": {"isRoot": True, "maxRows": 1, "columns": {"value": {"type": "integer"}}},
        "Left": {
            "isRoot": True,
            "indexes": [["client", "number"]],
            "columns": _TAGGED | {"padding": {"type": "string"}},
        },
        "Right": {"isRoot": True, "columns": _TAGGED},
    },
}

# Compacts often, and notes of each file how much of it was there when the disk was waited for last.
PROGRAM = """
import os, stat, struct, sys
import jackfield.ovsdb.storage as storage
storage.COMPACT_BYTES, storage.COMPACT_FACTOR = 1 << 13, 1.3
notes = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def noting(sync):
    def do(fd):
        status = os.fstat(fd)
        sync(fd)
        if stat.S_ISREG(status.st_mode):
            os.write(notes, struct.pack("qq", status.st_ino, status.st_size))
    return do
os.fsync, os.fdatasync = noting(os.fsync), noting(os.fdatasync)
from jackfield.ovsdbd.main import main
sys.exit(main(sys.argv[2:]))
"""


@dataclass
class Tally:
    """What an experiment consisted of."""

    kills: int = 0
    early: int = 0
    acknowledged: int = 0
    survivors: int = 0
    bytes_cut: int = 0
    problems: list[str] = field(default_factory=list)


class Client:
    """One connection; every reply is passed on as it comes, to the last one that the server has sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._waiting: dict[int, Callable[[Any], None]] = {}
        self._ids = itertools.count()
        self.on_update: Callable[[Any], None] = lambda _updates: None

    def ask(self, method: str, params: list[Any], then: Callable[[Any], None]) -> None:
        """Send a request; `then` gets the result."""
        number = next(self._ids)
        self._waiting[number] = then
        self._writer.write(encode({"method": method, "params": params, "id": number}))

    async def listen(self) -> None:
        """Take replies until the server is gone."""
        stream = JsonStream()
        with contextlib.suppress(ConnectionError):
            while data := await self._reader.read(1 << 16):
                for message in stream.feed(data):
                    if message["id"] is None:
                        self.on_update(message["params"][1])
                    else:
                        assert message.get("error") is None, message
                        self._waiting.pop(message["id"])(message["result"])
        self._writer.close()

    async def call(self, method: str, *params: Any) -> Any:
        """Send a request and wait for its result."""
        future = asyncio.get_running_loop().create_future()
        self.ask(method, list(params), future.set_result)
        return await future


class Experiment:
    """Servers on one directory, one after the other, and the history of what their clients see."""

    def __init__(self, folder: Path, chance: random.Random, tally: Tally, program: str) -> None:
        self.history: list[Event] = []
        self._file, self._socket, self._notes = folder / "db", folder / "sock", folder / "notes"
        self._chance, self._tally, self._program = chance, tally, program
        self._numbers = itertools.count()
        self._reads = itertools.count()
        open_storage(self._file, parse_schema(SCHEMA)).close()

    async def run(self, kills: int) -> None:
        """Start, look, let clients work, kill, cut: so many times."""
        for _ in range(kills):
            server = await self._start()
            if self._chance.random() < 0.2:
                await asyncio.sleep(self._chance.random() * 0.4)
                self._tally.early += 1
            else:
                await self._work(self._chance.random() * 0.15)
            server.kill()
            await server.wait()
            await self._drained()
            self._cut()
            self._tally.kills += 1
        server = await self._start()
        await self._work(0)
        server.kill()
        await server.wait()
        await self._drained()

    async def _start(self) -> asyncio.subprocess.Process:
        options = (f"--remote=punix:{self._socket}", "--unixctl=none", "-vconsole:off", str(self._file))
        self._listening: list[asyncio.Task[None]] = []
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", self._program, str(self._notes), *options
        )

    async def _connect(self) -> Client:
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._socket, limit=1 << 24)
            except (FileNotFoundError, ConnectionRefusedError):
                await asyncio.sleep(0.005)
                continue
            client = Client(reader, writer)
            self._listening.append(asyncio.create_task(client.listen()))
            return client

    async def _drained(self) -> None:
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*self._listening)

    async def _work(self, seconds: float) -> None:
        async with asyncio.timeout(SECONDS):
            first = await self._connect()
            await self._look(first)
            watcher = await self._connect()
            watcher.on_update = self._updated
            await watcher.call("monitor", "Ledger", None, {"Left": [{"columns": ["client", "number"]}]})
            writers = [await self._connect() for _ in range(WRITERS)]
        tasks = [asyncio.create_task(self._write(index, client)) for index, client in enumerate(writers)]
        tasks.append(asyncio.create_task(self._read(first)))
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, client: Client) -> None:
        where: list[Any] = []
        results = await client.call(
            "transact",
            "Ledger",
            *(
                {"op": "select", "table": table, "where": where, "columns": columns}
                for table, columns in (
                    ("Counter", ["value"]),
                    ("Left", ["_uuid", "client", "number"]),
                    ("Right", ["_uuid", "client", "number"]),
                )
            ),
        )
        counter, left, right = (result["rows"] for result in results)
        if not counter:
            await client.call("transact", "Ledger", {"op": "insert", "table": "Counter", "row": {}})
        self.history.append(
            Recovered(counter[0]["value"] if counter else 0, tuple(map(_tag, left)), tuple(map(_tag, right)))
        )

    def _updated(self, updates: Any) -> None:
        self.history += [Seen(_tag(row["new"])) for row in updates.get("Left", {}).values() if "new" in row]

    async def _write(self, index: int, client: Client) -> None:
        """Keep a few transactions on their way."""
        free = asyncio.Semaphore(3)
        while True:
            await free.acquire()
            tag = index, next(self._numbers)
            self.history.append(Sent(tag))

            def answered(results: Any, tag: Tag = tag) -> None:
                free.release()
                if any("error" in (result or {}) for result in results):
                    self.history.append(Refused(tag))
                else:
                    self.history.append(Done(tag, results[3]["rows"][0]["value"]))

            client.ask("transact", ["Ledger", *self._transaction(tag)], answered)

    def _transaction(self, tag: Tag) -> list[Any]:
        row = {"client": tag[0], "number": tag[1]}
        padding = {"padding": "x" * self._chance.choice((0, 10, 300, 3000))}
        operations: list[Any] = [
            {"op": "mutate", "table": "Counter", "where": [], "mutations": [["value", "+=", 1]]},
            {"op": "insert", "table": "Left", "row": row | padding},
            {"op": "insert", "table": "Right", "row": row},
            {"op": "select", "table": "Counter", "where": [], "columns": ["value"]},
        ]
        if self._chance.random() < 0.1:
            operations.append(operations[1])  # breaks the index, at the very end
        return operations

    async def _read(self, client: Client) -> None:
        select = {"op": "select", "table": "Counter", "where": [], "columns": ["value"]}
        free = asyncio.Semaphore(1)
        while True:
            await free.acquire()
            read = next(self._reads)
            self.history.append(Asked(read))

            def told(results: Any, read: int = read) -> None:
                free.release()
                self.history.append(Told(read, results[0]["rows"][0]["value"]))

            client.ask("transact", ["Ledger", select], told)

    def _cut(self) -> None:
        """Take away some of what may not be on disk."""
        status = self._file.stat()
        notes = self._notes.read_bytes() if self._notes.exists() else b""
        safe = dict(struct.iter_unpack("qq", notes)).get(status.st_ino)
        if safe is not None and safe < status.st_size:
            size = self._chance.randint(safe, status.st_size)
            self._tally.bytes_cut += status.st_size - size
            with self._file.open("r+b") as file:
                file.truncate(size)


def _tag(row: Any) -> Tag:
    return row["client"], row["number"]


@contextlib.asynccontextmanager
async def _folder() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="jft") as name:
        yield Path(name)


async def experiments(
    kills: int, seed: int, progress: Callable[[Tally], None] | None = None, program: str = PROGRAM
) -> Tally:
    """Kill so many times, check every history, and tell what was done."""
    chance, tally = random.Random(seed), Tally()
    while tally.kills < kills:
        async with _folder() as folder:
            experiment = Experiment(folder, chance, tally, program)
            await experiment.run(min(FRESH_AFTER, kills - tally.kills))
        acknowledged = {event.tag for event in experiment.history if isinstance(event, Done)}
        last = next(event for event in reversed(experiment.history) if isinstance(event, Recovered))
        tally.acknowledged += len(acknowledged)
        tally.survivors += len(set(last.left) - acknowledged)
        tally.problems += violations(experiment.history)
        if progress is not None:
            progress(tally)
    return tally


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Kill the database server at random and check what is left.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    tally = asyncio.run(
        experiments(arguments.kills, arguments.seed, lambda now: print(_summary(now), flush=True))
    )
    for problem in tally.problems:
        print(problem)
    return 1 if tally.problems else 0


def _summary(tally: Tally) -> str:
    return (
        f"{tally.kills} kills ({tally.early} of them while starting), {tally.acknowledged} acknowledged "
        f"commits, {tally.survivors} unanswered that survived, {tally.bytes_cut} bytes cut off, "
        f"{len(tally.problems)} violations"
    )


if __name__ == "__main__":
    sys.exit(main())
