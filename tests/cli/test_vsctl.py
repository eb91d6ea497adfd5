"""What `jackfield vsctl` does beside what ovs-vsctl does: waiting, retrying, giving up, and starting fast."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.bench import Tools, databases, real_vsctl

JACKFIELD = [sys.executable, "-c", "import sys; from jackfield.cli.main import main; sys.exit(main())"]


def start(rundir: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*JACKFIELD, *words],
        env=os.environ | {"OVS_RUNDIR": str(rundir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_change_returns_when_the_switch_has_taken_it_on(switch: Tools) -> None:
    assert switch.vsctl("add-br br0").code == 0
    said = switch.vsctl("get Open_vSwitch . next_cfg cur_cfg -- get Interface br0 ofport")
    assert said.out.splitlines() == ["1", "1", "1"]


def test_a_change_that_changes_nothing_does_not_wait(database: Tools) -> None:
    assert database.vsctl("--no-wait add-br br0").code == 0
    assert database.vsctl("--may-exist add-br br0").code == 0
    assert database.vsctl("set Bridge br0 stp_enable=false").code == 0


@pytest.mark.skipif(shutil.which("ovs-vsctl") is None, reason="needs Debian's openvswitch-common")
@pytest.mark.parametrize("name", ["good", "bad0", "bad1", "bad2"])
def test_an_interface_that_fails_is_reported_as_ovs_vsctl_does(
    tools: Tools, tmp_path: Path, name: str
) -> None:
    theirs = tmp_path / "theirs"
    with databases(tools.rundir, theirs, switch=True):
        for line in ("add-br br0", f"add-port br0 {name}", f"get Interface {name} ofport error"):
            assert tools.vsctl(line) == real_vsctl(theirs, line)


def test_a_dry_run_changes_nothing_and_does_not_wait(database: Tools) -> None:
    assert database.vsctl("--dry-run add-br br0").code == 0
    assert database.vsctl("--no-wait list-br").out == ""


def test_clients_that_change_one_bridge_at_once_all_succeed(database: Tools) -> None:
    assert database.vsctl("--no-wait add-br br0").code == 0
    running = [start(database.rundir, "vsctl", "--no-wait", "add-port", "br0", f"p{n}") for n in range(6)]
    for process in running:
        _, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (0, "")
    assert database.vsctl("list-ports br0").out.split() == [f"p{n}" for n in range(6)]


def test_a_key_of_a_map_can_be_set_by_two_clients_at_once(database: Tools) -> None:
    assert database.vsctl("--no-wait add-br br0").code == 0
    running = [
        start(database.rundir, "vsctl", "--no-wait", "set", "Bridge", "br0", f"external_ids:k{n}=v")
        for n in range(4)
    ]
    for process in running:
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert database.vsctl("get Bridge br0 external_ids").out == "{k0=v, k1=v, k2=v, k3=v}\n"


def test_wait_until_returns_when_the_condition_comes_true(database: Tools) -> None:
    assert database.vsctl("--no-wait add-br br0").code == 0
    waiting = start(database.rundir, "vsctl", "wait-until", "Bridge", "br0", "stp_enable=true")
    assert database.vsctl("--no-wait set Bridge br0 stp_enable=true").code == 0
    assert waiting.communicate(timeout=30) == ("", "")
    assert waiting.returncode == 0


def test_a_timeout_ends_the_process_by_sigalrm(database: Tools) -> None:
    assert database.vsctl("--no-wait add-br br0").code == 0
    process = start(database.rundir, "vsctl", "-t", "1", "wait-until", "Bridge", "br0", "stp_enable=true")
    _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGALRM
    assert "fatal_signal|WARN|terminating with signal 14 (Alarm clock)" in err


def test_retry_waits_for_the_database(tools: Tools) -> None:
    waiting = start(tools.rundir, "vsctl", "--retry", "--no-wait", "list-br")
    with databases(tools.rundir):
        assert waiting.communicate(timeout=30) == ("", "")
    assert waiting.returncode == 0


def test_no_database_is_one_sentence(tools: Tools) -> None:
    said = tools.vsctl("list-br")
    assert said.code == 1
    assert said.err == (
        "ovs-vsctl: unix:RUNDIR/db.sock: database connection failed (No such file or directory)\n"
    )


def tools_help(tools: Tools) -> str:
    said = tools.vsctl("--help")
    assert (said.code, said.err) == (0, "")
    return said.out


def test_help_names_every_command(tools: Tools) -> None:
    from jackfield.cli.vsctl.registry import SYNTAXES

    text = tools_help(tools)
    assert [name for name in SYNTAXES if name not in text] == []


def test_many_ports_are_added_in_one_line(database: Tools) -> None:
    words = "".join(f" -- add-port br0 p{n} tag={n} -- set Interface p{n} type=internal" for n in range(300))
    assert database.vsctl(f"--no-wait add-br br0{words}").code == 0
    assert len(database.vsctl("list-ports br0").out.split()) == 300
    assert database.vsctl("get Port p299 tag -- get Interface p299 type").out == "299\ninternal\n"


def test_a_port_that_got_the_vlan_of_a_fake_bridge_in_the_same_line_belongs_to_it(database: Tools) -> None:
    line = (
        "--no-wait add-br br0 -- add-br fake br0 7 -- add-port br0 p -- set Port p tag=7 -- list-ports fake"
    )
    assert database.vsctl(line).out == "p\n"


def test_bytes_that_are_not_utf8_are_refused_in_one_sentence(database: Tools) -> None:
    assert database.vsctl("--no-wait add-br br0").code == 0
    said = database.vsctl("set Bridge br0 external_ids:x=\udcff")
    assert (said.code, said.out) == (1, "")
    assert "not a valid UTF-8 string" in said.err


@pytest.mark.parametrize("tool", ["vsctl", "appctl"])
def test_the_tools_start_without_what_only_people_and_servers_need(tool: str) -> None:
    program = (
        "import sys; from jackfield.cli.main import main; main([sys.argv[1], '--version']); "
        "main([sys.argv[1], 'list-commands']); "
        "print(sorted({'click', 'rich', 'asyncio', 'logging', 'msgspec', 'ssl', 'uuid'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {program}", tool],
        env=os.environ | {"OVS_RUNDIR": "/nonexistent"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_output_into_a_closed_pipe_ends_quietly(database: Tools) -> None:
    assert database.vsctl("--no-wait add-br br0").code == 0
    process = start(database.rundir, "vsctl", "list", "Bridge")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(30)


def test_a_run_directory_may_have_a_long_name(tools: Tools, tmp_path: Path) -> None:
    deep = tools.at(tmp_path / ("d" * 120))
    with databases(deep.rundir):
        assert deep.vsctl("--no-wait add-br br0 -- list-br").out == "br0\n"


def test_a_change_outlives_a_restart_of_the_database(tools: Tools) -> None:
    with databases(tools.rundir):
        waiting = start(tools.rundir, "vsctl", "add-br", "br0")
        assert tools.vsctl("--no-wait wait-until Open_vSwitch . next_cfg=1").code == 0
    with databases(tools.rundir, switch=True):
        assert tools.vsctl("add-br br1").code == 0
        assert waiting.communicate(timeout=30) == ("", "")
    assert waiting.returncode == 0


@pytest.mark.parametrize("tool", ["vsctl", "appctl"])
def test_the_version_names_the_one_of_ovs_that_it_is_like(tools: Tools, tool: str) -> None:
    said = tools.jackfield(f"{tool} --version")
    assert said.code == 0
    assert said.out.splitlines()[0].startswith(f"ovs-{tool} (Jackfield) 3.1.0-jackfield-")
