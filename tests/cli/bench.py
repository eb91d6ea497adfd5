"""Databases for the command line tools to talk to, and the tools themselves, ours and Open vSwitch's."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.server import Server
from jackfield.ovsdb.storage import open_storage
from jackfield.switchd.schema import open_vswitch_schema

DATABASE = "Open_vSwitch"
BAD_INTERFACES: dict[str, dict[str, Any]] = {
    "bad0": {"ofport": -1, "error": "could not open network device bad0 (No such device)"},
    "bad1": {"ofport": -1},
    "bad2": {"ofport": ["set", []], "error": "no room"},
}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SHORT_UUID = re.compile(r">[0-9a-f]{8}</a>")
_COLLISION = re.compile(r'(for index on columns? [^.:]+)[.:].*?(?=","error)')
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True)
class Said:
    """What a tool left behind."""

    code: int
    out: str
    err: str


@contextmanager
def databases(*rundirs: Path, switch: bool = False) -> Iterator[None]:
    """Serve an empty database in each directory; with `switch`, one that takes on what it is told."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)

    servers = [run(_serve(rundir, switch)) for rundir in rundirs]
    try:
        yield
    finally:
        for server in servers:
            run(server.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def real_database(rundir: Path, *options: str) -> Iterator[None]:
    """Serve an empty database in the directory with Open vSwitch's own ovsdb-server and further options."""
    rundir.mkdir(parents=True, exist_ok=True)
    schema, conf, pidfile = rundir / "schema", rundir / "conf.db", rundir / "ovsdb-server.pid"
    schema.write_text(json.dumps(open_vswitch_schema()))
    subprocess.run(["ovsdb-tool", "create", str(conf), str(schema)], check=True)
    command = ["ovsdb-server", str(conf), f"--remote=punix:{rundir}/db.sock", "--detach"]
    command += [
        f"--pidfile={pidfile}",
        f"--unixctl={rundir}/ovsdb.ctl",
        f"--log-file={rundir}/ovsdb.log",
        *options,
    ]
    # It detaches when its sockets are open.
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)
    process = os.pidfd_open(int(pidfile.read_text()))
    try:
        yield
    finally:
        signal.pidfd_send_signal(process, signal.SIGTERM)
        select.select([process], [], [], 10)
        os.close(process)


async def _serve(rundir: Path, switch: bool) -> Server:
    rundir.mkdir(parents=True, exist_ok=True)
    server = Server([open_storage(rundir / "conf.db", parse_schema(open_vswitch_schema()))])
    await server.listen_unix(rundir / "db.sock")
    if switch:
        await _follow(server)
    return server


async def _follow(server: Server) -> None:
    """Stand in for the switch: give every interface a number, but the bad ones an error."""
    session = server.connect_local()
    loop = asyncio.get_running_loop()
    tasks = set()

    async def take_on() -> None:
        rows = (await session.transact(DATABASE, _select("Open_vSwitch", "next_cfg", "cur_cfg")))[0]["rows"]
        if not rows or rows[0]["next_cfg"] == rows[0]["cur_cfg"]:
            return
        good = {"op": "update", "table": "Interface", "where": [], "row": {"ofport": 1}}
        bad = [
            {"op": "update", "table": "Interface", "where": [["name", "==", name]], "row": row}
            for name, row in BAD_INTERFACES.items()
        ]
        done = {"op": "update", "table": "Open_vSwitch", "where": [], "row": {"cur_cfg": rows[0]["next_cfg"]}}
        await session.transact(DATABASE, good, *bad, done)

    def notice(_method: str, _params: list[Any]) -> None:
        task = loop.create_task(take_on())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    session.listen(notice)
    await session.request("monitor", DATABASE, None, {"Open_vSwitch": {"columns": ["next_cfg"]}})


def _select(table: str, *columns: str) -> dict[str, Any]:
    return {"op": "select", "table": table, "where": [], "columns": list(columns)}


class Tools:
    """Our tools, run inside the test's process for speed, on a directory of their own."""

    def __init__(
        self, rundir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.rundir = rundir
        self._monkeypatch = monkeypatch
        self._capfd = capfd

    def at(self, rundir: Path) -> Tools:
        """The same tools on another directory."""
        return Tools(rundir, self._monkeypatch, self._capfd)

    def jackfield(self, line: str) -> Said:
        """Run `jackfield` with the words of `line`."""
        from jackfield.cli.main import main

        self._capfd.readouterr()
        with self._monkeypatch.context() as patch:
            patch.setenv("OVS_RUNDIR", str(self.rundir))
            code = main(shlex.split(line))
        out, err = self._capfd.readouterr()
        return neutral(Said(code, out, err), self.rundir)

    def vsctl(self, line: str) -> Said:
        """Run `jackfield vsctl`."""
        return self.jackfield(f"vsctl {line}")


def real_vsctl(rundir: Path, line: str) -> Said:
    """Run Open vSwitch's own ovs-vsctl."""
    done = subprocess.run(
        ["ovs-vsctl", *shlex.split(line)],
        env=os.environ | {"OVS_RUNDIR": str(rundir)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return neutral(Said(done.returncode, done.stdout, done.stderr), rundir)


def neutral(said: Said, rundir: Path) -> Said:
    """The same without what differs from run to run: UUIDs, times and the directory.

    Of rows that collide, the database names one at random first.
    """

    def plain(text: str) -> str:
        text = _TIME.sub("TIME", _UUID.sub("UUID", text))
        text = _COLLISION.sub(r"\1", _SHORT_UUID.sub(">UUID</a>", text))
        return text.replace(str(rundir), "RUNDIR")

    return Said(said.code, plain(said.out), plain(said.err))
