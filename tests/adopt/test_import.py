"""A Linux bridge onto the switch, while a stream of numbers runs through it."""

from __future__ import annotations

import socket

import pytest

from jackfield.adopt.equivalents import bridge_problems, port_problems, vlan_columns
from jackfield.net import bridge as lb
from jackfield.net.bridge import BridgePort, BridgeSettings, BridgeVlan
from tests.adopt.hosts import bridge_now, deaf_gateway, elaborate
from tests.adopt.world import HOST, SERVER, Stream, World, differences, kill
from tests.netlab import Namespace, until


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def test_a_linux_bridge_is_taken_over_and_no_connection_notices(
    bridged: World, inside: Namespace, family: int
) -> None:
    world = bridged
    world.host.ip("link", "set", "lan0", "type", "bridge", "ageing_time", "6000")
    world.host.run("bridge", "fdb", "add", "02:00:00:00:00:99", "dev", "jftp1", "master", "static")
    before, mac = world.layer3("lan0"), world.host.mac("lan0")
    with Stream(world, family) as stream:
        said = world.jackfield("import-bridge", "lan0")
        assert said.startswith("lan0 is bridge lan0 of the switch, with eth0, jftp1\nasking ")
        stream.goes_on()
        assert world.mac_the_router_knows() == world.host.mac("lan0")
    assert differences(before, world.layer3("lan0")) == []
    assert world.host.mac("lan0") == mac
    assert not [each for each in world.host.devices() if each.startswith("jfold")]
    assert set(world.daemon.vsctl("list-ports", "lan0").split()) == {"eth0", "jftp1"}
    assert 'mac-aging-time="60"' in world.daemon.vsctl("get", "Bridge", "lan0", "other_config")
    assert "02:00:00:00:00:99  static" in world.daemon.unixctl("fdb/show", "lan0")
    inside.ping(HOST)
    inside.ping(SERVER)


def test_a_linux_bridge_is_taken_over_under_another_name(bridged: World, inside: Namespace) -> None:
    before = bridged.layer3("lan0")
    with Stream(bridged) as stream:
        bridged.jackfield("import-bridge", "lan0", "--to", "br0")
        stream.goes_on()
    assert bridged.layer3("br0") == before
    assert "lan0" not in bridged.host.devices()
    inside.ping(HOST)


def test_a_linux_bridge_is_put_back_when_nobody_answers(bridged: World, inside: Namespace) -> None:
    world = bridged
    elaborate(world, "lan0")
    world.host.ip("link", "set", "jftp1", "type", "bridge_slave", "isolated", "on", "priority", "7")
    world.host.run("bridge", "fdb", "add", "02:00:00:00:00:99", "dev", "jftp1", "master", "static")
    before, layer3 = bridge_now(world), world.layer3("lan0")
    with Stream(world) as stream:
        with deaf_gateway(world):
            said = world.jackfield("import-bridge", "lan0", "--confirm-timeout", "1", code=1)
        assert "has not answered through lan0 within 1 seconds. Everything is as it was before." in said
        stream.goes_on()
    assert differences(before, bridge_now(world)) == []
    assert differences(layer3, world.layer3("lan0")) == []
    assert world.daemon.vsctl("list-br") == ""
    assert inside


@pytest.mark.parametrize("stage", ["old name", "new bridge", "no port", "moved"])
def test_a_takeover_killed_in_the_middle_is_put_back(bridged: World, stage: str) -> None:
    world = bridged
    elaborate(world, "lan0")
    before, layer3 = bridge_now(world), world.layer3("lan0")
    stages = {
        "old name": lambda: any(name.startswith("jfold") for name in world.host.devices()),
        "new bridge": lambda: world.daemon.vsctl("list-br") == "lan0\n",
        "no port": lambda: "master" not in world.host.ip("link", "show", "jftp1"),
        "moved": lambda: world.daemon.vsctl("list-ports", "lan0") != "" if stages["no port"]() else False,
    }
    with Stream(world) as stream, deaf_gateway(world):
        command = world.start("import-bridge", "lan0", "--confirm-timeout", "30")
        until(stages[stage], what=stage, deadline=20)
        kill(command)
        until(lambda: not world.record("lan0").exists(), what="the way back", deadline=30)
        stream.goes_on()
        assert world.mac_the_router_knows() == world.host.mac("lan0")
    assert differences(before, bridge_now(world)) == []
    assert differences(layer3, world.layer3("lan0")) == []


