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
    """End the daemons that killed runs left behind, and remove those runs' directories."""
    for path in ROOT.iterdir():
        try:
            with (path / LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for pid_file in path.rglob("*.pid"):
                    _end(pid_file)
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue  # it runs, or somebody else clears it


def _end(pid_file: Path) -> None:
    if pid_file.name == "ovs-vswitchd.pid" and not (pid_file.parent / "ovsdb-server.pid").exists():
        # Jackfield: its devices and programs are in the kernel.
        environment = {**os.environ, "OVS_RUNDIR": str(pid_file.parent)}
        command = (Path(sys.executable).parent / "jackfield", "stop", "--cleanup")
        with contextlib.suppress(subprocess.SubprocessError):
            subprocess.run(command, env=environment, capture_output=True, timeout=STOP_SECONDS, check=False)
        return
    with contextlib.suppress(OSError, ValueError):
        pid = int(pid_file.read_text(encoding="ascii"))
        directory = os.fsencode(pid_file.parent)
        # A number may belong to somebody else by now.
        if directory in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGTERM)
