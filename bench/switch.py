"""Switches: daemons of Jackfield or OVS, with a directory and a network namespace for themselves."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.netns import BenchError, inside, namespaces, run

BRIDGE = "jft-br0"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
GONE_SECONDS = 20.0
_CPUCLOCK_SCHED = 2  # of another process: clock_getcpuclockid(3)
JACKFIELD = str(Path(sys.executable).parent / "jackfield")


@dataclass(frozen=True, slots=True)
class Switch:
    """A place for a Jackfield: its namespace and its directory."""

    namespace: str
    directory: Path

    title: ClassVar[str] = "Jackfield"
    datapath_type: ClassVar[str] = ""
    vsctl_command: ClassVar[tuple[str, ...]] = (JACKFIELD, "vsctl")
    appctl_command: ClassVar[tuple[str, ...]] = (JACKFIELD, "appctl")

    @property
    def environment(self) -> dict[str, str]:
        """What tells every command which daemon is meant."""
        return {**os.environ, **dict.fromkeys(("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR"), str(self.directory))}

    def start(self) -> None:
        """Starts the daemon; returns when it is ready."""
        run(*inside(self.namespace, JACKFIELD, "daemon", "--detach"), env=self.environment)

    def end(self) -> None:
        """Ends the daemon, which leaves what forwards."""
        run(*inside(self.namespace, JACKFIELD, "stop"), env=self.environment)

    def stop(self) -> None:
        """Ends the daemon and removes all it made."""
        run(*inside(self.namespace, JACKFIELD, "stop", "--cleanup"), env=self.environment)

    def vsctl(self, *argv: str) -> str:
        """Its own client of the database; returns when the kernel is configured."""
        return run(*self.vsctl_command, *argv, env=self.environment)

    def appctl(self, *argv: str) -> str:
        """Its own client of the daemon's commands."""
        return run(*self.appctl_command, *argv, env=self.environment)

    def add_bridge(self, bridge: str = BRIDGE) -> None:
        """Adds a bridge."""
        words = ("set", "Bridge", bridge, f"datapath_type={self.datapath_type}") if self.datapath_type else ()
        self.vsctl("add-br", bridge, *(("--", *words) if words else ()))

    def add_internal_ports(self, names: list[str]) -> None:
        """Adds internal ports in one transaction."""
        words: list[str] = []
        for name in names:
            words += ["--", "add-port", BRIDGE, name, "--", "set", "Interface", name, "type=internal"]
        if words:
            self.vsctl(*words[1:])

    def pids(self) -> dict[str, int]:
        """Its daemons' processes by name."""
        files = sorted(self.directory.glob("*.pid"))
        return {path.stem: int(path.read_text(encoding="ascii")) for path in files}

    def resident_kilobytes(self) -> int:
        """The resident memory of all its daemons now (VmRSS of proc(5))."""
        texts = [Path(f"/proc/{pid}/status").read_text(encoding="ascii") for pid in self.pids().values()]
        found = [size for text in texts for size in re.findall(r"^VmRSS:\s+(\d+) kB", text, re.M)]
        if not found:
            raise BenchError("the daemon is gone")
        return sum(map(int, found))

    def processor_seconds(self) -> float:
        """The processor time that its daemons have used up to now, threads that have ended among them."""
        return sum(time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED) for pid in self.pids().values())


class OpenVSwitch(Switch):
    """A place for Debian's Open vSwitch with its user-space datapath."""

    title = "OVS user space"
    datapath_type = "netdev"
    vsctl_command = ("ovs-vsctl", "--timeout=100")
    appctl_command = ("ovs-appctl", "--timeout=100")

    def start(self) -> None:
        if shutil.which("ovs-vswitchd") is None:
            raise BenchError("ovs-vswitchd is not installed: apt-get install openvswitch-switch")
        quiet = ("--no-chdir", "--detach", "--pidfile", "--log-file", "-vconsole:off", "-vsyslog:off")
        database, remote = self.directory / "conf.db", f"unix:{self.directory}/db.sock"
        if not database.exists():
            run("ovsdb-tool", "create", str(database), SCHEMA)
        run("ovsdb-server", *quiet, f"--remote=p{remote}", str(database), env=self.environment)
        run("ovs-vsctl", "--no-wait", "init", env=self.environment)
        daemon = ("ovs-vswitchd", *quiet, "--disable-system", remote)
        run(*inside(self.namespace, *daemon), env=self.environment)

    def end(self) -> None:
        """Ends the daemons, and with them the datapath."""
        for name, pid in sorted(self.pids().items(), reverse=True):
            descriptor = os.pidfd_open(pid)
            self.appctl("-t", name, "exit")
            select.select([descriptor], [], [], GONE_SECONDS)
            os.close(descriptor)

    stop = end  # what it made is removed with the namespace


@contextlib.contextmanager
def place(label: str, kind: type[Switch] = Switch) -> Iterator[Switch]:
    """A namespace and a directory, in which no daemon runs yet."""
    with tempfile.TemporaryDirectory(prefix="jft-bench-") as directory, namespaces(f"jft-bench-{label}"):
        switch = kind(f"jft-bench-{label}", Path(directory))
        try:
            yield switch
        finally:
            if switch.pids():
                switch.stop()


@contextlib.contextmanager
def running(label: str, kind: type[Switch] = Switch) -> Iterator[Switch]:
    """Daemons that are ready, with an empty bridge."""
    with place(label, kind) as switch:
        switch.start()
        switch.add_bridge()
        yield switch
