"""Debian's stanzas for Open vSwitch in /etc/network/interfaces: its hook script, unchanged, on our switch."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.daemon import Daemon
from tests.datapath.world import run

HOOK = "/etc/network/if-pre-up.d/openvswitch"


class Hook:
    """Runs the hook as ifup and ifdown do: a stanza's options are environment variables."""

    def __init__(self, daemon: Daemon, netns: str, stubs: Path) -> None:
        # The hook starts Open vSwitch's own service when there is none: not on the machine of the test.
        stubs.mkdir()
        for name in ("systemctl", "service"):
            (stubs / name).write_text("#!/bin/sh\nexit 0\n")
            (stubs / name).chmod(0o755)
        self._environment = daemon.environment | {"PATH": f"{stubs}:/usr/sbin:/usr/bin:/sbin:/bin"}
        self._netns = netns

    def __call__(self, mode: str, iface: str, **options: str) -> str:
        stanza = {f"IF_OVS_{name.upper()}": value for name, value in options.items()}
        done = subprocess.run(
            ["ip", "netns", "exec", self._netns, "sh", HOOK],
            env=self._environment | {"MODE": mode, "IFACE": iface} | stanza,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0
        return done.stderr


@pytest.fixture
def daemon(tmp_path: Path, host: str) -> Daemon:
    return Daemon(tmp_path / "switch", netns=host)


def test_bridges_and_ports_come_and_go_by_stanzas(daemon: Daemon, host: str, tmp_path: Path) -> None:
    run("ip", "-n", host, "link", "add", "jftn0", "type", "veth", "peer", "name", "jftn1")
    with daemon:
        hook = Hook(daemon, host, tmp_path / "stubs")
        assert not hook(
            "start", "br0", type="OVSBridge", extra="set Bridge ${IFACE} other_config:mac-aging-time=60"
        )
        assert not hook("start", "jftn0", type="OVSPort", bridge="br0", options="tag=10")
        assert not hook("start", "vlan20", type="OVSIntPort", bridge="br0", options="tag=20")
        assert not hook("start", "patch0", type="OVSPatchPort", bridge="br0", patch_peer="patch1")
        assert daemon.vsctl("list-ports", "br0").split() == ["jftn0", "patch0", "vlan20"]
        assert daemon.vsctl("get", "Port", "vlan20", "tag").strip() == "20"
        assert daemon.vsctl("get", "Bridge", "br0", "other_config:mac-aging-time").strip() == '"60"'
        assert "UP" in run("ip", "-n", host, "link", "show", "vlan20")
        for name, kind in (("vlan20", "OVSIntPort"), ("jftn0", "OVSPort"), ("patch0", "OVSPatchPort")):
            assert not hook("stop", name, type=kind, bridge="br0")
        assert daemon.vsctl("list-ports", "br0") == ""
        assert not hook("stop", "br0", type="OVSBridge")
        assert daemon.vsctl("list-br") == ""


def test_a_bond_has_a_device_of_its_name(daemon: Daemon, host: str, tmp_path: Path) -> None:
    for number in range(2):
        run("ip", "-n", host, "link", "add", f"jftn{number}", "type", "veth", "peer", "name", f"jftf{number}")
    with daemon:
        hook = Hook(daemon, host, tmp_path / "stubs")
        hook("start", "br0", type="OVSBridge")
        assert not hook("start", "bond0", type="OVSBond", bridge="br0", bonds="jftn0 jftn1")
        assert "LOWER_UP" in run("ip", "-n", host, "link", "show", "bond0")
        assert daemon.vsctl("list-ifaces", "br0").split() == ["jftn0", "jftn1"]
        assert daemon.vsctl("get", "Port", "bond0", "status").strip() == "{}"
        daemon.restart()
        assert "LOWER_UP" in run("ip", "-n", host, "link", "show", "bond0")
        assert not hook("stop", "bond0", type="OVSBond", bridge="br0")
        assert " bond0" not in run("ip", "-n", host, "link")


def test_a_bond_s_device_does_not_take_the_name_of_another(daemon: Daemon, host: str) -> None:
    for name, other in (("bond0", "jftb1"), ("jftn0", "jftf0"), ("jftn1", "jftf1")):
        run("ip", "-n", host, "link", "add", name, "type", "veth", "peer", "name", other)
    with daemon:
        daemon.vsctl("add-br", "br0", "--", "--fake-iface", "add-bond", "br0", "bond0", "jftn0", "jftn1")
        assert "bond0 (it exists and is not the switch's)" in daemon.vsctl("get", "Port", "bond0", "status")
        assert "bond0@jftb1" in run("ip", "-n", host, "link")
        assert daemon.vsctl("list-ifaces", "br0").split() == ["jftn0", "jftn1"]


def test_a_tunnel_is_refused_in_its_row(daemon: Daemon, host: str, tmp_path: Path) -> None:
    with daemon:
        hook = Hook(daemon, host, tmp_path / "stubs")
        hook("start", "br0", type="OVSBridge")
        hook(
            "start", "gre0", type="OVSTunnel", bridge="br0", tunnel_type="gre", tunnel_options="options:key=1"
        )
        assert "is none of" in daemon.vsctl("get", "Interface", "gre0", "error")
