"""The whole daemon, driven by OVS's own tools, in a network namespace of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield.datapath.naming import instance_name
from tests.daemon import PROGRAM, Daemon
from tests.netlab import Lab, Namespace, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture
def host(lab: Lab) -> Namespace:
    return lab.namespace("host")


@pytest.fixture
def daemon(host: Namespace, tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path / "d", host.name) as daemon:
        yield daemon


def get(daemon: Daemon, record: str, column: str, table: str = "Interface") -> str:
    return daemon.vsctl("get", table, record, column).strip()


def wait(daemon: Daemon, record: str, *conditions: str) -> None:
    daemon.vsctl("wait-until", "Interface", record, *conditions)


def internal(daemon: Daemon, name: str, *settings: str) -> None:
    daemon.vsctl("add-port", "br0", name, *settings, "--", "set", "Interface", name, "type=internal")


def steps_done(daemon: Daemon) -> list[str]:
    return [line for line in daemon.log() if "changed the kernel" in line]


def test_a_bridge_and_its_ports_are_there_when_vsctl_returns(daemon: Daemon, host: Namespace) -> None:
    daemon.vsctl("add-br", "br0")
    internal(daemon, "vlan1000", "tag=1000")
    assert {"br0", "vlan1000"} <= host.devices()
    shown = daemon.vsctl("show").splitlines()
    assert shown[1] == "    Bridge br0"
    assert {"        Port br0", "        Port vlan1000", "            tag: 1000"} <= set(shown)
    assert shown[-1].startswith('    ovs_version: "3.1.0-jackfield-')
    assert get(daemon, "br0", "ofport") == "65534"
    assert get(daemon, "vlan1000", "ofport") == "1"
    assert get(daemon, "vlan1000", "error") == "[]"
    assert get(daemon, "vlan1000", "mac_in_use").strip('"') == host.mac("vlan1000")
    assert get(daemon, "vlan1000", "ifindex") == host.read("vlan1000", "ifindex")
    assert get(daemon, "br0", "datapath_id", "Bridge").strip('"') == "0000" + host.mac("br0").replace(":", "")
    assert daemon.log_warnings() == []


def test_a_device_that_is_missing_is_said_and_picked_up_when_it_comes(
    daemon: Daemon, host: Namespace
) -> None:
    daemon.vsctl("add-br", "br0")
    complaint = daemon.run("ovs-vsctl", "add-port", "br0", "eth9").stderr
    assert "could not open network device eth9 (No such device)" in complaint
    assert get(daemon, "eth9", "ofport") == "-1"
    (warning,) = daemon.log_warnings()
    assert warning.endswith(
        "|bridge|WARN|Interface eth9: could not open network device eth9 (No such device)"
    )
    for _ in range(2):
        host.ip("link", "add", "eth9", "type", "veth", "peer", "name", "wire")
        wait(daemon, "eth9", "ofport=1", "error=[]", "admin_state=down")
        host.ip("link", "set", "wire", "up")
        host.ip("link", "set", "eth9", "up")
        wait(daemon, "eth9", "link_state=up", "admin_state=up")
        host.ip("link", "del", "eth9")
        wait(daemon, "eth9", "ofport=-1", "link_state=[]", "statistics={}")


def test_status_follows_a_port_into_another_namespace_and_back(
    daemon: Daemon, host: Namespace, lab: Lab
) -> None:
    other = lab.namespace("other")
    daemon.vsctl("add-br", "br0")
    internal(daemon, "p1")
    host.ip("link", "set", "p1", "netns", other.name)
    other.ip("link", "set", "p1", "mtu", "1400", "up")
    wait(daemon, "p1", "mtu=1400", "link_state=up", "ofport=1")
    ports = {port["name"]: port for port in json.loads(daemon.unixctl("jackfield/ports"))["ports"]}
    assert (ports["br0"]["netns"], ports["p1"]["netns"]) == (None, other.name)
    other.ip("link", "set", "p1", "down")
    wait(daemon, "p1", "admin_state=down")
    other.ip("link", "set", "p1", "netns", host.name)
    host.ip("link", "set", "p1", "up")
    wait(daemon, "p1", "admin_state=up", f"ifindex={host.read('p1', 'ifindex')}")
    assert int(get(daemon, "p1", "link_resets")) > 0
    assert daemon.log_warnings() == []


def test_statistics_count_from_the_switch_s_point_of_view(daemon: Daemon, host: Namespace, lab: Lab) -> None:
    other = lab.namespace("other")
    daemon.vsctl("set", "Open_vSwitch", ".", "other_config:stats-update-interval=5000")
    daemon.vsctl("add-br", "br0")
    internal(daemon, "p1")
    host.up("br0", "10.0.0.1/24")
    host.ip("link", "set", "p1", "netns", other.name)
    other.up("p1", "10.0.0.2/24")
    wait(daemon, "p1", "link_state=up")
    other.ping("10.0.0.1", count=3)
    before = json.loads(daemon.unixctl("jackfield/ports"))["ports"]
    by_name = {port["name"]: port for port in before}
    assert by_name["p1"]["rx_packets"] >= 4
    assert by_name["br0"]["tx_packets"] >= 4
    expected = by_name["p1"]["rx_packets"]
    until(lambda: int(get(daemon, "p1", "statistics:rx_packets")) >= expected, deadline=15, what="statistics")
    lines = daemon.appctl("fdb/show", "br0").splitlines()
    assert lines[0] == " port  VLAN  MAC                Age"
    ports = {line.split()[2]: line.split()[0] for line in lines[1:]}
    assert ports == {other.mac("p1"): "1", host.mac("br0"): "LOCAL"}


def test_a_restart_changes_nothing_in_the_kernel(daemon: Daemon, host: Namespace) -> None:
    daemon.vsctl("add-br", "br0")
    internal(daemon, "p1", "tag=7")
    daemon.appctl("fdb/add", "br0", "p1", "7", "02:00:00:00:00:07")
    root, index = daemon.vsctl("get", "Open_vSwitch", ".", "_uuid"), host.read("p1", "ifindex")
    done = steps_done(daemon)
    daemon.restart()
    assert steps_done(daemon) == done
    assert daemon.vsctl("get", "Open_vSwitch", ".", "_uuid") == root
    assert host.read("p1", "ifindex") == index
    assert get(daemon, "p1", "tag", "Port") == "7"
    assert get(daemon, "p1", "ofport") == "1"
    assert "static" in daemon.appctl("fdb/show", "br0")
    assert json.loads(daemon.unixctl("jackfield/plan")) == {"steps": []}


def test_a_crash_is_no_obstacle_to_the_next_start(daemon: Daemon) -> None:
    daemon.vsctl("add-br", "br0")
    dead = daemon.pid
    daemon.kill()
    assert (daemon.rundir / "db.sock").exists()
    daemon.start()
    assert daemon.vsctl("list-br") == "br0\n"
    assert not (daemon.rundir / f"ovs-vswitchd.{dead}.ctl").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_daemon_and_leaves_the_data_plane(
    daemon: Daemon, host: Namespace, number: int
) -> None:
    daemon.vsctl("add-br", "br0")
    daemon.terminate(number)
    assert "br0" in host.devices()
    assert list(daemon.rundir.iterdir()) == []


def test_a_signal_ends_a_daemon_whose_run_directory_is_gone(daemon: Daemon) -> None:
    daemon.vsctl("add-br", "br0")
    shutil.rmtree(daemon.rundir)
    daemon.terminate()
    daemon.start()
    assert json.loads(daemon.unixctl("jackfield/plan")) == {"steps": []}


HANGING = """
import asyncio, sys
from jackfield.switchd import engine, main
async def hang(*_, **__):
    await asyncio.Event().wait()
