"""Loops, made on purpose and ended by the test: the machine stays usable, the loop is named, and a port of it
is disabled where that is asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.switch import Switch
from tests.e2e.test_patch_ports import joined
from tests.netlab import Namespace, settled, until
from tests.scenarios.kit import BROADCAST, tagged, untagged
from tests.scenarios.loops import BPDU, PVST_BPDU, in_vlan

SHELL = "import sys; from jackfield.cli.shell.app import main; sys.exit(main(sys.argv[1:]))"
DISABLE = "other_config:loop-action=disable"


def jackfield(switch: Switch, *words: str) -> str:
    """A `jackfield` command for people, which must succeed."""
    done = switch.daemon.run(sys.executable, "-c", SHELL, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def status(switch: Switch) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(switch.daemon.unixctl("jackfield/status"))
    return answer


def loops(switch: Switch) -> list[tuple[str, ...]]:
    """The ports of each loop that is known."""
    return [tuple(loop["ports"]) for loop in status(switch)["loops"]]


def disabled(switch: Switch) -> list[str]:
    """The ports that are disabled."""
    return [each["name"] for each in status(switch)["objects"] if each["state"] == "disabled"]


class Said:
    """What is logged from now on."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._from = len(switch.daemon.log())

    def loops(self) -> list[str]:
        """Lines about loops that a user should look at."""
        lines = (line.split("|", 4) for line in self._switch.daemon.log()[self._from :])
        return [text for _, _, module, level, text in lines if (module, level) == ("loop", "WARN")]


@contextmanager
def cable(switch: Switch, *, ends: tuple[str, str] = ("jftx1", "jftx2")) -> Iterator[tuple[str, str]]:
    """A cable with both ends in the switch's host, which is pulled at the end whatever happens."""
    one, other = ends
    switch.lab.cable(switch.host, one, switch.host, other)
    try:
        yield ends
    finally:
        switch.host.ip("link", "delete", one)


def stations(switch: Switch, bridge: str = "br0") -> tuple[Namespace, Namespace]:
    """Two stations on a bridge."""
    one, two = switch.lab.namespace(f"{bridge}-one"), switch.lab.namespace(f"{bridge}-two")
    switch.internal_in(bridge, "tap1", one, "10.0.0.1/24")
    switch.internal_in(bridge, "tap2", two, "10.0.0.2/24")
    one.ping("10.0.0.2")
    return one, two


def broadcast(where: Namespace, device: str = "tap1", vlan: int = 0) -> None:
    """One broadcast, of a station that nobody else knows."""
    with where.tap(device) as tap:
        tap.send(tagged(vlan, "Z", BROADCAST) if vlan else untagged("Z", BROADCAST))


def received(switch: Switch, *ports: str) -> int:
    counters = switch.ports()
    return sum(counters[port].rx_packets for port in ports)


def calms_down(switch: Switch, *ports: str) -> None:
    """Waits until nothing but the odd probe comes in by these ports."""
    before = received(switch, *ports)

    def is_calm() -> bool:
        nonlocal before
        before, last = received(switch, *ports), before
        return before - last < 10

    until(is_calm, what=f"the end of the storm on {', '.join(ports)}")


def test_a_cable_between_two_ports_is_named_and_its_storm_damped(switch: Switch) -> None:
    said = Said(switch)
    switch.vsctl("add-br", "br0", "--", "add-br", "br1")
    one, _two = stations(switch)
    with cable(switch) as (x1, x2):
        switch.vsctl("add-port", "br0", x1, "--", "add-port", "br0", x2)
        broadcast(one)
        until(lambda: loops(switch) == [(x1, x2)], what="word of the loop")
        assert f"loop between {x1} and {x2}" in jackfield(switch, "status")
        assert [line for line in said.loops() if line.startswith(f"br0: loop between {x1} and {x2}")]
        calms_down(switch, x1, x2)
        assert not disabled(switch)
        one.ping("10.0.0.2")
    until(lambda: not loops(switch), what="word of the loop's end")
    assert len(said.loops()) == 1


