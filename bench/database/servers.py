"""The two servers, each on a directory of its own, started and stopped alike."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.database.client import Client, message
from bench.netns import BenchError, run
from bench.switch import JACKFIELD
from jackfield.switchd.schema import open_vswitch_schema

OURS, THEIRS = "Jackfield", "ovsdb-server"
WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server keeps its files."""

    directory: Path

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.directory / "sock"

    @property
    def file(self) -> Path:
        """Its database."""
        return self.directory / "db"

    @property
    def options(self) -> list[str]:
        """What both are started with."""
        unixctl = f"--unixctl={self.directory / 'ctl'}"
        return [f"--remote=punix:{self.socket}", unixctl, "--no-chdir", "-vconsole:off", str(self.file)]


COMMANDS: dict[str, Callable[[Place], list[str]]] = {
    THEIRS: lambda place: ["ovsdb-server", *place.options],
    OURS: lambda place: [JACKFIELD, "ovsdb-server", *place.options],
}


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers; `ready` is how many seconds that took from its start."""

    place: Place
    pid: int
    ready: float

    def resident(self) -> float:
        """Its memory in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def processor(self) -> float:
        """The processor time it has used, in seconds."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text(encoding="utf-8").split()[0]) for task in tasks) / 1e9


@contextmanager
def place(name: str) -> Iterator[Place]:
    """A directory with an empty database of OVS's schema."""
    if shutil.which("ovsdb-server") is None:
        raise BenchError("OVS's ovsdb-server is not installed")
    with tempfile.TemporaryDirectory(prefix=f"jft-{name}-") as directory:
        found = Place(Path(directory))
        schema = found.directory / "schema"
        schema.write_text(json.dumps(open_vswitch_schema()), encoding="utf-8")
        run("ovsdb-tool", "create", str(found.file), str(schema))
        yield found


@contextmanager
def serving(name: str, place: Place) -> Iterator[Running]:
    """The server of that name, until it has been left."""
    begin = time.perf_counter()
    log = place.directory / "output"
    with (
        log.open("wb") as output,
        subprocess.Popen(COMMANDS[name](place), stdout=output, stderr=output) as process,
    ):
        try:
            client = _connect(place, process, begin)
            if client is None:
                raise BenchError(f"{name} did not start: {log.read_text(encoding='utf-8')}")
            client.ask(message("list_dbs"))
            ready = time.perf_counter() - begin
            client.close()
            yield Running(place, process.pid, ready)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(WAIT_SECONDS)
            process.kill()


def _connect(place: Place, process: subprocess.Popen[bytes], begin: float) -> Client | None:
    while process.poll() is None and time.perf_counter() < begin + WAIT_SECONDS:
        try:
            return Client(place.socket)
        except (TimeoutError, FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.002)
    return None
