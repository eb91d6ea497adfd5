"""`jackfield ovsdb-server` as a process for tests, and the real one to compare it with."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.storage import open_storage

OURS = (
    sys.executable,
    "-c",
    "import sys; from jackfield.cli.main import main; sys.exit(main())",
    "ovsdb-server",
)
REAL = ("ovsdb-server",)
SECONDS = 20.0


def small_schema(name: str) -> dict[str, Any]:
    """A schema that is nothing of a switch's."""
    row = {"isRoot": True, "columns": {"text": {"type": "string"}, "number": {"type": "integer"}}}
    return {"name": name, "version": "1.2.3", "tables": {"Item": row}}


def create(path: Path, name: str) -> Path:
    """A new database file with that schema."""
    open_storage(path, parse_schema(small_schema(name))).close()
    return path


class Standalone:
    """A directory for one server, and commands in its surroundings. It runs inside a `with` block.

    The server is started by `start` with more options than a control socket.
    """

    def __init__(self, folder: Path, program: tuple[str, ...] = OURS) -> None:
        self.folder = folder
        self.program = program
        self.environment = os.environ | {f"OVS_{name}DIR": str(folder) for name in ("RUN", "DB", "LOG")}
        self.control, self.socket = folder / "ctl", folder / "db.sock"
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(exist_ok=True)

    def run(self, *words: str | Path, status: int | None = 0) -> str:
        """The output of a command (with what it complains of), whose exit status must be as given."""
        done = subprocess.run(
            [*map(str, words)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert status is None or done.returncode == status, (words, done.returncode, done.stdout)
        return done.stdout

    def server(self, *options: str | Path, status: int = 0) -> str:
        """The output of a server that ends, or leaves a process in the background."""
        return self.run(*self.program, *options, status=status)

    def start(self, *options: str | Path, wait: str | None = None) -> None:
        """Run a server and wait until it serves; by asking for a database if it tells nobody by itself."""
        fixed = (f"--unixctl={self.control}", f"--remote=punix:{self.socket}")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            address = self.folder / "notify"
            address.unlink(missing_ok=True)
            notify.bind(str(address))
            self.process = subprocess.Popen(
                [*map(str, (*self.program, *fixed, *options))],
                env=self.environment | {"NOTIFY_SOCKET": str(address)},
                stderr=subprocess.DEVNULL,
            )
            if wait is not None:
                self.run("ovsdb-client", "-t", "15", "wait", f"unix:{self.socket}", wait, "connected")
                return
            ended = os.pidfd_open(self.process.pid)
            ready, _, _ = select.select([notify, ended], [], [], SECONDS)
            os.close(ended)
            assert notify in ready, "the server did not start"

    def appctl(self, *words: str | Path, status: int = 0) -> str:
        """The output of a command on the control socket."""
        return self.run("ovs-appctl", "-t", self.control, "-T", "15", *words, status=status)

    def transact(self, database: str, *operations: dict[str, Any]) -> Any:
        """The results of a transaction."""
        request = json.dumps([database, *operations])
        return json.loads(self.run("ovsdb-client", "transact", f"unix:{self.socket}", request))

    def insert(self, database: str, text: str) -> Any:
        """The last result of an insertion: where it went, or why it did not."""
        return self.transact(database, {"op": "insert", "table": "Item", "row": {"text": text}})[-1]

    def texts(self, database: str) -> list[str]:
        """What has been inserted."""
        (result,) = self.transact(
            database, {"op": "select", "table": "Item", "where": [], "columns": ["text"]}
        )
        return sorted(row["text"] for row in result["rows"])

    def kill(self) -> None:
        """End the server as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(SECONDS)
            self.process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
