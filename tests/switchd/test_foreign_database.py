"""The switch on a database server that is another process: its lock, and servers that come and go."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from jackfield.datapath.store import Datapath
from jackfield.net.monitor import LinkMonitor
from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.server import Server
from jackfield.ovsdb.storage import open_storage
from jackfield.reconcile.reconciler import Reconciler
from jackfield.switchd import client as client_module
from jackfield.switchd import engine as engine_module
from jackfield.switchd import identity
from jackfield.switchd.client import DatabaseClient, DatabaseError
from jackfield.switchd.engine import DATABASE, LOCK, Engine
from jackfield.switchd.schema import open_vswitch_schema
from jackfield.switchd.status import MONITORED
from jackfield.wire.aio import RemoteError, check_remote
from tests.switchd.test_engine import Bench

SECONDS = 20


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "RECONNECT_SECONDS", (0.01, 0.02))


async def serve(path: Path) -> Server:
    server = Server([open_storage(path / "conf.db", parse_schema(open_vswitch_schema()))])
    await server.listen_unix(path / "db.sock")
    return server


def run(path: Path, experiment: Callable[[Bench], Awaitable[None]]) -> None:
    """Run with an engine that is not started yet and no server."""

    async def main() -> None:
        bench = Bench(f"unix:{path}/db.sock")
        owner = ThreadPoolExecutor(1)
        bench.engine = Engine(
            bench.remote,
            cast(Datapath, bench.datapath),
            cast(Reconciler, bench.reconciler),
            cast(LinkMonitor, bench.monitor),
            identity.platform(),
            owner,
        )
        try:
            async with asyncio.timeout(SECONDS):
                await experiment(bench)
        finally:
            await bench.engine.stop()
            bench.monitor.close()
            owner.shutdown()

    asyncio.run(main())


def test_the_switch_waits_for_a_server_that_is_not_there_yet(tmp_path: Path) -> None:
    async def experiment(bench: Bench) -> None:
        starting = asyncio.create_task(bench.engine.start())
        await asyncio.sleep(0.05)
        assert not bench.engine.ready
        server = await serve(tmp_path)
        await starting
        assert bench.engine.ready
        await bench.connect()
        await bench.until(lambda: bool(bench.root["ovs_version"]))
        await bench.user.close()
        await server.close()

    run(tmp_path, experiment)


def test_the_switch_goes_on_with_a_server_that_was_started_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def experiment(bench: Bench) -> None:
        server = await serve(tmp_path)
        await bench.engine.start()
        await server.close()
        server = await serve(tmp_path)
        await bench.connect()
        await bench.add_bridge("br0", "p1")
        await bench.until(lambda: bench.row("Interface", "p1")["ofport"] in (1, 2))
        await bench.user.close()
        await server.close()

    run(tmp_path, experiment)
    problems = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in problems] == [
        "connection closed by the database server; connecting again"
    ]


def test_a_second_switch_does_nothing_until_the_first_is_gone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def experiment(bench: Bench) -> None:
        server = await serve(tmp_path)
        first = await DatabaseClient.connect(bench.remote, DATABASE, MONITORED, lambda _changes: None)
        assert await first.lock(LOCK)
        starting = asyncio.create_task(bench.engine.start())
        while "another ovs-vswitchd process is running" not in caplog.text:
            await asyncio.sleep(0.01)
        assert bench.reconciler.passes == 0
        await first.close()
        await starting
        assert bench.reconciler.passes == 1
        await server.close()

    run(tmp_path, experiment)


def test_a_switch_whose_lock_is_stolen_stops_until_it_has_it_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def experiment(bench: Bench) -> None:
        server = await serve(tmp_path)
        await bench.engine.start()
        await bench.connect()
        thief = server.connect_local()
        assert await thief.request("steal", LOCK) == {"locked": True}
        while "another ovs-vswitchd" not in caplog.text:
            await asyncio.sleep(0.01)
        passes = bench.reconciler.passes
        await bench.add_bridge("br0", "p1")
        bench.monitor.announce()
        await asyncio.sleep(0.05)
        assert bench.reconciler.passes == passes
        thief.close()
        await bench.until(lambda: bench.row("Interface", "p1")["ofport"] in (1, 2))
        await bench.user.close()
        await server.close()

    run(tmp_path, experiment)


def test_a_server_on_the_network_that_falls_silent_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_module, "PROBE_SECONDS", 0.05)
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b'{"id":1,"error":null,"result":{"name":"D","version":"1","tables":{}}}')
        await reader.read(1000)
        writer.write(b'{"id":2,"error":null,"result":{}}')
        while data := await reader.read(1000):
            asked.append(data)
        writer.close()

    async def main() -> None:
        silent = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        async with asyncio.timeout(SECONDS):
            client = await DatabaseClient.connect(f"tcp:127.0.0.1:{port}", "D", {}, lambda _changes: None)
            assert await client.lost == "the database server does not answer any more"
            assert b'"echo"' in asked[0]
            with pytest.raises(DatabaseError, match="does not answer"):
                await client.transact([])
            await client.close()
        silent.close()
        await silent.wait_closed()

    asyncio.run(main())


@pytest.mark.parametrize(
    "remote", ["unix:", "db.sock", "tcp::6640", "tcp:h:port", "tcp:h:70000", "ptcp:6640"]
)
def test_what_names_no_server_is_refused(remote: str) -> None:
    with pytest.raises(RemoteError, match="is not"):
        check_remote(remote)


@pytest.mark.parametrize("remote", ["unix:/x", "tcp:h", "tcp:10.0.0.1:6640", "ssl:[::1]:6640", "tcp:[::1]"])
def test_what_names_a_server_is_accepted(remote: str) -> None:
    check_remote(remote)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize(
    ("remote", "status", "why"),
    [
        ("ssl:127.0.0.1:6641", 1, "ssl:127.0.0.1:6641: Private key must be configured to use SSL"),
        ("carrier:pigeon", 2, '--db: "carrier:pigeon" is not unix:FILE, tcp:HOST:PORT or ssl:HOST:PORT'),
    ],
)
def test_a_database_that_cannot_be_reached_by_any_means_is_refused(
    tmp_path: Path, remote: str, status: int, why: str
) -> None:
    program = "import sys; from jackfield.cli.main import main; sys.exit(main())"
    words = [
        "--rundir",
        str(tmp_path),
        "daemon",
        "--logdir",
        str(tmp_path),
        "-v",
        "console:off",
        "--db",
        remote,
    ]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (status, f"ovs-vswitchd: {why}\n")
