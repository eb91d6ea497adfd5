"""Attaching network namespaces, by name and by process: what needs no container engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.containers.conftest import World
from tests.netlab import Namespace, run, until


def netns(namespace: Namespace) -> str:
    return f"netns:{namespace.name}"


def test_an_attached_namespace_has_what_was_asked_for(world: World) -> None:
    one, two = world.switch.lab.namespace("one"), world.switch.lab.namespace("two")
    world.do("attach", netns(one), "br0", "--ip", "10.0.0.1/24", "--ip", "fd00::1/64", "--tag", "100")
    said = world.do(
        *("attach", netns(two), "br0", "--ip", "10.0.0.2/24", "--gw", "10.0.0.1", "--tag", "100"),
        *("--route", "10.9.0.0/16=10.0.0.254", "--mac", "02:00:00:00:00:02", "--mtu", "1400"),
        *("--ifname", "net0", "--port", "jftport"),
    )
    assert said == (f"{two.name} attached net0: port jftport of br0, MAC 02:00:00:00:00:02, 10.0.0.2/24\n")
    assert two.mac("net0") == "02:00:00:00:00:02"
    assert two.read("net0", "mtu") == "1400"
    assert "default via 10.0.0.1 dev net0" in two.ip("route")
    assert "10.9.0.0/16 via 10.0.0.254 dev net0" in two.ip("route")
    assert two.pings("10.0.0.1")
    assert world.switch.get("Port", "jftport", "tag") == "100"
    ids = world.switch.get("Interface", "jftport", "external_ids")
    assert f"container_id={two.name}, container_iface=net0" in ids
    assert 'attached-mac="02:00:00:00:00:02"' in ids


def test_an_attachment_can_be_taken_back(world: World) -> None:
    one = world.switch.lab.namespace("one")
    world.do("attach", netns(one), "br0", "--ip", "10.0.0.1/24")
    world.do("attach", netns(one), "br0", "--ifname", "eth2")
    assert one.devices() == {"lo", "eth1", "eth2"}
    assert world.do("detach", netns(one), "--ifname", "eth1") == f"{one.name}: detached eth1\n"
    assert one.devices() == {"lo", "eth2"}
    world.do("detach", netns(one))
    assert one.devices() == {"lo"}
    assert world.ports() == []
    assert world.do("attachments").startswith("nothing is attached")
    assert world.refuses("detach", netns(one)).startswith(f"nothing is attached of {netns(one)}")


def test_the_same_command_again_changes_nothing(world: World) -> None:
    one = world.switch.lab.namespace("one")
    command = (
        "attach",
        netns(one),
        "br0",
        "--ip",
        "10.0.0.1/24",
        "--gw",
        "10.0.0.254",
        "--tag",
        "7",
        "--json",
    )
    first = json.loads(world.do(*command))
    before = (world.configuration(), one.ip("link"), one.ip("route"))
    second = json.loads(world.do(*command))
    assert (first.pop("changed"), second.pop("changed")) == (True, False)
    assert first == second
    assert (world.configuration(), one.ip("link"), one.ip("route")) == before


def test_the_same_command_repairs_what_is_missing(world: World) -> None:
    one = world.switch.lab.namespace("one")
    command = ("attach", netns(one), "br0", "--ip", "10.0.0.1/24", "--gw", "10.0.0.254")
    world.do(*command)
    one.ip("link", "set", "eth1", "down")
    world.do(*command)
    assert "default via 10.0.0.254" in one.ip("route")


def test_another_wish_changes_the_attachment(world: World) -> None:
    one, two = world.switch.lab.namespace("one"), world.switch.lab.namespace("two")
    world.do("attach", netns(two), "br0", "--ip", "10.0.1.2/24", "--tag", "9")
    world.do(
        "attach",
        netns(one),
        "br0",
        "--port",
        "jftone",
        "--ip",
        "10.0.0.1/24",
        "--gw",
        "10.0.0.254",
        "--tag",
        "7",
    )
    index = one.read("eth1", "ifindex")
    world.do(
        "attach", netns(one), "br0", "--port", "jftone", "--ip", "10.0.1.1/24", "--tag", "9", "--mtu", "1300"
    )
    assert one.read("eth1", "ifindex") == index
    assert one.read("eth1", "mtu") == "1300"
    assert "10.0.0." not in one.ip("address") + one.ip("route")
    assert one.pings("10.0.1.2")
    world.do(
        "attach",
        netns(one),
        "br0",
        "--port",
        "jftone",
        "--ip",
        "10.0.1.1/24",
        "--trunks",
        "9,20-22",
        "--veth",
    )
    assert world.switch.get("Port", "jftone", "trunks") == "[9, 20, 21, 22]"
    assert one.read("eth1", "ifindex") != index


def test_a_veth_pair_serves_as_well(world: World) -> None:
    one, two = world.switch.lab.namespace("one"), world.switch.lab.namespace("two")
    world.do("attach", netns(one), "br0", "--ip", "10.0.0.1/24", "--veth", "--port", "jftone")
    world.do("attach", netns(two), "br0", "--ip", "10.0.0.2/24")
    one.ping("10.0.0.2")
    assert world.switch.get("Interface", "jftone", "type") == ""
    world.do("detach", netns(one))
    assert "jftone" not in world.switch.host.devices()


def test_an_interface_gives_way_and_is_put_back(world: World) -> None:
    one, two = world.switch.lab.namespace("one"), world.switch.lab.namespace("two")
    world.switch.lab.cable(one, "eth0", world.switch.lab.namespace("other"), "peer")
    one.ip("address", "add", "172.16.0.2/24", "dev", "eth0")
    one.ip("route", "add", "default", "via", "172.16.0.1")
    one.ip("route", "add", "198.51.100.0/24", "via", "172.16.0.9", "metric", "50")
    before = (one.mac("eth0"), sorted(one.ip("route").split("\n")), one.ip("-4", "-o", "address"))
    world.do("attach", netns(two), "br0", "--ip", "10.0.0.2/24")
    refused = world.refuses("attach", netns(one), "br0", "--ifname", "eth0", "--ip", "10.0.0.1/24")
    assert "has an interface eth0 already" in refused
    world.do(
        *("attach", netns(one), "br0", "--ifname", "eth0", "--replace"),
        *("--ip", "10.0.0.1/24", "--gw", "10.0.0.254"),
    )
    assert one.mac("eth0") != before[0]
    assert one.ip("route", "show", "default") == "default via 10.0.0.254 dev eth0 \n"
    assert one.pings("10.0.0.2")
    world.do("detach", netns(one))
    assert (one.mac("eth0"), sorted(one.ip("route").split("\n")), one.ip("-4", "-o", "address")) == before


def test_an_address_is_given_once_in_a_vlan(world: World) -> None:
    one, two = world.switch.lab.namespace("one"), world.switch.lab.namespace("two")
    world.do("attach", netns(one), "br0", "--ip", "10.0.0.1/24", "--tag", "10")
    refused = world.refuses("attach", netns(two), "br0", "--ip", "10.0.0.1/16", "--tag", "10")
    assert refused == f"10.0.0.1 is the address of {one.name} (eth1) on bridge br0 already"
    world.do("attach", netns(two), "br0", "--ip", "10.0.0.1/24", "--tag", "11")


@pytest.mark.parametrize(
    "words, sentence",
    [
        (("netns:jft-none", "br0"), "there is no network namespace /run/netns/jft-none"),
        (("netns:ONE", "br1"), "there is no bridge br1"),
        (
            ("netns:ONE", "br0", "--ip", "10.0.0.1"),
            "10.0.0.1: an address comes with the length of its prefix",
        ),
        (("netns:ONE", "br0", "--ip", "10.0.0.300/24"), '"10.0.0.300" is not an IP address'),
        (("netns:ONE", "br0", "--ip", "10.0.0.1/24", "--gw", "10.1.0.1"), "gateway 10.1.0.1 is in no subnet"),
        (("netns:ONE", "br0", "--route", "10.0.0.0/8"), '"10.0.0.0/8" is not a route'),
        (("netns:ONE", "br0", "--mac", "01:00:00:00:00:01"), "is not the MAC address of a station"),
        (("netns:ONE", "br0", "--mtu", "20"), "the MTU 20 is none that a port can have"),
        (("netns:ONE", "br0", "--tag", "4095"), "4095 is not a VLAN"),
        (("netns:ONE", "br0", "--ifname", "a/b"), 'no interface can have the name "a/b"'),
        (("netns:ONE", "br0", "--port", "br0"), "there is a port br0 already"),
        (("netns:ONE", "br0", "--ifname", "lo"), "lo is the loopback interface"),
        (("netns:HOST", "br0"), "uses this host's own network"),
        (("pid:x", "br0"), '"x" is not the number of a process'),
        (("pid:999999999", "br0"), "there is no process 999999999"),
    ],
)
def test_what_cannot_be_is_refused(world: World, words: tuple[str, ...], sentence: str) -> None:
    one = world.switch.lab.namespace("one")
    words = tuple(word.replace("ONE", one.name).replace("HOST", world.switch.host.name) for word in words)
    refused = world.refuses("attach", *words)
    assert sentence in refused
    assert one.devices() == {"lo"}


def test_a_pair_takes_no_name_that_a_device_has(world: World) -> None:
    one, host = world.switch.lab.namespace("one"), world.switch.host
    world.switch.lab.cable(host, "jftother", world.switch.lab.namespace("other"), "eth0")
    refused = world.refuses("attach", netns(one), "br0", "--veth", "--port", "jftother")
    assert refused == "there is a network device jftother already; --port gives another name"
    assert "jftother" in host.devices() and one.devices() == {"lo"}


def test_where_no_switch_runs_nothing_can_be_attached(world: World, tmp_path: Path) -> None:
    one = world.switch.lab.namespace("one")
    done = world.run("attach", netns(one), "br0", OVS_RUNDIR=str(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stderr.startswith("jackfield: no switch runs here; `jackfield daemon --detach` starts one (")


def test_a_process_is_attached_while_it_lives(world: World) -> None:
    with world.switch.container() as pid:
        world.do("attach", f"pid:{pid}", "br0", "--ip", "10.0.0.1/24")
        world.agent_pid()
        (port,) = world.ports()
        assert port == f"{pid}-eth1"
    until(lambda: world.ports() == [], what="the port of a process that ended to go")
    assert world.attachments() == []


def test_a_namespace_that_comes_back_gets_its_port_back(world: World) -> None:
    one, two = world.switch.lab.namespace("one"), world.switch.lab.namespace("two")
    world.do("attach", netns(one), "br0", "--ip", "10.0.0.1/24", "--tag", "5")
    world.do("attach", netns(two), "br0", "--ip", "10.0.0.2/24", "--tag", "5")
    mac = one.mac("eth1")
    world.agent_pid()
    run("ip", "netns", "delete", one.name)
    until(lambda: len(world.ports()) == 1, what="the port of a namespace that is gone to go")
    assert world.states() == {one.name: "waiting for it to start", two.name: "attached"}
    third = world.switch.lab.namespace("three")
    assert "10.0.0.1 is the address of" in world.refuses(
        "attach", netns(third), "br0", "--ip", "10.0.0.1/24", "--tag", "5"
    )
    run("ip", "netns", "add", one.name)
    two.ping("10.0.0.1")
    assert one.mac("eth1") == mac


def test_attachments_outlive_the_daemon(world: World) -> None:
    one, two = world.switch.lab.namespace("one"), world.switch.lab.namespace("two")
    world.do("attach", netns(one), "br0", "--ip", "10.0.0.1/24")
    world.do("attach", netns(two), "br0", "--ip", "10.0.0.2/24")
    index = one.read("eth1", "ifindex")
    world.switch.daemon.stop()
    run("ip", "netns", "delete", two.name)
    run("ip", "netns", "add", two.name)
    world.switch.daemon.start()
    one.ping("10.0.0.2")
    assert one.read("eth1", "ifindex") == index


def test_devices_that_are_made_anew_get_their_addresses(world: World) -> None:
    one, two = world.switch.lab.namespace("one"), world.switch.lab.namespace("two")
    world.do("attach", netns(one), "br0", "--ip", "10.0.0.1/24", "--gw", "10.0.0.254")
    world.do("attach", netns(two), "br0", "--ip", "10.0.0.2/24")
    world.switch.daemon.stop(cleanup=True)
    assert one.devices() == {"lo"}
    world.switch.daemon.start()
    two.ping("10.0.0.1")
    assert "default via 10.0.0.254" in one.ip("route")


def test_an_agent_that_dies_is_started_again(world: World) -> None:
    one = world.switch.lab.namespace("one")
    world.do("attach", netns(one), "br0", "--ip", "10.0.0.1/24")
    first = world.agent_pid()
    os.kill(first, signal.SIGKILL)
    until(lambda: world.agent_pid() != first, what="another agent")
    run("ip", "netns", "delete", one.name)
    until(lambda: world.ports() == [], what="the port to go")


def test_there_is_no_agent_without_need(world: World) -> None:
    one = world.switch.lab.namespace("one")
    world.do("attach", netns(one), "br0")
    pid = world.agent_pid()
    world.do("detach", netns(one))
    until(lambda: not Path(f"/proc/{pid}").exists(), what="the end of the agent")


def test_a_port_that_a_user_deletes_is_detached(world: World) -> None:
    one = world.switch.lab.namespace("one")
    world.do("attach", netns(one), "br0", "--port", "jftone")
    world.switch.vsctl("del-port", "jftone")
    assert world.attachments() == []
    assert one.devices() == {"lo"}


def test_what_a_user_changes_of_a_port_is_kept(world: World) -> None:
    one = world.switch.lab.namespace("one")
    world.do("attach", netns(one), "br0", "--tag", "5", "--port", "jftone")
    world.switch.vsctl("set", "Port", "jftone", "tag=6")
    world.agent_pid()
    run("ip", "netns", "delete", one.name)
    until(lambda: world.ports() == [], what="the port to go")
    run("ip", "netns", "add", one.name)
    until(lambda: world.ports() == ["jftone"], what="the port to come back")
    assert world.switch.get("Port", "jftone", "tag") == "6"


def test_everything_is_by_hand_as_well(world: World) -> None:
    with world.switch.container() as one, world.switch.container() as two:
        for number, pid in ((1, one), (2, two)):
            world.switch.internal("br0", f"tap{number}")
            world.switch.host.ip("link", "set", f"tap{number}", "netns", str(pid))
            enter = ("nsenter", "-t", str(pid), "-n")
            run(*enter, "ip", "address", "add", f"10.0.0.{number}/24", "dev", f"tap{number}")
            run(*enter, "ip", "link", "set", f"tap{number}", "up")
        until(
            lambda: (
                subprocess.run(
                    ["nsenter", "-t", str(one), "-n", "ping", "-c1", "-W1", "10.0.0.2"],
                    capture_output=True,
                    check=False,
                ).returncode
                == 0
            ),
            what="an answer",
        )
        world.switch.vsctl("del-port", "tap1", "--", "del-port", "tap2")
