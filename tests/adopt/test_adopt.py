"""A host's card onto the switch and back, while a stream of numbers runs through it."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adopt.hosts import deaf_gateway, elaborate
from tests.adopt.world import GATEWAY, GATEWAY6, HOST, SERVER, Stream, World, kill
from tests.e2e.switch import Switch
from tests.netlab import run, until


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def test_a_card_is_adopted_and_released_and_no_connection_notices(world: World, family: int) -> None:
    before, mac = world.layer3("eth0"), world.host.mac("eth0")
    with world.everything_as_before(), Stream(world, family) as stream:
        assert world.jackfield("adopt", "eth0").splitlines() == [
            "eth0 on bridge br0, addresses on br0",
            f"asking {GATEWAY}, {GATEWAY6} through br0",
        ]
        stream.goes_on()
        assert world.layer3("br0") == before
        assert world.layer3("eth0")["addresses"] == []
        assert world.host.mac("br0") == mac == world.host.mac("eth0")
        assert world.jackfield("release", "eth0") == "eth0 off bridge br0, addresses on eth0\n"
        stream.goes_on()


def test_everything_of_layer_3_moves_and_comes_back(world: World) -> None:
    elaborate(world)
    before = world.layer3("eth0")
    assert len(before["rules"]) == 3 and len(before["routes"]) >= 12
    with world.everything_as_before():
        world.jackfield("adopt", "eth0", "--port", "mgmt0", "--bridge", "br7")
        assert world.layer3("mgmt0") == before
        left = world.layer3("eth0")
        assert [left[key] for key in ("addresses", "routes", "rules", "neighbours", "proxies")] == [[]] * 5
        world.jackfield("release", "eth0")


def test_what_has_changed_meanwhile_is_kept_by_a_release(world: World) -> None:
    world.jackfield("adopt", "eth0")
    world.host.ip("address", "add", "10.0.0.9/24", "dev", "br0")
    world.host.ip("address", "delete", "10.0.0.2/24", "dev", "br0")
    world.host.ip("route", "add", "10.44.0.0/16", "via", GATEWAY)
    on_bridge = world.layer3("br0")
    world.jackfield("release", "eth0")
    assert world.layer3("eth0") == on_bridge
    assert "br0" not in world.host.devices()


def test_a_gateway_that_does_not_answer_any_more_puts_everything_back(world: World) -> None:
    elaborate(world)
    with world.everything_as_before(), Stream(world) as stream:
        with deaf_gateway(world):
            said = world.jackfield("adopt", "eth0", "--confirm-timeout", "1", code=1)
        assert said.splitlines()[-1] == (
            f"jackfield: {GATEWAY} has not answered through br0 within 1 seconds. "
            "Everything is as it was before."
        )
        stream.goes_on()


STAGES = {
    "the guard has started": lambda world: world.undecided(),
    "the bridge is there": lambda world: "br0" in world.host.devices(),
    "both have the addresses": lambda world: HOST in world.host.ip("address", "show", "dev", "br0"),
    "the card is on the bridge": lambda world: "eth0" in world.daemon.vsctl("list-ports", "br0"),
    "the card is bare": lambda world: HOST not in world.host.ip("address", "show", "dev", "eth0"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_command_killed_in_the_middle_is_put_back(world: World, stage: str) -> None:
    elaborate(world)
    with world.everything_as_before(), Stream(world) as stream, deaf_gateway(world):
        command = world.start("adopt", "eth0", "--confirm-timeout", "30")
        until(world.undecided, what="the start", deadline=20)
        until(lambda: "br0" in world.host.devices() or stage == "the guard has started", what="a bridge")
        until(lambda: STAGES[stage](world), what=stage)
        kill(command)
        until(lambda: not world.undecided(), what="the way back", deadline=30)
        stream.goes_on()
        assert world.mac_the_router_knows() == world.host.mac("eth0")


def test_what_a_killed_guard_has_left_is_put_back_by_the_next_command(world: World) -> None:
    with world.everything_as_before(), Stream(world) as stream:
        with deaf_gateway(world):
            command = world.start("adopt", "eth0", "--confirm-timeout", "30")
            until(lambda: "br0" in world.host.devices(), what="a bridge", deadline=20)
            until(lambda: STAGES["the card is bare"](world), what="the move")
            children = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
            assert len(children) == 1
            os.kill(int(children[0]), 9)
            kill(command)
            assert world.undecided()
            said = world.jackfield("release", "eth0")
        assert said == "eth0: a move that was cut short has been finished\n"
        stream.goes_on()


def test_two_commands_at_once_do_not_meet(world: World) -> None:
    with world.everything_as_before(), deaf_gateway(world):
        command = world.start("adopt", "eth0", "--confirm-timeout", "3")
        until(world.undecided, what="the start", deadline=20)
        until(lambda: "br0" in world.host.devices(), what="a bridge")
        said = world.jackfield("release", "eth0", code=1)
        assert said == "jackfield: eth0: another command is moving it at this moment; wait for its end\n"
        command.communicate()
        assert command.returncode == 1


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("no", 1), ("", 1)])
def test_the_terminal_is_asked(world: World, answer: str, code: int) -> None:
    before = world.layer3("eth0")
    user, terminal = pty.openpty()
    command = world.start(
        *("adopt", "eth0", "--confirm", "--confirm-timeout", "2"),
        terminal=terminal,
        SSH_CONNECTION=f"10.9.9.9 50000 {HOST} 22",
    )
    os.close(terminal)
    seen = b""
    while b"within 2 seconds: " not in seen:
        seen += os.read(user, 4096)
    if answer:
        os.write(user, f"{answer}\n".encode())
    assert command.wait(30) == code
    os.close(user)
    if code == 0:
        world.jackfield("release", "eth0")
    assert world.layer3("eth0") == before


def test_a_port_of_its_own_in_a_vlan_on_a_bridge_that_is_there(world: World) -> None:
    world.daemon.vsctl("add-br", "br1")
    with world.everything_as_before(), Stream(world) as stream:
        world.jackfield(
            "adopt", "eth0", "--bridge", "br1", "--port", "mgmt0", "--tag", "7", "--check", SERVER
        )
        stream.goes_on()
        shown = world.daemon.vsctl("show")
        assert "Port mgmt0\n            tag: 7" in shown
        assert "Port eth0\n            tag: 7" in shown
        assert world.daemon.vsctl("get", "Port", "eth0", "vlan_mode").strip() == "native-untagged"
        world.jackfield("release", "eth0")
        stream.goes_on()


def test_the_own_port_of_a_bridge_that_is_there_gets_its_mac_back(world: World) -> None:
    world.daemon.vsctl("add-br", "br1", "--", "set", "Bridge", "br1", "other_config:hwaddr=02:00:00:00:0b:01")
    before = world.layer3("br1")
    mac = world.host.mac("eth0")
    world.jackfield("adopt", "eth0", "--bridge", "br1")
    assert world.host.mac("br1") == mac
    world.jackfield("release", "eth0")
    assert world.host.mac("br1") == "02:00:00:00:0b:01"
    assert world.layer3("br1")["addresses"] == before["addresses"] == []


def test_a_bridge_that_others_use_by_now_stays_after_a_release(world: World) -> None:
    world.jackfield("adopt", "eth0")
    world.daemon.vsctl("add-port", "br0", "other", "--", "set", "Interface", "other", "type=internal")
    world.jackfield("release", "eth0")
    assert world.daemon.vsctl("list-ports", "br0") == "other\n"
    assert HOST not in world.host.ip("address", "show", "dev", "br0")
    assert world.host.pings(SERVER)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def test_a_new_mac_is_told_to_the_neighbours(world: World, family: int) -> None:
    mac = world.host.mac("eth0")
    with Stream(world, family) as stream:
        world.jackfield("adopt", "eth0", "--mac", "new")
        assert world.host.mac("br0") != mac
        stream.goes_on()
        assert world.mac_the_router_knows(family) == world.host.mac("br0")
        world.jackfield("release", "eth0")
        stream.goes_on()
        assert world.mac_the_router_knows(family) == mac


def test_large_frames_are_allowed_from_the_start(world: World) -> None:
    world.router.ip("link", "set", "lan", "mtu", "4000")
    world.host.ip("link", "set", "eth0", "mtu", "4000")
    world.jackfield("adopt", "eth0")
    assert world.host.read("br0", "mtu") == "4000"
    world.host.ping(GATEWAY, size=3900)


def test_the_switch_may_restart_and_the_host_stays(world: World) -> None:
    with Stream(world) as stream:
        world.jackfield("adopt", "eth0")
        world.daemon.restart()
        stream.goes_on()
        world.jackfield("release", "eth0")
        stream.goes_on()


def test_what_nobody_was_asked_about_and_filters_that_see_nothing_any_more_are_told(world: World) -> None:
    dead_gateway(world)
    with world.host.entered():
        for words in (
            "qdisc add dev eth0 clsact",
            "filter add dev eth0 ingress u32 match u32 0 0 flowid 1:1",
        ):
            run("tc", *words.split())
    with world.everything_as_before():
        said = world.jackfield("adopt", "eth0", "--no-check").splitlines()
        world.jackfield("release", "eth0")
    assert said == [
        "eth0 on bridge br0, addresses on br0",
        "note: eth0 has tc filters for what comes in (u32): what the switch takes does not pass them; "
        "`tc filter show dev eth0 ingress` lists them",
    ]
    assert "--check asks somebody, --no-check nobody" in world.jackfield(
        "adopt", "eth0", "--no-check", "--check", SERVER, code=2
    )


def test_two_cards_become_a_bond(world: World, switch: Switch) -> None:
    switch.lab.cable(switch.host, "eth1", world.router, "spare")
    world.router.ip("link", "set", "spare", "down")
    with world.everything_as_before(), Stream(world) as stream:
        words = ("--bond", "bond0", "--bond-mode", "active-backup")
        world.jackfield("adopt", "eth1", "eth0", *words)
        stream.goes_on()
        assert set(world.daemon.vsctl("list-ifaces", "br0").split()) == {"eth0", "eth1"}
        assert world.daemon.vsctl("list-ports", "br0") == "bond0\n"
        world.jackfield("release", "eth1")
        stream.goes_on()


def test_a_bond_of_two_cards_whose_maker_is_killed_is_put_back(world: World, switch: Switch) -> None:
    switch.lab.cable(switch.host, "eth1", world.router, "spare")
    world.router.ip("link", "set", "spare", "down")
    with world.everything_as_before(), Stream(world) as stream, deaf_gateway(world):
        words = ("--bond", "bond1", "--port", "mgmt0", "--confirm-timeout", "30")
        command = world.start("adopt", "eth0", "eth1", *words)
        until(world.undecided, what="the start", deadline=20)
        until(lambda: "mgmt0" in world.host.devices(), what="a port")
        until(lambda: STAGES["the card is bare"](world), what="a bare card")
        assert set(world.daemon.vsctl("list-ifaces", "br0").split()) == {"eth0", "eth1", "mgmt0"}
        kill(command)
        until(lambda: not world.undecided(), what="the way back", deadline=30)
        stream.goes_on()


def test_programs_get_json(world: World) -> None:
    answer = json.loads(world.jackfield("adopt", "eth0", "--json"))
    assert (answer["bridge"], answer["port"], answer["nics"]) == ("br0", "br0", ["eth0"])
    assert answer["answered"] == [GATEWAY, GATEWAY6] and f"{HOST}/24" in answer["addresses"]
    assert json.loads(world.jackfield("release", "eth0", "--json"))["nics"] == ["eth0"]


def test_a_host_without_a_gateway_is_moved_with_a_note(world: World) -> None:
    world.host.ip("route", "delete", "default")
    world.host.ip("-6", "route", "delete", "default")
    assert world.jackfield("adopt", "eth0").splitlines()[-1] == (
        "note: nobody was asked whether the host is still reachable: there is no gateway; "
        "--check ADDRESS names one"
    )


@pytest.fixture
def dhclient(world: World) -> Iterator[int]:
    """The process of what looks like a DHCP client on the host's card."""
    sleeping = ("dhclient", "-c", "import time; time.sleep(1000000)", "-4", "eth0")
    with world.host.entered(), subprocess.Popen(sleeping, executable=sys.executable) as process:
        yield process.pid
        process.kill()


