"""A real daemon for tests, in directories of its own and, if wanted, in a network namespace.

    with Daemon(tmp_path, netns="jft-host") as daemon:
        daemon.vsctl("add-br", "br0")
        assert daemon.log_warnings() == []

Leaving the block ends the daemon with `exit --cleanup`, so nothing of it is left in the kernel.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from jackfield.wire.address import address_of
from tests.patience import PATIENCE

PROGRAM = "import sys; from jackfield.switchd.main import run; sys.exit(run(detach=False))"
START_SECONDS = 20.0 * PATIENCE
STOP_SECONDS = 20.0 * PATIENCE


class Daemon:
    """One daemon; it can be started, stopped, killed and started again on the same directories.

    `root` is a directory for its files. `netns` is the name of an existing network namespace; None means the
    test's own. Commands run where the daemon runs, with its OVS_* variables set.
    """

    def __init__(self, root: Path, netns: str | None = None) -> None:
        self.root = root
        self.netns = netns
        self.rundir, self.dbdir, self.logdir = root / "run", root / "db", root / "log"
        self.log_file = self.logdir / "ovs-vswitchd.log"
        self.environment = os.environ | {
            "OVS_RUNDIR": str(self.rundir),
            "OVS_DBDIR": str(self.dbdir),
            "OVS_LOGDIR": str(self.logdir),
        }
        self.program = PROGRAM
        self.wrapper: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None

    # -- life ----------------------------------------------------------------------------------------

    def start(self) -> float:
        """Start, wait until it is ready; how long that took in seconds."""
        assert self.process is None, "the daemon runs already"
        self.root.mkdir(exist_ok=True)
        started = time.monotonic()
        with (
            tempfile.TemporaryDirectory(prefix="jft") as folder,
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
            (self.root / "output").open("ab") as output,
        ):
            address = f"{folder}/notify"
            notify.bind(address)
            self.process = subprocess.Popen(
                [*self._enter(), *self.wrapper, sys.executable, "-c", self.program],
                env=self.environment | {"NOTIFY_SOCKET": address},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            ended = os.pidfd_open(self.process.pid)
            try:
                ready, _, _ = select.select([notify, ended], [], [], START_SECONDS)
            finally:
                os.close(ended)
            if notify not in ready or notify.recv(64) != b"READY=1":
                self.kill()
                raise AssertionError(f"the daemon did not get ready:\n{self.output()}")
        return time.monotonic() - started

    def stop(self, *, cleanup: bool = False) -> None:
        """`exit` or `exit --cleanup`; returns when the process is gone; its status must be 0."""
        assert self.process is not None
        self.unixctl("exit", *(("--cleanup",) if cleanup else ()))
        self.wait()

    def terminate(self, number: int = signal.SIGTERM) -> None:
        """End it by a signal that it honours."""
        assert self.process is not None
        self.process.send_signal(number)
        self.wait()

    def wait(self) -> None:
        """Wait for the end; it must be a good one."""
        process, self.process = self.process, None
        assert process is not None
        assert process.wait(STOP_SECONDS) == 0, self.output()

    def launch(self) -> None:
        """Start and do not wait until it is ready."""
        assert self.process is None, "the daemon runs already"
        with (self.root / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [*self._enter(), *self.wrapper, sys.executable, "-c", self.program],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """End it without a chance to put things in order."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait(STOP_SECONDS)

    def restart(self) -> float:
        """Stop and start, the data plane left alone; seconds until it was ready again."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is None:
            with contextlib.suppress(AssertionError):
                self.start()
        try:
            if self.process is not None:
                self.stop(cleanup=True)
        except Exception:
            self.kill()
            if error is None:
                raise

    # -- commands ------------------------------------------------------------------------------------

    def run(self, *argv: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Run a command beside the daemon, whatever comes of it."""
        return subprocess.run(
            [*self._enter(), *argv],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout * PATIENCE,
            check=False,
        )

    def vsctl(self, *words: str) -> str:
        """The real ovs-vsctl, which must succeed; its output."""
        return self._succeed("ovs-vsctl", f"--timeout={10 * PATIENCE:.0f}", *words)

    def appctl(self, *words: str) -> str:
        """The real ovs-appctl, which must succeed; its output."""
        return self._succeed("ovs-appctl", *words)

    def unixctl(self, command: str, *words: str) -> str:
        """A control command without the cost of a process; fails when the daemon refuses."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(STOP_SECONDS)
            with address_of(self.rundir / f"ovs-vswitchd.{self.pid}.ctl") as path:
                connection.connect(path)
            connection.sendall(json.dumps({"id": 0, "method": command, "params": words}).encode())
            data = b""
            while True:
                part = connection.recv(1 << 20)
                assert part, f"the daemon ended before it answered {command}"
                data += part
                with contextlib.suppress(ValueError):
                    reply = json.loads(data)
                    break
        assert reply["error"] is None, reply["error"]
        return str(reply["result"])

    # -- what there is to see ------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The daemon's process, as its pid file says."""
        return int((self.rundir / "ovs-vswitchd.pid").read_text())

    def resident_kb(self) -> int:
        """Memory in use at present, in kB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1])

    def cpu_seconds(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def output(self) -> str:
        """What it wrote to its standard output and error."""
        path = self.root / "output"
        return path.read_text() if path.exists() else ""

    def log(self) -> list[str]:
        """The lines of its log file."""
        return self.log_file.read_text().splitlines() if self.log_file.exists() else []

    def log_warnings(self) -> list[str]:
        """The lines of its log that say that a user should look."""
        return [line for line in self.log() if line.split("|")[3] in ("WARN", "ERR", "EMER")]

    def _succeed(self, *argv: str) -> str:
        done = self.run(*argv)
        assert done.returncode == 0, f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _enter(self) -> list[str]:
        # Not `ip netns exec`: that hides the file system where the data plane is pinned.
        nsenter = shutil.which("nsenter")
        assert nsenter is not None
        return [] if self.netns is None else [nsenter, f"--net=/run/netns/{self.netns}", "--"]
