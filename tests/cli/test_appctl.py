"""`jackfield appctl` does and says what ovs-appctl does and says."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.bench import Said, Tools, neutral
from tests.cli.stand_in import control_socket

LINES = [
    "version",
    "list-commands",
    "-t ovs-vswitchd version",
    "--target=ovs-vswitchd version",
    "echo a 'b c' --d",
    "echo",
    "nothing",
    "refuse",
    "no-newline",
    "nosuch",
    "version too many",
    "-T 5 version",
    "--timeout=0 version",
    "-T x version",
    "-e version",
    "-t nosuch version",
    "-t /nonexistent/x.ctl version",
    "-t a -t b version",
    "-x version",
    "--foo version",
    "--target",
    "",
    "-t ovs-vswitchd",
]


@pytest.fixture
def daemon(tools: Tools) -> Iterator[Tools]:
    """Our tools and a control socket with its pid file, which another process must see locked."""
    with control_socket(tools.rundir):
        yield tools


def real_appctl(rundir: Path, line: str) -> Said:
    done = subprocess.run(
        ["ovs-appctl", *shlex.split(line)],
        env=os.environ | {"OVS_RUNDIR": str(rundir)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return neutral(Said(done.returncode, done.stdout, done.stderr), rundir)


@pytest.mark.skipif(shutil.which("ovs-appctl") is None, reason="needs Debian's openvswitch-common")
@pytest.mark.parametrize("line", LINES)
def test_our_tool_does_and_says_what_ovs_appctl_does_and_says(daemon: Tools, line: str) -> None:
    assert daemon.jackfield(f"appctl {line}") == real_appctl(daemon.rundir, line)


def test_a_pid_file_that_nobody_holds_is_stale(tools: Tools) -> None:
    tools.rundir.mkdir()
    (tools.rundir / "ovs-vswitchd.pid").write_text(f"{os.getpid()}\n")
    said = tools.jackfield("appctl version")
    assert said.code == 1
    assert said.err == 'ovs-appctl: cannot read pidfile "RUNDIR/ovs-vswitchd.pid" (No such process)\n'


def test_replies_can_be_had_as_json(daemon: Tools) -> None:
    assert daemon.jackfield("appctl -f json jackfield/plan").out == '{"steps":["make br0"]}\n'
    wanted = '{"reply-format":"plain","reply":"stand-in 1.0\\n"}\n'
    assert daemon.jackfield("appctl --format=json version").out == wanted
    assert daemon.jackfield("appctl -f xml version").code == 1


def test_a_daemon_that_says_nothing_ends_the_tool_by_its_timeout(tools: Tools) -> None:
    with control_socket(tools.rundir):
        done = subprocess.run(
            [sys.executable, "-c", "import sys; from jackfield.cli.main import main; sys.exit(main())",
             "appctl", "-T", "1", "sleep"],
            env=os.environ | {"OVS_RUNDIR": str(tools.rundir)},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )  # fmt: skip
    assert done.returncode == -14
    assert "terminating with signal 14 (Alarm clock)" in done.stderr


def test_the_lock_of_a_pid_file_is_only_read(daemon: Tools) -> None:
    assert daemon.jackfield("appctl version").code == 0
    with (daemon.rundir / "ovs-vswitchd.pid").open("rb+") as file, pytest.raises(BlockingIOError):
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
