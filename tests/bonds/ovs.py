"""A real ovs-vswitchd with its user-space datapath, in a namespace and directories of its own.

It is the peer of bonds, and their standard.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.netlab import Namespace, until

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
PROGRAMS = ("ovsdb-server", "ovs-vswitchd", "ovsdb-tool")
_QUIET = ("--no-chdir", "--detach", "--pidfile", "--log-file", "-vconsole:off", "-vsyslog:off")


def is_here() -> bool:
    """Whether Open vSwitch is installed."""
    return all(shutil.which(program) for program in PROGRAMS) and Path(SCHEMA).exists()


class OpenVSwitch:
    """The two daemons; commands run beside them."""

    def __init__(self, directory: Path, namespace: Namespace) -> None:
        self._directory = directory
        self._namespace = namespace
        self._environment = os.environ | {
            name: str(directory) for name in ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR")
        }

    def start(self) -> None:
        """Start both, with an empty database."""
        self._directory.mkdir(exist_ok=True)
        database, server = self._directory / "conf.db", f"unix:{self._directory}/db.sock"
        self.run("ovsdb-tool", "create", str(database), SCHEMA)
        self.run("ovsdb-server", *_QUIET, f"--remote=p{server}", str(database))
        self.vsctl("--no-wait", "init")
        self.run("ovs-vswitchd", *_QUIET, "--disable-system", server)

    def stop(self) -> None:
        """End both, at once: what they made ends with them."""
        for name in ("ovs-vswitchd", "ovsdb-server"):
            file = self._directory / f"{name}.pid"
            if not file.exists():
                continue
            process = int(file.read_text())
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            until(lambda process=process: not Path(f"/proc/{process}").exists(), what=f"the end of {name}")

    def vsctl(self, *words: str) -> str:
        """ovs-vsctl, which must succeed."""
        return self.run("ovs-vsctl", "--timeout=10", *words)

    def appctl(self, *words: str) -> str:
        """ovs-appctl, which must succeed."""
        return self.run("ovs-appctl", *words)

    def add_bridge(self, name: str, *settings: str) -> None:
        """A bridge of the user-space datapath, with settings of its row."""
        self.vsctl("add-br", name, "--", "set", "Bridge", name, "datapath_type=netdev", *settings)

    def run(self, *argv: str) -> str:
        """Run a program beside the daemons; it must succeed."""
        done = self._run(argv)
        assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def attempt(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a program beside the daemons, whatever comes of it."""
        return self._run(argv)

    def _run(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        nsenter = ("nsenter", f"--net={self._namespace.path}", "--")
        return subprocess.run(
            [*nsenter, *argv],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@contextmanager
def running(directory: Path, namespace: Namespace) -> Iterator[OpenVSwitch]:
    """The daemons, for a while."""
    switch = OpenVSwitch(directory, namespace)
    try:
        switch.start()
        yield switch
    finally:
        switch.stop()