def test_a_dhcp_client_that_runs_on_the_card_is_told_of(world: World, dhclient: int) -> None:
    note = (
        f"dhclient (process {dhclient}) leases the address of eth0: `kill {dhclient}` and start it "
        "for mgmt0, now and at the next boot; or the lease runs out"
    )
    assert f"note: {note}" in world.jackfield("adopt", "eth0", "--port", "mgmt0").splitlines()
    world.jackfield("release", "eth0")
    assert note in json.loads(world.jackfield("adopt", "eth0", "--port", "mgmt0", "--json"))["notes"]


def prepare_nothing(_: World) -> None:
    pass


def linux_bridge(world: World) -> None:
    world.host.ip("link", "add", "jftlb", "type", "bridge")
    world.host.ip("link", "set", "eth0", "master", "jftlb")


def macvlan(world: World) -> None:
    world.host.ip("link", "add", "jftmv", "link", "eth0", "type", "macvlan")


def on_our_bridge(world: World) -> None:
    world.daemon.vsctl("add-br", "br5", "--", "add-port", "br5", "eth0")


def bridge_there(world: World) -> None:
    world.daemon.vsctl("add-br", "br0")


def device_in_the_way(world: World) -> None:
    world.host.ip("link", "add", "br0", "type", "bridge")


