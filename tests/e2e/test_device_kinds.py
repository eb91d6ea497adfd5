"""What internal ports are made of: veth or netkit pairs."""

from __future__ import annotations

import errno
import re

import pytest

from jackfield.net.errors import KernelError
from jackfield.net.netdev import Devices
from jackfield.net.pair import PairKind
from tests.e2e.switch import Switch
from tests.netlab import Namespace, until
from tests.scenarios.kit import BROADCAST, frame, tagged, untagged

KEY = "other_config:device-kind"


def kind_of(namespace: Namespace, device: str) -> str:
    found = re.search(r"\b(veth|netkit)\b", namespace.ip("-d", "link", "show", device))
    assert found
    return found[1]


def has_netkit(switch: Switch) -> bool:
    """Whether this kernel makes netkit pairs that carry Ethernet frames, as found out by making one."""
    with switch.lab.namespace("probe").entered(), Devices.open() as devices:
        mac = b"\2jft\0\1"
        try:
            devices.create_internal("one", "two", "x", mac, 1500, mac, kinds=(PairKind.NETKIT,))
        except KernelError as error:
            assert error.errno == errno.EOPNOTSUPP
            return False
        return True


@pytest.fixture
def bridge(switch: Switch) -> Switch:
    switch.vsctl("add-br", "br0")
    return switch


def test_ports_are_made_of_what_is_asked_for(bridge: Switch) -> None:
    bridge.internal("br0", "tap1", f"{KEY}=veth")
    bridge.internal("br0", "tap2")
    assert [kind_of(bridge.host, name) for name in ("br0", "tap1", "tap2")] == ["veth"] * 3
    done = bridge.try_vsctl(
        *("add-port", "br0", "tap3", "--", "set", "Interface", "tap3", "type=internal", f"{KEY}=netkit")
    )
    if has_netkit(bridge):
        assert kind_of(bridge.host, "tap3") == "netkit"
    else:
        assert "this kernel has no netkit pairs" in done.stderr
        assert "tap3" not in bridge.host.devices()


def test_a_bridges_own_port_may_be_asked_to_be_what_the_kernel_has_best(bridge: Switch) -> None:
    best = "netkit" if has_netkit(bridge) else "veth"
    bridge.vsctl("add-br", "br1", "--", "set", "Interface", "br1", f"{KEY}=prefer-netkit")
    assert kind_of(bridge.host, "br1") == best
    bridge.vsctl("set", "Interface", "br0", f"{KEY}=prefer-netkit")
    bridge.daemon.restart()
    assert (kind_of(bridge.host, "br0"), kind_of(bridge.host, "br1")) == ("veth", best)
    assert [bridge.get("Interface", name, "error") for name in ("br0", "br1")] == ["[]"] * 2


def test_a_port_keeps_its_devices_when_others_are_asked_for_later_and_says_so(bridge: Switch) -> None:
    one = bridge.lab.namespace("one")
    bridge.internal("br0", "tap1", f"{KEY}=veth")
    bridge.move("tap1", one)
    bridge.up("tap1", namespace=one)
    bridge.vsctl("set", "Interface", "tap1", f"{KEY}=netkit")
    bridge.wait_for("Interface", "tap1", "error", "tap1 is a veth pair, not netkit as .*")
    assert kind_of(one, "tap1") == "veth"
    bridge.vsctl("remove", "Interface", "tap1", "other_config", "device-kind")
    bridge.wait_for("Interface", "tap1", "error", r"\[\]")
    bridge.daemon.restart()
    assert kind_of(one, "tap1") == "veth"


def test_a_sender_does_not_learn_what_the_switch_refuses(bridge: Switch) -> None:
    one, two = bridge.lab.namespace("one"), bridge.lab.namespace("two")
    kind = "netkit" if has_netkit(bridge) else "veth"
    for name, namespace in (("tap1", one), ("tap2", two)):
        made_of = ("set", "Interface", name, "type=internal", f"{KEY}={kind}")
        bridge.vsctl("add-port", "br0", name, "tag=5", "--", *made_of)
        bridge.move(name, namespace)
        bridge.up(name, namespace=namespace)
    bridge.internal("br0", "down")
    sent = int(one.read("tap1", "statistics/tx_packets"))
    with one.tap("tap1") as near, two.tap("tap2") as far:
        near.send(tagged(6, "A", BROADCAST))  # dropped: send() would raise an error
        near.send(frame("01:00:5e:00:00:01", BROADCAST))
        near.send(untagged("A", "01:80:c2:00:00:03"))
        near.send(untagged("A", BROADCAST))
        assert far.receive() == untagged("A", BROADCAST)
    until(lambda: sum(bridge.drops("tap1").values()) == 3, what="three drops")
    names = ("tx_packets", "tx_dropped", "tx_errors")
    assert [int(one.read("tap1", f"statistics/{name}")) for name in names] == [sent + 4, 0, 0]
