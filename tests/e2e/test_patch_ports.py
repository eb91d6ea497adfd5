"""Patch ports: bridges joined in pairs, in chains, and, by mistake, in loops."""

from __future__ import annotations

from tests.e2e.switch import Switch
from tests.scenarios.kit import BROADCAST, untagged


def joined(switch: Switch, one: str, one_port: str, other: str, other_port: str) -> None:
    """Joins two bridges by a pair of patch ports."""
    switch.vsctl(
        *("add-port", one, one_port),
        *("--", "set", "Interface", one_port, "type=patch", f"options:peer={other_port}"),
        *("--", "add-port", other, other_port),
        *("--", "set", "Interface", other_port, "type=patch", f"options:peer={one_port}"),
    )


def test_ping_through_a_chain_of_bridges_goes_on_while_another_is_added(switch: Switch) -> None:
    switch.vsctl(*" -- ".join(f"add-br br{n}" for n in range(5)).split())
    for n in range(4):
        joined(switch, f"br{n}", f"up{n}", f"br{n + 1}", f"down{n + 1}")
    one, two = switch.lab.namespace("one"), switch.lab.namespace("two")
    switch.internal_in("br0", "tap1", one, "10.0.0.1/24")
    switch.internal_in("br4", "tap2", two, "10.0.0.2/24")
    one.ping("10.0.0.2")
    with one.pinging("10.0.0.2") as steady:
        switch.vsctl("add-br", "br9")
        joined(switch, "br2", "up9", "br9", "down9")
        switch.vsctl("del-br", "br9")
        assert steady() == 0
    assert switch.get("Interface", "up0", "ofport") not in ("-1", "[]")
    assert switch.host.devices() == {"lo", *(f"br{n}" for n in range(5))} | {
        name for name in switch.host.devices() if name.startswith("jf")
    }


def test_a_patch_port_whose_peer_is_missing_starts_to_work_when_it_comes(switch: Switch) -> None:
    switch.vsctl("add-br", "br0", "--", "add-br", "br1")
    one, two = switch.lab.namespace("one"), switch.lab.namespace("two")
    switch.internal_in("br0", "tap1", one, "10.0.0.1/24")
    switch.internal_in("br1", "tap2", two, "10.0.0.2/24")
    switch.vsctl(
        *("add-port", "br0", "to1", "--", "set", "Interface", "to1", "type=patch", "options:peer=to0")
    )
    assert not one.pings("10.0.0.2")
    assert switch.drops("tap1")["patch-no-peer"] >= 1
    switch.vsctl(
        *("add-port", "br1", "to0", "--", "set", "Interface", "to0", "type=patch", "options:peer=to1")
    )
    assert switch.get("Interface", "to1", "error") == "[]"
    one.ping("10.0.0.2")
    switch.vsctl("del-port", "to0")
    assert not one.pings("10.0.0.2")


def test_a_broadcast_in_a_loop_of_bridges_comes_to_an_end(switch: Switch) -> None:
    switch.vsctl("add-br", "br0", "--", "add-br", "br1")
    joined(switch, "br0", "a0", "br1", "a1")
    joined(switch, "br0", "b0", "br1", "b1")
    one, two = switch.lab.namespace("one"), switch.lab.namespace("two")
    switch.internal("br0", "tap1")
    switch.internal("br1", "tap2")
    for name, namespace in (("tap1", one), ("tap2", two)):
        switch.move(name, namespace)
        switch.up(name, namespace=namespace)
    with one.tap("tap1") as sender, two.tap("tap2") as receiver:
        sender.send(untagged("A", BROADCAST))
        assert receiver.receive() == untagged("A", BROADCAST)
    drops = {reason for report in switch.ports().values() for reason in report.drops}
    assert drops & {"too-many-hops", "patch-queue-full"}
    assert switch.ports()["tap2"].tx_packets < 100


def test_a_patch_port_to_another_port_of_the_same_bridge_is_a_loop_and_bounded(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    joined(switch, "br0", "a", "br0", "b")
    switch.internal("br0", "tap1")
    switch.up("tap1")
    with switch.host.tap("tap1") as tap:
        tap.send(untagged("A", BROADCAST))
        assert tap.receive() == untagged("A", BROADCAST)
    assert switch.ports()["tap1"].tx_packets < 100
