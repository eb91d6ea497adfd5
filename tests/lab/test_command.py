"""The command: what it lists, refuses, leaves and says by its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.laboratory import JACKFIELD, RUNS, lab

PINS = Path("/sys/fs/bpf/jackfield")

FAILING = """
import sys
from jackfield.lab import scenarios
from jackfield.lab.scenarios.scenario import Scenario
from jackfield.cli.main import main

def play(stage):
    stage.step("A step", "that fails")
    stage.check("water is dry", False, "wet")
    {then}

scenarios.SCENARIOS["failing"] = Scenario("failing", "A failure", "On purpose.", ("linux",), play)
sys.exit(main(["lab", "run", "failing"]))
"""


@pytest.fixture
def running() -> Iterator[subprocess.Popen[str]]:
    """A laboratory in the middle of an experiment: its daemon runs, and it is waiting for tcpdump."""
    process = subprocess.Popen(
        [JACKFIELD, "lab", "run", "learning", "--switch", "jackfield"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        assert any("tcpdump" in line for line in process.stdout)
        yield process
    finally:
        process.kill()
        process.communicate()


def directory_of(running: subprocess.Popen[str]) -> Path:
    """The directory of a run, which it holds a lock in."""
    files = [link.readlink() for link in Path(f"/proc/{running.pid}/fd").iterdir()]
    (lock,) = (file for file in files if file.is_relative_to(RUNS))
    return lock.parent


def instance_of(run: Path) -> str:
    """Under which name the run's switch has its programs pinned."""
    environment = {**os.environ, "OVS_RUNDIR": str(run / "learning-jackfield" / "host")}
    status = subprocess.run([JACKFIELD, "status", "--json"], env=environment, capture_output=True, check=True)
    return str(json.loads(status.stdout)["instance"])


def processes(directory: Path) -> list[str]:
    """Processes that have a place in a directory of a run."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"OVS_RUNDIR={directory}/".encode() in environ.read_bytes():
                found.append((environ.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def test_all_experiments_are_listed() -> None:
    listed = json.loads(lab("list", "--json").stdout)
    assert [scenario["name"] for scenario in listed] == [
        "first-look",
        "learning",
        "nics-on-a-bridge",
        "internal-port",
        "bonded-access-port",
        "one-interface-outside",
        "container-nic",
        "internal-port-vs-veth",
    ]
    plain = lab("list").stdout
    assert all(scenario["name"] in plain and scenario["title"] in plain for scenario in listed)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "nonsense"), "there is no experiment 'nonsense': they are first-look"),
        (("run", "learning", "--switch", "abacus"), "there is no switch 'abacus': they are jackfield"),
        (("run", "internal-port", "--switch", "linux"), "none of these experiments is for linux"),
        (("run",), "Missing argument"),
        (("run", "learning", "--rounds", "0"), "--rounds"),
    ],
)
def test_a_wrong_command_line_is_refused_in_a_sentence(words: tuple[str, ...], said: str) -> None:
    done = lab(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_report_that_cannot_be_written_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = lab("run", "learning", "--report", str(tmp_path / "file" / "report"))
    assert done.returncode == 1
    assert "no report can be written there" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("then", "last"),
    [("pass", "0 of 1 checks hold"), ('stage.switch_host.run("false")', "1 not played to the end")],
)
def test_a_check_that_fails_is_told_by_the_exit_code(then: str, last: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAILING.format(then=then)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "✗ water is dry  (wet)" in done.stdout
    assert last in done.stdout
    assert done.stderr == ""


def test_a_tool_that_is_missing_is_named_with_its_package(tmp_path: Path) -> None:
    for tool in ("ip", "nsenter", "ping", "taskset"):
        (tmp_path / tool).symlink_to("/bin/true")
    done = lab("run", "first-look", env={"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr == (
        "jackfield: the lab needs tcpdump, which is not installed (Debian: the package tcpdump)\n"
    )


def test_what_is_kept_can_be_entered_until_it_is_interrupted() -> None:
    process = subprocess.Popen(
        [JACKFIELD, "lab", "run", "internal-port", "--switch", "jackfield", "--keep"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        enter = next(line for line in iter(process.stdout.readline, "") if "netns exec host " in line)
        command = [*enter.split()[:-1], JACKFIELD, "show", "--json"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "br0" in shown
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[0]
        assert process.returncode == 0, rest
        assert "10 of 10 checks hold" in rest
    finally:
        process.kill()
        process.communicate()


def test_what_is_interrupted_cleans_up(running: subprocess.Popen[str]) -> None:
    run = directory_of(running)
    pins = PINS / instance_of(run)
    assert pins.exists()
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGINT
    assert not run.exists()
    assert processes(run) == []
    assert not pins.exists()


def test_what_was_killed_is_cleaned_up_by_the_next_run(running: subprocess.Popen[str]) -> None:
    run = directory_of(running)
    running.kill()
    running.communicate(timeout=60)
    assert any("daemon" in line for line in processes(run))
    done = lab("run", "nics-on-a-bridge", "--switch", "linux")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not run.exists()
    assert processes(run) == []