def test_a_loop_that_comes_about_while_the_daemon_is_dead_is_damped_by_the_programs_and_told_of_later(
    switch: Switch,
) -> None:
    switch.vsctl("add-br", "br0")
    one, _two = stations(switch)
    with cable(switch) as (x1, x2):
        switch.host.ip("link", "set", x1, "down")
        switch.vsctl("add-port", "br0", x1, "--", "add-port", "br0", x2)
        said = Said(switch)
        switch.daemon.kill()
        switch.host.ip("link", "set", x1, "up")
        settled(switch.host)

        def is_stormy() -> bool:
            before = int(switch.host.read(x1, "statistics/rx_packets"))
            return int(switch.host.read(x1, "statistics/rx_packets")) > before + 10

        broadcast(one)
        until(is_stormy, what="a storm")
        until(lambda: not is_stormy(), what="its end")
        one.ping("10.0.0.2")

        switch.daemon.start()
        until(lambda: loops(switch) == [(x1, x2)], what="word of the loop")
        assert [line for line in said.loops() if f"addresses moved to and fro between {x1} and {x2} " in line]
        assert switch.drops(x1)["storm-broadcast"] > 0


def test_a_port_of_a_loop_is_disabled_where_that_is_asked_for(switch: Switch) -> None:
    switch.vsctl("add-br", "br0", "--", "set", "Bridge", "br0", DISABLE)
    one, _two = stations(switch)
    with cable(switch) as (x1, x2):
        switch.vsctl("add-port", "br0", x1, "--", "add-port", "br0", x2)
        broadcast(one)
        until(lambda: disabled(switch) == [x2], what="a disabled port")
        switch.wait_for("Port", x2, "status", ".*disabled=loop.*")
        assert f"a loop with port {x1}" in jackfield(switch, "status")
        calms_down(switch, x1, x2)
        assert not loops(switch)
        one.ping("10.0.0.2")
        broadcast(one)
        until(lambda: switch.drops(x2).get("port-disabled", 0) > 0, what="a frame that the port drops")

        switch.daemon.restart()
        assert disabled(switch) == [x2]

        assert "carries frames again" in jackfield(switch, "port", "enable", x2)
        until(lambda: x2 not in disabled(switch), what="an enabled port")
        broadcast(one)
        until(lambda: disabled(switch) == [x2], what="a port that is disabled again")
        switch.vsctl("remove", "Bridge", "br0", "other_config", "loop-action")
        until(lambda: not disabled(switch), what="a port that is enabled for want of the setting")
        assert "is not disabled" in jackfield(switch, "port", "enable", x2)