REFUSALS = [
    (["link", "set", "lan0", "type", "bridge", "stp_state", "1"], "lan0 has spanning tree"),
    (
        ["link", "set", "lan0", "type", "bridge", "ageing_time", "0"],
        "lan0 has an ageing time of 0 s (it can be 15 to 3600 s)",
    ),
    (["link", "set", "jftp1", "type", "bridge_slave", "hairpin", "on"], "jftp1 has hairpin mode"),
    (["link", "set", "eth0", "type", "bridge_slave", "learning", "off"], "eth0 has learning turned off"),
    (["link", "add", "jftmv", "link", "lan0", "type", "macvlan"], "lan0: jftmv sits on it"),
]


@pytest.mark.parametrize(("words", "sentence"), REFUSALS, ids=lambda value: str(value)[-40:])
def test_what_has_no_equivalent_is_refused_by_name(bridged: World, words: list[str], sentence: str) -> None:
    bridged.host.ip(*words)
    try:
        before = bridge_now(bridged)
        assert sentence in bridged.jackfield("import-bridge", "lan0", code=1)
        assert differences(before, bridge_now(bridged)) == []
    finally:
        bridged.host.run("ip", "link", "delete", "jftmv", check=False)


def test_names_that_are_wrong_are_refused(bridged: World) -> None:
    said = bridged.jackfield("import-bridge", "eth0", code=1)
    assert "eth0: it is not a Linux bridge" in said
    assert "nosuch: there is no such network device" in bridged.jackfield("import-bridge", "nosuch", code=1)
    bridged.daemon.vsctl("add-br", "br8")
    said = bridged.jackfield("import-bridge", "lan0", "--to", "br8", code=1)
    assert "br8: the switch has a bridge or port of that name already" in said
    assert "eth0: a network device" in bridged.jackfield("import-bridge", "lan0", "--to", "eth0", code=1)


def test_vlans_of_a_port_in_the_switchs_words() -> None:
    one = BridgeVlan(1, pvid=True, untagged=True)
    assert vlan_columns([one]) == {"tag": 1}
    assert vlan_columns([one, BridgeVlan(5)]) == {"tag": 1, "vlan_mode": "native-untagged", "trunks": [1, 5]}
    assert vlan_columns([BridgeVlan(4, pvid=True)]) == {"tag": 4, "vlan_mode": "native-tagged", "trunks": [4]}
    assert vlan_columns([BridgeVlan(4), BridgeVlan(5)]) == {"trunks": [4, 5]}
    everything = [one, *(BridgeVlan(vid) for vid in range(2, 4095))]
    assert vlan_columns(everything) == {"tag": 1, "vlan_mode": "native-untagged"}


def test_vlans_without_an_equivalent_are_named() -> None:
    port = BridgePort(3, "eth9", (), (BridgeVlan(1, pvid=True, untagged=True), BridgeVlan(7, untagged=True)))
    assert port_problems(port, filtering=True) == ["VLAN 7 sent untagged besides the port's own"]
    assert port_problems(port, filtering=False) == []
    assert port_problems(BridgePort(3, "eth9"), filtering=True) == ["no VLAN at all"]
    tunnel = BridgePort(3, "eth9", ((lb.VLAN_TUNNEL, b"\1"),))
    assert port_problems(tunnel, filtering=False) == ["VLAN tunnels"]
    service = ((lb.VLAN_FILTERING, b"\1"), (lb.VLAN_PROTOCOL, b"\x88\xa8"), (lb.AGEING_TIME, b"\x30\x75\0\0"))
    assert bridge_problems(BridgeSettings(service, (BridgeVlan(1, True, True),))) == ["VLANs of 802.1ad"]
