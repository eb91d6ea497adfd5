"""`jackfield` for people: topology, counters, learned addresses, status, stopping."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator

import pytest

from jackfield.cli.shell.look import status_command
from jackfield.cli.shell.topology import ranges_text, vlan_text
from tests.cli.bench import BAD_INTERFACES, Tools
from tests.cli.stand_in import ANSWERS, control_socket

JACKFIELD = [sys.executable, "-c", "import sys; from jackfield.cli.main import main; sys.exit(main())"]


@pytest.fixture
def daemon(tools: Tools) -> Iterator[Tools]:
    with control_socket(tools.rundir):
        yield tools


def test_show_lists_bridges_and_ports(switch: Tools) -> None:
    switch.vsctl("add-br br0 -- add-port br0 p0 tag=10 -- add-port br0 p1 trunks=1-3,7 -- add-br a")
    switch.vsctl("add-port br0 bad0 -- set Interface p0 type=patch options:peer=x")
    said = switch.jackfield("show")
    assert said.code == 0
    assert [line.split() for line in said.out.splitlines()] == [
        ["Bridge", "Port", "Type", "VLAN", "ofport", "Link", "MAC", "MTU", "Note"],
        ["a", "a", "internal", "trunk", "1"],
        ["br0", "br0", "internal", "trunk", "1"],
        [
            "br0",
            "bad0",
            "system",
            "trunk",
            "-1",
            *BAD_INTERFACES["bad0"]["error"].split(),
        ],
        ["br0", "p0", "patch", "10", "1", "peer", "x"],
        ["br0", "p1", "system", "trunk", "1-3,7", "1"],
    ]


def test_show_without_bridges_says_how_to_make_one(database: Tools) -> None:
    assert database.jackfield("show").out == "no bridges; `jackfield vsctl add-br NAME` makes one\n"


def test_show_speaks_json(switch: Tools) -> None:
    switch.vsctl("add-br br0")
    (bridge,) = json.loads(switch.jackfield("show --json").out)["bridges"]
    assert (bridge["name"], bridge["interfaces"][0]["ofport"]) == ("br0", 1)


@pytest.mark.parametrize(
    ("port", "text"),
    [
        ({}, "trunk"),
        ({"tag": 10}, "10"),
        ({"tag": 10, "vlan_mode": "native-untagged"}, "native-untagged 10"),
        ({"tag": 10, "vlan_mode": "native-tagged", "trunks": frozenset({1, 2})}, "native-tagged 10 1-2"),
        ({"trunks": frozenset({1, 2, 5})}, "trunk 1-2,5"),
        ({"tag": 3, "vlan_mode": "dot1q-tunnel", "cvlans": frozenset({7})}, "tunnel 3 7"),
        ({"vlan_mode": "access"}, ""),
    ],
)
def test_the_vlan_mode_of_a_port_in_a_few_characters(port: dict[str, object], text: str) -> None:
    row = {"tag": None, "trunks": frozenset(), "cvlans": frozenset(), "vlan_mode": None} | port
    assert vlan_text(row) == text


def test_ranges_join_runs() -> None:
    assert ranges_text(frozenset({1, 2, 3, 5, 7, 8})) == "1-3,5,7-8"


def test_ports_show_counters_and_why_frames_were_dropped(daemon: Tools) -> None:
    lines = daemon.jackfield("ports").out.splitlines()
    assert lines[1].split() == ["br0", "p0", "up", "access", "10", "1234", "99", "0", "0", "3"]
    assert lines[-1].split(maxsplit=3) == ["p0", "same-port", "3", "Leaves where it came in."]


def test_fdb_shows_age_or_static(daemon: Tools) -> None:
    lines = daemon.jackfield("fdb br0").out.splitlines()
    assert lines[1].split() == ["br0", "10", "00:00:00:00:00:01", "p0", "4"]
    assert lines[2].split() == ["br0", "0", "00:00:00:00:00:02", "p1", "static"]


def test_plan_lists_steps(daemon: Tools) -> None:
    assert daemon.jackfield("plan").out == "make br0\n"


def test_status_names_what_needs_attention(daemon: Tools) -> None:
    said = daemon.jackfield("status")
    assert said.code == 0
    assert "ready, version 1.0, pid 7" in said.out
    assert "bad0" in said.out
    assert "p0" not in said.out


def test_status_is_no_success_while_the_switch_tries_in_vain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trouble = "cannot apply the configuration: out of memory"
    answer = ANSWERS["jackfield/status"] | {"trouble": trouble}
    monkeypatch.setattr("jackfield.client.control.ask", lambda *_words: answer)
    assert status_command.callback is not None
    assert status_command.callback(as_json=False) == 1
    said = capsys.readouterr().out
    assert "in trouble, version 1.0" in said
    assert trouble in said


@pytest.mark.parametrize("name", ["status", "ports", "fdb", "plan"])
def test_every_view_speaks_json(daemon: Tools, name: str) -> None:
    assert json.loads(daemon.jackfield(f"{name} --json").out) == ANSWERS[f"jackfield/{name}"]


@pytest.mark.parametrize(("line", "words"), [("stop", ""), ("stop --cleanup", "--cleanup")])
def test_stop_returns_when_the_daemon_is_gone(tools: Tools, line: str, words: str) -> None:
    with control_socket(tools.rundir) as pid:
        assert tools.jackfield(line).code == 0
        assert (tools.rundir / "said").read_text() == words
        # It has ended, though this process, its parent, has not reaped it yet.
        assert os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


@pytest.mark.parametrize("line", ["status", "ports", "fdb", "plan", "stop"])
def test_without_a_daemon_one_sentence_says_so(tools: Tools, line: str) -> None:
    said = tools.jackfield(line)
    assert (said.code, said.out) == (1, "")
    assert said.err == ("jackfield: no switch is running in RUNDIR; `jackfield daemon --detach` starts one\n")


def test_show_without_a_database_is_one_sentence(tools: Tools) -> None:
    said = tools.jackfield("show")
    assert said.code == 1
    assert said.err == (
        "jackfield: the database at RUNDIR/db.sock cannot be reached: No such file or directory\n"
    )


@pytest.mark.parametrize("line", ["nonsense", "show --nonsense", "fdb a b", "stop --timeout x", ""])
def test_a_usage_error_ends_with_exit_code_2(tools: Tools, line: str) -> None:
    said = tools.jackfield(line)
    assert said.code == 2
    assert "Traceback" not in said.err


@pytest.mark.parametrize("line", ["--help", "show --help", "daemon --help"])
def test_help_in_a_pipe_is_plain_text(tools: Tools, line: str) -> None:
    said = tools.jackfield(line)
    assert (said.code, said.err) == (0, "")
    assert said.out.isascii()


def test_a_terminal_gets_colours(daemon: Tools) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*JACKFIELD, "fdb"],
        env=os.environ | {"OVS_RUNDIR": str(daemon.rundir), "TERM": "xterm-256color"},
        stdout=follower,
    )
    os.close(follower)
    output = b""
    try:
        while data := os.read(leader, 4096):
            output += data
    except OSError:  # the terminal's other end is closed
        pass
    finally:
        os.close(leader)
    assert process.wait(30) == 0
    assert b"\x1b[" in output


def test_rundir_can_be_an_option(switch: Tools) -> None:
    switch.vsctl("add-br br7")
    said = switch.at(switch.rundir / "elsewhere").jackfield(f"--rundir {switch.rundir} vsctl list-br")
    assert said.out == "br7\n"
