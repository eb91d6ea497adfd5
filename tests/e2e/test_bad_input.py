"""What must not be: each gets one clear sentence and the right exit code, and nothing else stops."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.switch import Switch
from tests.netlab import until

DAEMON = "import os, sys; from jackfield.switchd.main import run; os.setuid({}); sys.exit(run(detach={}))"


@pytest.fixture
def bridges(switch: Switch) -> Iterator[Switch]:
    """Bridges br0, with card eth1 and a steady ping from the host to its neighbour, and br1."""
    neighbour = switch.lab.namespace("neighbour")
    switch.lab.cable(switch.host, "eth1", neighbour, "eth0")
    neighbour.up("eth0", "10.0.0.2/24")
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1", "--", "add-br", "br1")
    switch.up("br0", "10.0.0.1/24")
    switch.host.ping("10.0.0.2")
    with switch.host.pinging("10.0.0.2") as lost:
        yield switch
        assert lost() == 0
    assert switch.vsctl("list-br").split() == ["br0", "br1"]
    assert "eth1" in switch.vsctl("list-ports", "br0").split()


REFUSED = [
    pytest.param(
        "set Port eth1 tag=5000",
        "ovs-vsctl: constraint violation: 5000 is not in the valid range 0 to 4095 (inclusive)",
        id="a VLAN that cannot be",
    ),
    pytest.param(
        "set Port eth1 trunks=1,5000",
        "ovs-vsctl: constraint violation: 5000 is not in the valid range 0 to 4095 (inclusive)",
        id="a trunk that cannot be",
    ),
    pytest.param(
        "add-br br0",
        "ovs-vsctl: cannot create a bridge named br0 because a bridge named br0 already exists",
        id="a bridge twice",
    ),
    pytest.param(
        "add-port br0 eth1",
        "ovs-vsctl: cannot create a port named eth1 because a port named eth1 already exists on bridge br0",
        id="a port twice",
    ),
    pytest.param(
        "add-port br1 eth1",
        "ovs-vsctl: cannot create a port named eth1 because a port named eth1 already exists on bridge br0",
        id="a device on two bridges",
    ),
    pytest.param(
        "add-port br0 br1",
        "ovs-vsctl: cannot create a port named br1 because a bridge named br1 already exists",
        id="a port named like a bridge",
    ),
    pytest.param(
        "add-br eth1",
        "ovs-vsctl: cannot create a bridge named eth1 because a port named eth1 already exists on bridge br0",
        id="a bridge named like a port",
    ),
    pytest.param("add-port br7 tap7", "ovs-vsctl: no bridge named br7", id="a bridge that is not there"),
    pytest.param("del-port tap7", "ovs-vsctl: no port named tap7", id="a port that is not there"),
    pytest.param(
        "set Port eth1 colour=red",
        'ovs-vsctl: Port does not contain a column whose name matches "colour"',
        id="a column that is not there",
    ),
    pytest.param(
        "set Port eth1 vlan_mode=sideways",
        "ovs-vsctl: constraint violation: sideways is not one of the allowed values"
        " ([access, dot1q-tunnel, native-tagged, native-untagged, trunk])",
        id="a VLAN mode that is not there",
    ),
]


@pytest.mark.parametrize(("command", "sentence"), REFUSED)
def test_ovs_vsctl_refuses(bridges: Switch, command: str, sentence: str) -> None:
    before = bridges.vsctl("show")
    done = bridges.try_vsctl(*command.split())
    assert (done.stdout, done.stderr.strip(), done.returncode) == ("", sentence, 1)
    assert bridges.vsctl("show") == before


def test_br_exists_says_no_with_2(bridges: Switch) -> None:
    assert bridges.try_vsctl("br-exists", "br0").returncode == 0
    assert bridges.try_vsctl("br-exists", "br7").returncode == 2


NOT_HAD = [
    pytest.param(
        "add-port br0 a-name-of-16-byt -- set Interface a-name-of-16-byt type=internal",
        "a-name-of-16-byt",
        "15 bytes",
        id="a name of 16 bytes",
    ),
    pytest.param("add-port br0 nosuch", "nosuch", "No such device", id="an unknown device"),
    pytest.param(
        "add-port br0 gre0 -- set Interface gre0 type=gre options:remote_ip=10.9.9.9",
        "gre0",
        'type "gre"',
        id="a type that is not supported",
    ),
    pytest.param("add-port br0 lo", "lo", "not an Ethernet device", id="a device that is no Ethernet"),
    pytest.param(
        "add-port br0 p -- set Interface p type=patch", "p", "peer", id="a patch port without a peer"
    ),
]


@pytest.mark.parametrize(("command", "name", "reason"), NOT_HAD)
def test_an_interface_that_cannot_be_had_says_why(
    bridges: Switch, command: str, name: str, reason: str
) -> None:
    done = bridges.try_vsctl(*command.split())
    assert done.returncode == 0
    first = done.stderr.splitlines()[0]
    assert first.startswith(f"ovs-vsctl: Error detected while setting up '{name}': ")
    assert reason in first
    assert bridges.get("Interface", name, "ofport") == "-1"
    assert reason in bridges.get("Interface", name, "error").replace("\\", "")
    bridges.vsctl("del-port", name)


def test_a_bridge_with_a_name_of_16_bytes_says_why(bridges: Switch) -> None:
    done = bridges.try_vsctl("add-br", "a-name-of-16-byt")
    assert "15 bytes" in done.stderr.splitlines()[0]
    bridges.vsctl("del-br", "a-name-of-16-byt")


def test_members_of_a_bond_that_are_not_there_are_named_each_in_its_row(bridges: Switch) -> None:
    done = bridges.try_vsctl("add-bond", "br0", "bond0", "eth8", "eth9")
    assert "could not open network device eth8 (No such device)" in done.stderr
    for name in ("eth8", "eth9"):
        assert "No such device" in bridges.get("Interface", name, "error")
    bridges.vsctl("del-port", "bond0")


def test_a_tag_on_a_trunk_port_has_no_effect_on_others(bridges: Switch) -> None:
    bridges.vsctl("set", "Port", "br0", "vlan_mode=trunk", "tag=10")
    bridges.host.ping("10.0.0.2")
    bridges.vsctl("clear", "Port", "br0", "vlan_mode", "tag")


def sockets(switch: Switch) -> list[Path]:
    rundir = switch.daemon.rundir
    return [rundir / "db.sock", rundir / f"ovs-vswitchd.{switch.daemon.pid}.ctl"]


GARBAGE = [
    b"GET / HTTP/1.0\r\n\r\n",
    bytes(range(256)) * 16,
    b'{"id": 1}',
    b"[" * 100_000,
    b'{"method": 7, "params": null, "id": []}',
    b'{"method": "transact", "params": ["Open_vSwitch", 5, {"op": "ruin"}], "id": 0}',
    b'{"method": "monitor", "params": ["Open_vSwitch", null, {"Bridge": 3}], "id": 0}',
    b'{"method": "nothing", "params": [], "id": 0}',
    b'{"method": "fdb/show", "params": [{}, 3], "id": 0}',
    b'"' + b"x" * 3_000_000,
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: repr(garbage[:24]))
def test_garbage_on_a_socket_harms_nobody_else(bridges: Switch, garbage: bytes) -> None:
    pid = bridges.daemon.pid
    for path in sockets(bridges):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(path))
            try:
                client.sendall(garbage)
                client.shutdown(socket.SHUT_WR)
                while client.recv(1 << 16):
                    pass
            except (BrokenPipeError, ConnectionResetError):
                pass  # hung up on, which is an answer too
    assert bridges.vsctl("list-br").split() == ["br0", "br1"]
    bridges.appctl("fdb/show", "br0")
    assert bridges.daemon.pid == pid
    assert "Traceback" not in bridges.daemon.output() + "\n".join(bridges.daemon.log())


def test_clients_that_say_nothing_or_half_a_word_keep_nobody_waiting(bridges: Switch) -> None:
    silent = []
    for path in sockets(bridges) * 20:
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(path))
        silent.append(client)
    for client in silent[::2]:
        client.sendall(b'{"method": "echo", "par')
    bridges.internal("br1", "tap1")
    bridges.appctl("fdb/show", "br1")
    for client in silent:
        client.close()


def start(
    switch: Switch, *enter: str, root: Path, detach: bool = True, user: int = 0
) -> subprocess.CompletedProcess[str]:
    """Starts a daemon with directories under `root`, for the moment that it takes to fail. A `user` other
    than root gets its rights when the code, which only root may be able to read, is loaded."""
    settings = [f"OVS_{what}DIR={root / what.lower()}" for what in ("RUN", "DB", "LOG")]
    argv = [*enter, "env", *settings, sys.executable, "-c", DAEMON.format(user, detach)]
    return switch.host.run(*argv, check=False)


@pytest.mark.parametrize("detach", [False, True], ids=["in the foreground", "detached"])
def test_a_second_daemon_on_the_same_directories_is_refused(bridges: Switch, detach: bool) -> None:
    done = start(bridges, detach=detach, root=bridges.daemon.root)
    assert done.returncode == 1
    assert done.stdout == ""
    sentence = rf"ovs-vswitchd: \S+\.pid: already running as pid {bridges.daemon.pid}, aborting.*\n"
    assert re.fullmatch(sentence, done.stderr)
    bridges.appctl("version")


def test_without_root_the_daemon_says_so(bridges: Switch, tmp_path: Path) -> None:
    assert_one_sentence(start(bridges, root=tmp_path, user=65534), "root")


def test_without_the_right_to_use_bpf_the_daemon_says_so(bridges: Switch, tmp_path: Path) -> None:
    less = ("setpriv", "--bounding-set=-bpf,-sys_admin,-perfmon", "--inh-caps=-all")
    assert_one_sentence(start(bridges, *less, root=tmp_path), "CAP_BPF")


def assert_one_sentence(done: subprocess.CompletedProcess[str], word: str) -> None:
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("ovs-vswitchd: ")
    assert word in done.stderr


def test_without_a_daemon_the_tools_say_so_and_do_not_hang(switch: Switch, tmp_path: Path) -> None:
    asked = switch.host.run("env", f"OVS_RUNDIR={tmp_path}", "ovs-vsctl", "--timeout=1", "show", check=False)
    assert asked.returncode != 0
    asked = switch.host.run("env", f"OVS_RUNDIR={tmp_path}", "ovs-appctl", "version", check=False)
    assert asked.returncode == 1
    assert "ovs-vswitchd.pid" in asked.stderr


def test_control_commands_with_wrong_words_are_refused_with_a_sentence(bridges: Switch) -> None:
    for words, sentence in (
        (("fdb/show", "br7"), "no such bridge"),
        (("fdb/show",), '"fdb/show" command requires at least 1 arguments'),
        (("fdb/show", "br0", "br1"), '"fdb/show" command takes at most 1 arguments'),
        (("no/such",), '"no/such" is not a valid command'),
    ):
        done = bridges.daemon.run("ovs-appctl", *words)
        assert done.returncode == 2
        assert done.stderr.startswith(sentence)
    until(lambda: bridges.appctl("version"), what="an answer")


@pytest.mark.parametrize("mtu", [20, 70000])
def test_an_mtu_that_no_port_can_have_is_an_error_of_that_port_alone(bridges: Switch, mtu: int) -> None:
    for name in ("tap1", "tap2"):
        bridges.internal("br0", name)
    bridges.vsctl("set", "Interface", "tap1", f"mtu_request={mtu}")
    assert f"could not set the MTU of tap1 to {mtu}" in bridges.get("Interface", "tap1", "error")
    for name in ("br0", "tap1", "tap2"):
        assert bridges.get("Interface", name, "mtu") == "1500"
        assert bridges.get("Interface", name, "ofport") != "-1"
    for name in ("br0", "tap2"):
        assert bridges.get("Interface", name, "error") == "[]"
    bridges.vsctl("clear", "Interface", "tap1", "mtu_request")
    assert bridges.get("Interface", "tap1", "error") == "[]"
    for name in ("tap1", "tap2"):
        bridges.vsctl("del-port", name)
