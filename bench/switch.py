"""A Jackfield of its own: a daemon with a run directory and a network namespace for itself."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.netns import BenchError, inside, namespaces, run

BRIDGE = "jft-br0"
JACKFIELD = str(Path(sys.executable).parent / "jackfield")


@dataclass(frozen=True, slots=True)
class Switch:
    """A place for a daemon: its namespace and its directory."""

    namespace: str
    directory: Path

    @property
    def environment(self) -> dict[str, str]:
        """What tells every command which daemon is meant."""
        return {**os.environ, **dict.fromkeys(("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR"), str(self.directory))}

    def start(self) -> None:
        """Starts the daemon; returns when it is ready."""
        run(*inside(self.namespace, JACKFIELD, "daemon", "--detach"), env=self.environment)

    def stop(self) -> None:
        """Ends the daemon and removes all it made."""
        run(*inside(self.namespace, JACKFIELD, "stop", "--cleanup"), env=self.environment)

    def vsctl(self, *argv: str) -> str:
        """`jackfield vsctl`; returns when the kernel is configured."""
        return run(JACKFIELD, "vsctl", *argv, env=self.environment)

    def add_internal_ports(self, names: list[str]) -> None:
        """Adds internal ports in one transaction."""
        words: list[str] = []
        for name in names:
            words += ["--", "add-port", BRIDGE, name, "--", "set", "Interface", name, "type=internal"]
        self.vsctl(*words[1:])

    def resident_kilobytes(self) -> int:
        """The daemon's resident memory now (VmRSS of proc(5))."""
        pid = (self.directory / "ovs-vswitchd.pid").read_text(encoding="ascii").strip()
        found = re.search(
            r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.M
        )
        if found is None:
            raise BenchError("the daemon is gone")
        return int(found[1])


@contextlib.contextmanager
def place(label: str) -> Iterator[Switch]:
    """A namespace and a directory, in which no daemon runs yet."""
    with tempfile.TemporaryDirectory(prefix="jft-bench-") as directory, namespaces(f"jft-bench-{label}"):
        switch = Switch(f"jft-bench-{label}", Path(directory))
        try:
            yield switch
        finally:
            if (switch.directory / "ovs-vswitchd.pid").exists():
                switch.stop()


@contextlib.contextmanager
def running(label: str) -> Iterator[Switch]:
    """A daemon that is ready, with an empty bridge."""
    with place(label) as switch:
        switch.start()
        switch.vsctl("add-br", BRIDGE)
        yield switch
