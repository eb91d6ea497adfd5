"""The laboratory's directory: one a run, locked while it runs, so that what a killed run left can be told."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/run/jackfield-lab")
LOCK = "lock"
STOP_SECONDS = 30.0


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """A new directory for a run, gone after it; what runs that are dead have left is cleared first."""
    ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
    clear_leftovers()
    path = Path(tempfile.mkdtemp(prefix="run-", dir=ROOT))
    path.chmod(0o755)
    with (path / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        ROOT.rmdir()


def clear_leftovers() -> None:
    """End what killed runs left behind, and remove those runs' directories."""
    for path in ROOT.iterdir():
        try:
            with (path / LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _stop_switches(path)
                _end_processes(path)
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue  # it runs, or somebody else clears it


def _stop_switches(path: Path) -> None:
    """Jackfield's devices and programs are in the kernel, and go with `stop --cleanup` only."""
    command = (Path(sys.executable).parent / "jackfield", "stop", "--cleanup")
    for pid_file in path.rglob("ovs-vswitchd.pid"):
        if (pid_file.parent / "ovsdb-server.pid").exists():
            continue  # Open vSwitch's own
        environment = {**os.environ, "OVS_RUNDIR": str(pid_file.parent)}
        with contextlib.suppress(subprocess.SubprocessError):
            subprocess.run(command, env=environment, capture_output=True, timeout=STOP_SECONDS, check=False)


def _end_processes(path: Path) -> None:
    """Everything that the run started has a place in its directory for $OVS_RUNDIR."""
    mark = b"OVS_RUNDIR=" + os.fsencode(path) + b"/"
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(int(process.name))
            try:
                if any(word.startswith(mark) for word in (process / "environ").read_bytes().split(b"\0")):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            finally:
                os.close(descriptor)
