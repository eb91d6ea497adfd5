"""A server on a directory of its own, in a thread, for tests that talk to it as clients do."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jackfield.ovsdb.remotes import Remotes
from jackfield.ovsdb.schema import DatabaseSchema, parse_schema
from jackfield.ovsdb.server import Limits, Server
from jackfield.ovsdb.storage import open_storage
from jackfield.switchd.main import MANAGERS, TLS
from jackfield.switchd.schema import open_vswitch_schema


class Served:
    """A server that runs in a thread until `stop`; `socket` and `file` are its places.

    One that is `managed` serves the remotes that the database describes, as the daemon does.
    """

    def __init__(
        self, directory: Path, schema: DatabaseSchema, limits: Limits | None = None, *, managed: bool = False
    ) -> None:
        self.socket = directory / "db.sock"
        self.file = directory / "conf.db"
        self.remote = f"unix:{self.socket}"
        self._schema = schema
        self._limits = limits
        self._managed = managed
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self) -> None:
        server = Server([open_storage(self.file, self._schema)], self._limits)
        await server.listen_unix(self.socket)
        remotes = Remotes(server, TLS, self.socket.parent)
        if self._managed:
            await remotes.set([MANAGERS])
        self._ready.set()
        await self._stop.wait()
        await remotes.close()
        await server.close()

    def stop(self) -> None:
        """End the server and wait for it."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
        if not self._loop.is_closed():
            self._loop.close()


@pytest.fixture(scope="session")
def schema() -> DatabaseSchema:
    """OVS's schema."""
    return parse_schema(open_vswitch_schema())


@pytest.fixture
def served(tmp_path: Path, schema: DatabaseSchema) -> Iterator[Served]:
    """A running server with OVS's schema."""
    server = Served(tmp_path, schema)
    yield server
    server.stop()


@contextmanager
def real_server(directory: Path, schema_json: Any = None) -> Iterator[str]:
    """OVS's server on a directory of its own."""
    schema, file, socket = directory / "schema", directory / "conf.db", directory / "db.sock"
    schema.write_text(json.dumps(schema_json or open_vswitch_schema()))
    subprocess.run(["ovsdb-tool", "create", file, schema], check=True)
    argv = ["ovsdb-server", f"--remote=punix:{socket}", f"--unixctl={directory / 'ctl'}", "--no-chdir", file]
    with (directory / "log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
        try:
            while not socket.exists():
                assert process.poll() is None, (directory / "log").read_text()
                time.sleep(0.01)
            yield f"unix:{socket}"
        finally:
            process.terminate()


@pytest.fixture(params=["jackfield", "ovsdb-server"])
def remote(request: pytest.FixtureRequest, tmp_path: Path, schema: DatabaseSchema) -> Iterator[str]:
    """Our server and OVS's own, one after the other: what holds of the one must hold of the other."""
    if request.param == "ovsdb-server":
        if shutil.which("ovsdb-server") is None:
            pytest.skip("OVS's ovsdb-server is not installed")
        with real_server(tmp_path) as place:
            yield place
        return
    server = Served(tmp_path, schema)
    yield server.remote
    server.stop()