def nexthop_object(world: World) -> None:
    world.host.ip("nexthop", "add", "id", "9", "via", GATEWAY, "dev", "eth0")
    world.host.ip("route", "add", "10.99.0.0/16", "nhid", "9")


def second_card(world: World) -> None:
    world.host.ip("link", "add", "jftc", "type", "veth", "peer", "name", "jftd")
    world.host.up("jftc", "10.77.0.1/24")


def dead_gateway(world: World) -> None:
    world.host.ip("route", "replace", "default", "via", "10.0.0.77", "metric", "50")
    world.host.ip("-6", "route", "delete", "default")


REFUSALS = [
    (dead_gateway, ["eth0"], "eth0: the gateway 10.0.0.77 does not answer through it now, so it cannot tell"),
    (prepare_nothing, ["nosuch"], "nosuch: there is no such network device; `ip link` lists"),
    (prepare_nothing, ["lo"], "lo: it is the loopback device"),
    (linux_bridge, ["eth0"], "eth0: it belongs to the Linux bridge jftlb; take it out first"),
    (linux_bridge, ["jftlb"], "jftlb: it is a Linux bridge; `jackfield import-bridge jftlb`"),
    (macvlan, ["eth0"], "eth0: jftmv sits on it"),
    (on_our_bridge, ["eth0"], "eth0: it is on bridge br5 already"),
    (device_in_the_way, ["eth0"], "br0: a network device of that name is there already"),
    (prepare_nothing, ["eth0", "--port", "eth0"], "eth0: a network device of that name is there already"),
    (nexthop_object, ["eth0"], "eth0: its route 10.99.0.0/16 via 10.0.0.254 goes by nexthop object 9"),
    (prepare_nothing, ["eth0", "--check", "10.0.0.66"], "10.0.0.66 does not answer through eth0 now"),
    (prepare_nothing, ["eth0", "lo"], "lo: it is the loopback"),
    (second_card, ["eth0", "jftc"], "several cards with one set of addresses are a bond"),
    (second_card, ["eth0", "jftc", "--bond", "b"], "eth0 and jftc have addresses each"),
    (second_card, ["eth0", "--bond-mode", "balance-tcp"], "--bond-mode and --lacp are about a bond"),
    (prepare_nothing, ["eth0", "--port", "a/b"], '"a/b" cannot be the name of a device'),
    (prepare_nothing, ["eth0", "--bridge", "x" * 16], "cannot be the name of a device"),
    (prepare_nothing, ["eth0", "--bond", "b", "--bond-mode", "odd"], "odd"),
    (bridge_there, ["eth0", "--tag", "7"], "br0: the bridge's own port is not in VLAN 7"),
]