def test_a_port_is_enabled_again_after_a_while_if_that_is_asked_for(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    one, _two = stations(switch)
    with cable(switch) as (x1, x2):
        switch.vsctl("add-port", "br0", x1, "--", "add-port", "br0", x2)
        switch.vsctl("set", "Port", x1, DISABLE, "other_config:loop-recover-seconds=1")
        broadcast(one)
        until(lambda: disabled(switch) == [x1], what="a disabled port: the only one that may be")
        calms_down(switch, x1, x2)
        until(lambda: not disabled(switch), what="a port that is enabled again")


def test_a_container_that_bridges_its_two_ports_is_named(switch: Switch) -> None:
    switch.vsctl("add-br", "br0", "--", "set", "Bridge", "br0", DISABLE)
    one, _two = stations(switch)
    box = switch.lab.namespace("box")
    box.ip("link", "add", "inner", "type", "bridge")
    box.ip("link", "set", "inner", "up")
    for name in ("tap3", "tap4"):
        switch.internal("br0", name)
        switch.move(name, box)
        box.ip("link", "set", name, "master", "inner", "up")
    broadcast(one)
    until(lambda: disabled(switch) == ["tap4"], what="a disabled port")
    calms_down(switch, "tap3", "tap4")
    one.ping("10.0.0.2")


def test_a_loop_in_one_vlan_is_found_there(switch: Switch) -> None:
    said = Said(switch)
    switch.vsctl("add-br", "br0")
    station = switch.lab.namespace("station")
    switch.internal_in("br0", "tap1", station, "10.0.0.1/24", "trunks=10,20")
    with cable(switch) as (x1, x2):
        switch.vsctl("add-port", "br0", x1, "trunks=10", "--", "add-port", "br0", x2, "trunks=10,20")
        broadcast(station, vlan=20)
        broadcast(station, vlan=10)
        until(lambda: loops(switch) == [(x1, x2)], what="word of the loop")
        assert "in VLAN 10:" in said.loops()[0]


def test_a_cable_between_two_bridges_is_no_loop_until_a_patch_joins_them_too(switch: Switch) -> None:
    said = Said(switch)
    switch.vsctl("add-br", "br0", "--", "add-br", "br1")
    one, _two = stations(switch)
    with cable(switch) as (x1, x2):
        switch.vsctl("add-port", "br0", x1, "--", "add-port", "br1", x2)
        with one.tap("tap1") as tap:
            for _ in range(20):
                tap.send(untagged("Z", BROADCAST))
        assert not said.loops()
        joined(switch, "br0", "p0", "br1", "p1")
        broadcast(one)
        until(lambda: loops(switch) == [(x1, x2)], what="word of the loop")
        assert said.loops()[0].startswith(("br0, br1: ", "br1, br0: "))


def test_bridges_that_are_joined_twice_by_patch_ports_are_named_before_a_frame_passes(switch: Switch) -> None:
    said = Said(switch)
    switch.vsctl("add-br", "br0", "--", "add-br", "br1")
    one, _two = stations(switch)
    joined(switch, "br0", "a0", "br1", "a1")
    assert not loops(switch)
    joined(switch, "br0", "b0", "br1", "b1")
    until(lambda: loops(switch) == [("b0", "b1")], what="word of the loop")
    assert said.loops() == ["br0: loop through patch ports b0 and b1: br0 and br1 are joined without them"]
    switch.vsctl("set", "Port", "b1", DISABLE)
    until(lambda: disabled(switch) == ["b1"], what="a disabled port")
    assert not loops(switch)
    before = switch.ports()["tap2"].tx_packets
    broadcast(one)
    until(lambda: switch.ports()["tap2"].tx_packets == before + 1, what="one copy of the broadcast")
    switch.vsctl("del-port", "a0")
    until(lambda: not disabled(switch), what="a port that is enabled as it closes no loop any more")


def test_what_cannot_be_asked_about_loops_is_named(switch: Switch) -> None:
    switch.vsctl("add-br", "br0", "--", "set", "Bridge", "br0", "other_config:loop-action=explode")
    switch.internal("br0", "tap1")
    switch.vsctl("set", "Port", "tap1", "other_config:loop-recover-seconds=soon")
    switch.wait_for("Bridge", "br0", "status", '.*loop-action.*"explode.*must be report or disable.*')
    switch.wait_for("Port", "tap1", "status", ".*loop-recover-seconds.*must be a number of seconds.*")


def test_a_bpdu_disables_a_guarded_port_though_the_daemon_is_dead(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    one, two = stations(switch)
    switch.vsctl("set", "Port", "tap1", "other_config:bpdu-guard=true")
    assert one.pings("10.0.0.2")
    switch.daemon.kill()
    with one.tap("tap1") as tap:
        tap.send(BPDU)
    until(lambda: not two.pings("10.0.0.1"), what="a port that carries no frames")
    switch.daemon.start()
    assert disabled(switch) == ["tap1"]
    switch.wait_for("Port", "tap1", "status", ".*disabled=bpdu-guard.*")
    assert "a BPDU came in, which bpdu-guard forbids" in jackfield(switch, "status")
    assert switch.drops("tap1")["bpdu-guard"] == 1
    jackfield(switch, "port", "enable", "tap1")
    one.ping("10.0.0.2")

    with one.tap("tap1") as tap:
        tap.send(in_vlan(10, PVST_BPDU))
    until(lambda: disabled(switch) == ["tap1"], what="word of the port")
    switch.vsctl("remove", "Port", "tap1", "other_config", "bpdu-guard")
    until(lambda: not disabled(switch), what="a port that is enabled for want of the setting")
    one.ping("10.0.0.2")
