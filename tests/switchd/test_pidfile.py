"""The pid file and going to the background, with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jackfield.switchd.pidfile import PidFile, PidFileError, holder

HOLD = """
import sys
from pathlib import Path
from jackfield.switchd.pidfile import PidFile
PidFile.acquire(Path(sys.argv[1]))
print(flush=True)
sys.stdin.read()
"""

DETACH = """
import os, sys
from jackfield.switchd.daemonize import detach, notify_ready
detached = detach()
if detached.exit_status is not None:
    sys.exit(detached.exit_status)
if sys.argv[1] == "ready":
    notify_ready(detached.ready_fd)
    os.read(os.open(sys.argv[2], os.O_RDONLY), 1)
sys.exit("it failed")
"""


def test_the_file_names_this_process_and_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "x.pid"
    pidfile = PidFile.acquire(path)
    assert path.read_text() == f"{os.getpid()}\n"
    pidfile.release()
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_is_refused_and_a_dead_one_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "x.pid"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        first.stdout.readline()
        assert holder(path) == first.pid
        with pytest.raises(PidFileError, match=f"x.pid: already running as pid {first.pid}, aborting"):
            PidFile.acquire(path)
        assert holder(path) == first.pid
        assert list(tmp_path.iterdir()) == [path]
        first.kill()
    assert path.exists()
    assert holder(path) is None
    PidFile.acquire(path).release()


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(PidFileError, match="create failed"):
        PidFile.acquire(tmp_path / "no" / "x.pid")


def test_the_parent_returns_when_the_child_is_ready(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    done = subprocess.run([sys.executable, "-c", DETACH, "ready", fifo], timeout=30, check=False)
    assert done.returncode == 0
    fifo.open("w").close()


def test_the_parent_fails_as_the_child_did(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DETACH, "fail", tmp_path],
        timeout=30,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, "it failed\n")
