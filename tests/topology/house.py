"""A host of its own: network, names of namespaces, and a switch. Nothing of it is left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BEGIN = "mount -t tmpfs none /run/netns; ip link set lo up; echo ready; exec sleep infinity"
EMPTY = "{}"


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class House:
    """Commands are run there."""

    pid: int
    root: Path

    def run(self, *words: str, text: str = "") -> Said:
        """A command, whatever comes of it."""
        environment = os.environ | dict.fromkeys(("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR"), str(self.root))
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        done = subprocess.run(
            ["nsenter", f"--target={self.pid}", "--net", "--mount", "--", *words],
            env=environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def do(self, line: str, text: str = "") -> str:
        """A command line that must succeed; what it prints."""
        said = self.run("sh", "-euc", line, text=text)
        assert said.code == 0, f"{line}\n{said.out}{said.err}"
        assert "Traceback" not in said.err
        return said.out

    def jackfield(self, line: str, text: str = "") -> Said:
        """`jackfield` with these words and this standard input."""
        return self.run("jackfield", *line.split(), text=text)

    def apply(self, text: str, *options: str) -> str:
        """Apply a file, which must succeed; what it prints."""
        said = self.run("jackfield", "apply", "-", *options, text=text)
        assert said.code == 0, said.out + said.err
        return said.out

    def plan(self, text: str, *options: str) -> str:
        """The plan of a file."""
        said = self.run("jackfield", "plan", "-", *options, text=text)
        assert said.code == 0, said.out + said.err
        return said.out

    def log_warnings(self) -> list[str]:
        """What the switch thought its user should look at."""
        lines = (self.root / "ovs-vswitchd.log").read_text().splitlines()
        return [line for line in lines if line.split("|")[3] in ("WARN", "ERR", "EMER")]


@contextmanager
def new_house(root: Path) -> Iterator[House]:
    """A host with a running switch that has no bridges."""
    Path("/run/netns").mkdir(exist_ok=True)
    holder = subprocess.Popen(
        ["unshare", "--net", "--mount", "sh", "-euc", BEGIN], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        house = House(holder.pid, root)
        house.do("jackfield daemon --detach")
        try:
            yield house
        finally:
            house.do("jackfield stop --cleanup")
    finally:
        holder.kill()
        holder.communicate()
