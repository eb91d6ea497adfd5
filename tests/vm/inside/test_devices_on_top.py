"""What users put on top of internal ports, with drivers that kernels for small virtual machines lack."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.switch import Switch, new_switch
from tests.netlab import Namespace, transfer
from tests.scenarios.kit import BROADCAST, ctag, frame, mac, untagged

KIND = "veth" if platform.release().startswith("6.1.") else "netkit"


@pytest.fixture
def switch() -> Iterator[Switch]:
    with new_switch() as made:
        made.vsctl("add-br", "br0")
        yield made


def station(switch: Switch, name: str, bridge: str = "br0") -> Namespace:
    """A namespace with an internal port that carries all VLANs."""
    namespace = switch.lab.namespace(name)
    switch.internal(bridge, f"{name}0", f"other_config:device-kind={KIND}")
    switch.move(f"{name}0", namespace)
    switch.up(f"{name}0", namespace=namespace)
    return namespace


def test_vlan_devices_and_a_bridge_on_top_of_ports_reach_each_other(switch: Switch) -> None:
    one, two = station(switch, "one"), station(switch, "two")
    one.ip("link", "add", "jftbr", "type", "bridge")
    one.ip("link", "set", "one0", "master", "jftbr")
    one.up("jftbr", "10.0.0.1/24")
    two.ip("address", "add", "10.0.0.2/24", "dev", "two0")
    for namespace, lower, number in ((one, "jftbr", 1), (two, "two0", 2)):
        namespace.ip("link", "add", "link", lower, "name", "vlan7", "type", "vlan", "id", "7")
        namespace.up("vlan7", f"10.0.7.{number}/24")
    one.ping("10.0.0.2")
    one.ping("10.0.7.2", size=1400)
    transfer(one, two, "10.0.7.2", 2_000_000)
    transfer(two, one, "10.0.7.1", 2_000_000)
    assert not switch.drops("one0")


def test_a_port_of_one_bridge_is_a_vlan_device_on_a_port_of_another(switch: Switch) -> None:
    """Each frame passes the program twice, the second time amid the first, with patch ports in both."""
    words = (
        "add-br br1 -- add-br br2 -- add-port br0 to1 -- set Interface to1 type=patch options:peer=to0 "
        "-- add-port br1 to0 -- set Interface to0 type=patch options:peer=to1"
    )
    switch.vsctl(*words.split())
    one, two = station(switch, "one"), switch.lab.namespace("two")
    one.ip("address", "add", "10.0.0.1/24", "dev", "one0")
    switch.internal("br1", "lower")
    switch.up("lower")
    switch.host.ip("link", "add", "link", "lower", "name", "lower.7", "type", "vlan", "id", "7")
    switch.host.up("lower.7")
    switch.vsctl("add-port", "br2", "lower.7")
    switch.internal_in("br2", "two0", two, "10.0.0.2/24")
    one.ip("link", "add", "link", "one0", "name", "vlan7", "type", "vlan", "id", "7")
    one.ip("address", "flush", "dev", "one0")
    one.up("vlan7", "10.0.0.1/24")
    one.ping("10.0.0.2")
    two.ping("10.0.0.1")
    transfer(one, two, "10.0.0.2", 500_000)


@pytest.mark.parametrize("levels", [2, 3])
def test_what_is_flooded_to_a_device_on_top_of_a_port_is_flooded_on(switch: Switch, levels: int) -> None:
    """While a copy of a frame is sent, the program runs for that copy, and so on."""
    far = station(switch, "far")
    for level in range(1, levels):
        lower, upper = f"br{level - 1}", f"br{level}"
        switch.vsctl("add-br", upper)
        switch.internal(lower, f"on{level}", f"other_config:device-kind={KIND}")
        switch.up(f"on{level}")
        switch.host.ip("link", "add", "link", f"on{level}", "name", f"vlan{level}", "type", "vlan", "id", "7")
        switch.host.up(f"vlan{level}")
        switch.vsctl("add-port", upper, f"vlan{level}")
    near = station(switch, "near", upper)
    # Whoever comes last gets the frame itself, not a copy.
    last = [station(switch, f"last{level}", f"br{level}") for level in range(levels)]
    with near.tap("near0") as sender, far.tap("far0") as receiver, ExitStack() as stack:
        others = [stack.enter_context(each.tap(f"last{level}0")) for level, each in enumerate(last)]
        sender.send(untagged("A", BROADCAST))
        for tags, tap in ((levels - 1, receiver), *enumerate(reversed(others))):
            assert tap.receive(lambda got: got[6:12] == mac("A")) == frame("A", BROADCAST, *[ctag(7)] * tags)
