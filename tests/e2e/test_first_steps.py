"""What a newcomer types, word for word, and what then happens."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.e2e.switch import Switch, new_switch
from tests.netlab import Namespace
from tests.scenarios.kit import BROADCAST, untagged

pytestmark = pytest.mark.usefixtures("no_warnings")

JACKFIELD = f"{Path(sys.executable).parent}/jackfield "


@pytest.mark.parametrize("tool", ["ovs-", JACKFIELD], ids=["OVS's tools", "Jackfield's own"])
def test_the_first_commands_of_the_manual_give_a_tagged_internal_port_and_its_uplink(
    switch: Switch, tool: str
) -> None:
    with new_switch() as other:
        switch.lab.cable(switch.host, "eth1", other.host, "eth1")
        other.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1")
        other.internal_in("br0", "gateway", other.host, "10.18.138.1/24", "tag=1000")
        shown = switch.shell(
            f"""
            {tool}vsctl add-br br0
            {tool}vsctl add-port br0 vlan1000 tag=1000 -- set Interface vlan1000 type=internal
            ip addr add 10.18.138.168/24 dev vlan1000; ip link set vlan1000 up
            {tool}vsctl add-port br0 eth1
            {tool}vsctl show
            """
        )
        assert blocks(shown.split("\n", 1)[1]) == {
            "Bridge br0",
            "Port br0 / Interface br0 / type: internal",
            "Port vlan1000 / tag: 1000 / Interface vlan1000 / type: internal",
            "Port eth1 / Interface eth1",
        }
        with switch.host.tcpdump("eth1") as cable, switch.host.tcpdump("vlan1000") as port:
            other.host.ping("10.18.138.168")
            cable.expect(r"vlan 1000.*10\.18\.138\.1 > 10\.18\.138\.168: ICMP echo request")
            cable.expect(r"vlan 1000.*10\.18\.138\.168 > 10\.18\.138\.1: ICMP echo reply")
            request = port.expect(r"10\.18\.138\.1 > 10\.18\.138\.168: ICMP echo request")
            reply = port.expect(r"10\.18\.138\.168 > 10\.18\.138\.1: ICMP echo reply")
        assert "802.1Q" not in request + reply
        learned = switch.shell(f"{tool}appctl fdb/show br0")
        assert re.search(rf"(?m)^ +\d+ +1000  {other.host.mac('gateway')} +\d+$", learned)
        assert re.search(rf"(?m)^ +\d+ +1000  {switch.host.mac('vlan1000')} +\d+$", learned)


def test_an_internal_port_is_there_when_add_port_returns_and_answers_ping(switch: Switch) -> None:
    outside = switch.lab.namespace("outside")
    switch.lab.cable(switch.host, "eth1", outside, "eth1")
    outside.up("eth1", "10.0.0.1/24")
    out = switch.shell(
        """
        ovs-vsctl add-br br0 -- add-port br0 eth1
        ovs-vsctl add-port br0 vlan1000 -- set Interface vlan1000 type=internal
        ifconfig vlan1000
        ifconfig vlan1000 10.0.0.2 netmask 255.255.255.0 up
        """
    )
    assert f"ether {switch.host.mac('vlan1000')}" in out
    assert switch.host.mac("vlan1000") != switch.host.mac("br0")
    outside.ping("10.0.0.2")


def test_the_bridges_own_port_is_an_internal_port_like_any_other(switch: Switch) -> None:
    outside = switch.lab.namespace("outside")
    switch.lab.cable(switch.host, "eth1", outside, "eth1")
    outside.up("eth1", "10.0.0.1/24")
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1")
    switch.host.up("br0", "10.0.0.2/24")
    outside.ping("10.0.0.2")
    assert switch.get("Interface", "br0", "ofport") == "65534"
    assert "LOCAL" in switch.fdb("br0").values()


def two_cards(switch: Switch) -> tuple[Namespace, Namespace]:
    """A host with two network cards, each with a neighbour of its own, all in one subnet."""
    neighbours = []
    for number in (0, 1):
        neighbour = switch.lab.namespace(f"n{number}")
        switch.lab.cable(switch.host, f"eth{number}", neighbour, "eth0")
        neighbour.up("eth0", f"10.0.0.1{number}/24")
        neighbours.append(neighbour)
    return neighbours[0], neighbours[1]


def test_a_host_whose_cards_are_all_on_a_bridge_is_not_reachable_at_their_addresses(switch: Switch) -> None:
    first, second = two_cards(switch)
    switch.host.up("eth0", "10.0.0.1/24")
    first.ping("10.0.0.1")
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth0", "--", "add-port", "br0", "eth1")
    first.ping("10.0.0.11")  # the two neighbours meet through the host
    assert not first.pings("10.0.0.1")
    assert not second.pings("10.0.0.1")
    switch.vsctl("del-port", "br0", "eth0")
    first.ping("10.0.0.1")


def test_a_card_that_is_kept_off_the_bridge_is_reachable_with_and_without_the_switch(switch: Switch) -> None:
    first, second = two_cards(switch)
    switch.host.up("eth0", "10.0.0.1/24")
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1")
    switch.internal("br0", "tap1")
    switch.up("tap1")
    with first.tap("eth0") as card, switch.host.tap("tap1") as port, second.tap("eth0") as far:
        far.send(untagged("A", BROADCAST))
        assert port.receive() == untagged("A", BROADCAST)
        first.ping("10.0.0.1")
        assert untagged("A", BROADCAST) not in card.drain()
    switch.daemon.kill()
    first.ping("10.0.0.1")
    switch.daemon.start()
    switch.vsctl("del-br", "br0")
    first.ping("10.0.0.1")


def test_an_address_on_an_internal_port_is_reachable_through_every_card(switch: Switch) -> None:
    first, second = two_cards(switch)
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth0", "--", "add-port", "br0", "eth1")
    switch.internal("br0", "tap1")
    switch.host.up("tap1", "10.0.0.1/24")
    first.ping("10.0.0.1")
    second.ping("10.0.0.1")
    first.ping("10.0.0.11")


def test_two_containers_with_internal_ports_as_their_cards_reach_each_other_and_the_outside(
    switch: Switch,
) -> None:
    outside = switch.lab.namespace("outside")
    switch.lab.cable(switch.host, "eth1", outside, "eth1")
    outside.up("eth1", "10.0.0.1/24", "192.0.2.1/32")
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1")
    containers = []
    for number in (2, 3):
        container = switch.lab.namespace(f"c{number}")
        switch.lab.cable(switch.host, f"veth{number}", container, "eth0")  # what it came with
        switch.internal_in("br0", f"tap{number}", container, f"10.0.0.{number}/24")
        container.ip("link", "set", "eth0", "down")
        container.ip("route", "add", "default", "via", "10.0.0.1")
        containers.append(container)
    first, _ = containers
    first.ping("10.0.0.3")
    first.ping("192.0.2.1")
    switch.host.run("ip", "netns", "exec", first.name, "ping", "-c", "1", "-W", "1", "10.0.0.3")


def test_a_container_without_a_name_takes_a_port_by_its_process_and_is_entered_with_nsenter(
    switch: Switch,
) -> None:
    switch.vsctl("add-br", "br0")
    switch.internal("br0", "tap1")
    switch.internal("br0", "tap2")
    switch.host.up("tap2", "10.0.0.2/24")
    with switch.container() as pid:
        switch.host.ip("link", "set", "tap1", "netns", str(pid))
        inside = ("nsenter", "-t", str(pid), "-n")
        switch.host.run(*inside, "ip", "address", "add", "10.0.0.1/24", "dev", "tap1")
        switch.host.run(*inside, "ip", "link", "set", "tap1", "up")
        switch.host.run(*inside, "ping", "-c", "1", "-W", "1", "10.0.0.2")


def blocks(shown: str) -> set[str]:
    """The parts of what `show` prints about one bridge, in no order: lines of a port joined by slashes."""
    parts: list[list[str]] = []
    for line in shown.splitlines():
        words = line.strip().replace('"', "")
        if words.startswith(("Bridge", "Port")):
            parts.append([])
        if words.startswith("ovs_version"):
            break
        parts[-1].append(words)
    return {" / ".join(part) for part in parts}