engine.Engine.stop = hang
main.ENDING_SECONDS = 0.5
sys.exit(main.run(detach=False))
"""


def test_a_daemon_that_hangs_when_it_is_to_end_ends_all_the_same(daemon: Daemon) -> None:
    daemon.stop()
    daemon.program = HANGING
    daemon.start()
    process, daemon.process, daemon.program = daemon.process, None, PROGRAM
    assert process is not None
    process.terminate()
    assert process.wait(20) == 1
    assert "still not at an end after 0.5 s, exiting at once" in daemon.log()[-1]
    daemon.start()


def test_the_log_says_who_changed_what_and_who_only_looked_is_not_in_it(daemon: Daemon) -> None:
    daemon.vsctl("add-br", "br0")
    daemon.vsctl("add-port", "br0", "tap1", "--", "set", "Interface", "tap1", "type=internal")
    daemon.appctl("fdb/flush", "br0")
    daemon.vsctl("show")
    daemon.appctl("fdb/show", "br0")
    daemon.restart()
    told = [line for line in daemon.log() if "process" in line]
    who = r"process \d+, ovs-(vs|app)ctl, user 0"
    patterns = [
        rf"ovsdb_audit\|INFO\|unix \({who}\) changed Open_vSwitch: .*Bridge: 1 new.*add-br br0\)",
        rf"ovsdb_audit\|INFO\|unix \({who}\) changed Open_vSwitch: .*Port: 1 new.*add-port br0 tap1",
        rf"unixctl\|INFO\|{who} asks for fdb/flush br0",
        r"unixctl\|INFO\|process \d+, \S+, user 0 asks for exit",
    ]
    assert len(told) == len(patterns), told
    for pattern, line in zip(patterns, told, strict=True):
        assert re.search(pattern, line), line


def test_the_log_file_is_reopened_when_told(daemon: Daemon) -> None:
    for tell in (lambda: os.kill(daemon.pid, signal.SIGHUP), lambda: daemon.appctl("vlog/reopen")):
        daemon.log_file.rename(daemon.log_file.with_suffix(".old"))
        tell()
        until(daemon.log_file.exists, what="a new log file")


def test_a_second_daemon_on_the_same_directory_is_refused(daemon: Daemon, host: Namespace) -> None:
    daemon.vsctl("add-br", "br0")
    second = daemon.run(sys.executable, "-c", PROGRAM)
    assert second.returncode == 1
    assert second.stderr == (
        f"ovs-vswitchd: {daemon.rundir}/ovs-vswitchd.pid: already running as pid {daemon.pid}, aborting\n"
    )
    assert daemon.vsctl("list-br") == "br0\n"
    assert "br0" in host.devices()


def test_a_second_daemon_on_the_same_database_is_refused(daemon: Daemon, tmp_path: Path) -> None:
    daemon.vsctl("add-br", "br0")
    other = Daemon(tmp_path / "other", daemon.netns)
    other.environment["OVS_DBDIR"] = str(daemon.dbdir)
    refused = other.run(sys.executable, "-c", PROGRAM)
    assert refused.returncode == 1
    assert re.match(r"ovs-vswitchd: .*/conf.db: ", refused.stderr.splitlines()[-1])
    assert "Traceback" not in refused.stderr
    assert list(other.rundir.iterdir()) == []
    assert daemon.vsctl("list-br") == "br0\n"


@pytest.mark.parametrize("name", ["db.sock", "ovs-vswitchd.{pid}.ctl"])
def test_garbage_and_silence_on_a_socket_disturb_nobody(daemon: Daemon, name: str) -> None:
    path = str(daemon.rundir / name.format(pid=daemon.pid))
    silent = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    try:
        for connection in silent:
            connection.connect(path)
        for garbage in (b"\x00\xff" * 1000, b"[" * 5000, b'{"id":1}', b"{}" * 10, b'{"method":1,"params":2}'):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                client.settimeout(10)
                client.sendall(garbage)
                client.shutdown(socket.SHUT_WR)
                while client.recv(4096):
                    pass
        daemon.vsctl("add-br", "br0")
        daemon.appctl("version")
    finally:
        for connection in silent:
            connection.close()
    assert daemon.log_warnings() == []


def test_cleanup_leaves_nothing(host: Namespace, tmp_path: Path, lab: Lab) -> None:
    lab.cable(host, "eth1", lab.namespace("far"), "eth0")
    before = host.devices()
    daemon = Daemon(tmp_path / "d", host.name)
    with daemon:
        daemon.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1", "--", "add-br", "br1")
        for bridge, name, peer in (("br0", "a", "b"), ("br1", "b", "a")):
            patch = ("type=patch", f"options:peer={peer}")
            daemon.vsctl("add-port", bridge, name, "--", "set", "Interface", name, *patch)
        internal(daemon, "p1")
        assert "promiscuity 1" in host.ip("-d", "link", "show", "eth1")
        assert json.loads(daemon.unixctl("jackfield/plan")) == {"steps": []}
        daemon.stop(cleanup=True)
        assert host.devices() == before
        assert "promiscuity 0" in host.ip("-d", "link", "show", "eth1")
        assert not (Path("/sys/fs/bpf/jackfield") / instance_name(daemon.rundir)).exists()
        assert list(daemon.rundir.iterdir()) == []
        daemon.start()
        assert {"br0", "br1", "p1"} <= host.devices()
    assert host.devices() == before
    assert daemon.log_warnings() == []


def test_a_run_directory_may_have_a_long_path(host: Namespace, tmp_path: Path) -> None:
    with Daemon(tmp_path / ("x" * 120), host.name) as daemon:
        daemon.vsctl("add-br", "br0")
        assert daemon.appctl("ofproto/list") == "br0\n"


def detached(daemon: Daemon) -> subprocess.CompletedProcess[str]:
    return daemon.run(sys.executable, "-c", PROGRAM.replace("detach=False", "detach=True"))


def test_detached_it_returns_when_it_is_ready(host: Namespace, tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "d", host.name)
    started = detached(daemon)
    assert (started.returncode, started.stdout, started.stderr) == (0, "", "")
    daemon.vsctl("add-br", "br0")
    pid = daemon.pid
    waiting = os.pidfd_open(pid)
    daemon.appctl("exit", "--cleanup")
    until(lambda: not (daemon.rundir / "ovs-vswitchd.pid").exists(), what="the end")
    os.close(waiting)


def test_detached_it_fails_with_the_reason(daemon: Daemon) -> None:
    second = detached(daemon)
    assert second.returncode == 1
    assert "already running as pid" in second.stderr


def test_a_directory_that_cannot_be_made_is_said(host: Namespace, tmp_path: Path) -> None:
    (tmp_path / "d").write_text("a file")
    started = detached(Daemon(tmp_path / "d", host.name))
    assert started.returncode == 1
    assert re.fullmatch(r"ovs-vswitchd: .*/d/run: cannot make the directory \(.*\)\n", started.stderr)


FDB_ERRORS = {
    ("fdb/show",): '"fdb/show" command requires at least 1 arguments',
    ("fdb/show", "br0", "br1"): '"fdb/show" command takes at most 1 arguments',
    ("fdb/show", "nope"): "no such bridge",
    ("fdb/flush", "nope"): "no such bridge",
    ("fdb/stats-show", "nope"): "no such bridge",
    ("fdb/add", "br0", "p1", "0", "x"): "bad MAC address",
    ("fdb/add", "br0", "p1", "5000", "02:00:00:00:00:01"): 'bad VLAN "5000" (0 to 4095)',
    ("fdb/add", "br0", "p9", "0", "02:00:00:00:00:01"): (
        "software error, odp port is present but no ofp port"
    ),
    ("fdb/del", "br0", "0", "02:00:00:00:00:01"): "could not find static mac entry",
    ("nonsense",): (
        '"nonsense" is not a valid command (use "list-commands" to see a list of valid commands)'
    ),
    ("vlog/set", "nonsense"): 'no destination, level, or module "nonsense"',
    ("exit", "--now"): '"exit" takes no argument but --cleanup, not "--now"',
}


def test_control_commands_do_and_refuse_as_ovs_does(daemon: Daemon) -> None:
    daemon.vsctl("add-br", "br0")
    internal(daemon, "p1")
    internal(daemon, "p2")
    for words, text in FDB_ERRORS.items():
        refused = daemon.run("ovs-appctl", *words)
        assert (refused.returncode, refused.stderr.splitlines()) == (
            2,
            [text, "ovs-appctl: ovs-vswitchd: server returned an error"],
        )
    mac = "02:00:00:00:00:01"
    assert daemon.appctl("fdb/add", "br0", "p1", "5", mac) == ""
    assert daemon.appctl("fdb/add", "br0", "p1", "5", mac) == ""
    assert daemon.appctl("fdb/add", "br0", "p2", "5", mac) == (
        "Overriding already existing static entry on 1\n"
    )
    assert daemon.appctl("fdb/show", "br0").splitlines()[1:] == [f"    2     5  {mac}  static"]
    assert daemon.appctl("fdb/flush") == "table successfully flushed\n"
    assert "static" in daemon.appctl("fdb/show", "br0")
    assert daemon.appctl("fdb/stats-show", "br0").startswith(
        'Statistics for bridge "br0":\n'
        "  Current/maximum MAC entries in the table: 1/8192\n"
        "  Current static MAC entries in the table : 1\n"
    )
    assert daemon.appctl("fdb/stats-clear") == "statistics successfully cleared\n"
    assert daemon.appctl("fdb/del", "br0", "5", mac) == ""
    assert daemon.appctl("fdb/show", "br0") == " port  VLAN  MAC                Age\n"
    assert daemon.appctl("ofproto/list") == "br0\n"
    assert re.fullmatch(
        r"system@ovs-system: hit:\d+ missed:0\n  br0:\n    br0 65534/\d+: \(internal\)\n"
        r"    p1 1/\d+: \(internal\)\n    p2 2/\d+: \(internal\)\n",
        daemon.appctl("dpif/show"),
    )
    assert "bridges:1" in daemon.appctl("memory/show")
    assert daemon.appctl("coverage/show").startswith("Event coverage, avg rate over last: 5 seconds")


def test_a_hundred_ports_fit_in_80_megabytes(daemon: Daemon) -> None:
    words = ["add-br", "br0"]
    for number in range(100):
        words += f"-- add-port br0 p{number} tag={number} -- set Interface p{number} type=internal".split()
    daemon.vsctl(*words)
    assert daemon.resident_kb() < 80_000


def test_managers_in_the_database_are_served_and_told_how_they_stand(daemon: Daemon) -> None:
    daemon.vsctl("set-manager", "punix:manager.sock")
    remote = f"--db=unix:{daemon.rundir}/manager.sock"
    daemon.vsctl("--retry", remote, "add-br", "br0")
    assert daemon.vsctl("list-br") == "br0\n"
    daemon.vsctl("wait-until", "Manager", ".", "is_connected=false")
    daemon.vsctl("set-manager", "pssl:16641:127.0.0.1")  # without files for TLS: it says so and goes on
    until(lambda: any("Private key must be configured" in line for line in daemon.log_warnings()))
    daemon.vsctl("del-manager")
    assert not (daemon.rundir / "manager.sock").exists()