@pytest.mark.parametrize(
    ("before", "words", "sentence"), REFUSALS, ids=lambda value: getattr(value, "__name__", str(value)[:40])
)
def test_what_cannot_be_moved_is_refused(
    world: World, before: Callable[[World], None], words: list[str], sentence: str
) -> None:
    before(world)
    try:
        state = world.layer3("eth0")
        assert sentence in world.jackfield("adopt", *words, code=1)
        assert world.layer3("eth0") == state
        assert not world.undecided()
    finally:
        for device in ("jftlb", "jftmv", "jftc", "br0"):
            world.host.run("ip", "link", "delete", device, check=False)


def test_the_card_of_the_own_session_needs_a_confirmation(world: World) -> None:
    with world.everything_as_before():
        said = world.jackfield("adopt", "eth0", code=1, SSH_CONNECTION=f"10.9.9.9 50000 {HOST} 22")
        assert "eth0: your own SSH session comes in by it; with --confirm" in said


def test_a_card_that_was_renamed_meanwhile_is_released_when_it_has_its_name_again(world: World) -> None:
    with world.everything_as_before():
        world.jackfield("adopt", "eth0")
        world.host.ip("link", "set", "eth0", "name", "jftx")
        assert "there is no network device eth0 to give the addresses back to" in world.jackfield(
            "release", "eth0", code=1
        )
        world.host.ip("link", "set", "jftx", "name", "eth0")
        world.jackfield("release", "eth0")


def test_release_of_what_was_not_adopted_is_refused(world: World) -> None:
    assert "eth0: it is on no bridge, so there is nothing to release" in world.jackfield(
        "release", "eth0", code=1
    )
    on_our_bridge(world)
    said = world.jackfield("release", "eth0", code=1)
    assert "eth0: it is on bridge br5, but was not adopted" in said


@pytest.mark.parametrize(
    "words", [["adopt"], ["adopt", "eth0", "--check", "x"], ["adopt", "eth0", "--confirm"], ["release"]]
)
def test_wrong_usage_is_told_as_such(world: World, words: list[str]) -> None:
    world.jackfield(*words, code=2)
