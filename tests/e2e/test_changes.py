"""Changes of a switch at work: each is in force when ovs-vsctl returns, and disturbs nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.e2e.switch import Switch
from tests.netlab import Namespace, Tap
from tests.patience import PATIENCE
from tests.scenarios.kit import BROADCAST, tagged, untagged

pytestmark = pytest.mark.usefixtures("no_warnings")


@dataclass(frozen=True)
class Pair:
    """Bridge br0 with taps on two internal ports, tap1 in another namespace and tap2 in the host."""

    switch: Switch
    far: Namespace
    one: Tap
    two: Tap


@pytest.fixture
def pair(switch: Switch) -> Iterator[Pair]:
    switch.vsctl("add-br", "br0", "--", "set", "Port", "br0", "trunks=4000")
    far = switch.lab.namespace("far")
    switch.internal("br0", "tap1")
    switch.internal("br0", "tap2")
    switch.move("tap1", far)
    switch.up("tap1", namespace=far)
    switch.up("tap2")
    with far.tap("tap1") as one, switch.host.tap("tap2") as two:
        yield Pair(switch, far, one, two)


def test_a_new_vlan_is_in_force_for_the_next_frame(pair: Pair) -> None:
    for number in range(10, 20):
        pair.switch.vsctl("set", "Port", "tap1", f"tag={number}")
        pair.one.send(untagged("A", BROADCAST))
        assert pair.two.receive() == tagged(number, "A", BROADCAST)
    pair.switch.vsctl("clear", "Port", "tap1", "tag")
    pair.one.send(tagged(5, "A", BROADCAST))
    assert pair.two.receive() == tagged(5, "A", BROADCAST)
    assert pair.two.drain() == []


def test_a_new_port_takes_part_as_soon_as_it_is_up_and_a_removed_one_no_more(pair: Pair) -> None:
    for _ in range(5):
        pair.switch.internal("br0", "tap3")
        pair.switch.up("tap3")
        with pair.switch.host.tap("tap3") as three:
            pair.one.send(untagged("A", BROADCAST))
            assert three.receive() == pair.two.receive() == untagged("A", BROADCAST)
            three.send(untagged("C", "A"))
            assert pair.one.receive() == untagged("C", "A")
        pair.switch.vsctl("del-port", "tap3")
        assert set(pair.switch.fdb("br0").values()) == {1}
        pair.two.send(untagged("B", "C"))
        assert pair.one.receive() == untagged("B", "C")  # C is unknown again
        pair.switch.appctl("fdb/flush", "br0")


def test_addresses_that_are_flushed_or_deleted_are_unknown_again(pair: Pair) -> None:
    pair.switch.internal("br0", "tap3")
    pair.switch.up("tap3")
    with pair.switch.host.tap("tap3") as three:

        def seen_by_third() -> bool:
            pair.one.send(untagged("A", BROADCAST))
            assert three.receive() == pair.two.receive() == untagged("A", BROADCAST)
            pair.two.send(untagged("B", "A"))
            assert pair.one.receive() == untagged("B", "A")
            return bool(three.drain())

        assert not seen_by_third()
        pair.switch.appctl("fdb/add", "br0", "tap3", "0", "02:00:00:00:00:99")
        for command in (("fdb/flush", "br0"), ("fdb/flush",)):
            pair.switch.appctl(*command)
            assert [f"{address.mac[-1]:02x}" for address in pair.switch.fdb("br0")] == ["99"]
            assert not seen_by_third()
        pair.switch.appctl("fdb/del", "br0", "0", "02:00:00:00:00:99")
        pair.two.send(untagged("B", "02:00:00:00:00:99"))
        assert pair.one.receive() == three.receive() == untagged("B", "02:00:00:00:00:99")


def test_a_bridge_that_is_removed_forwards_no_more_and_one_that_returns_knows_nobody(pair: Pair) -> None:
    pair.one.send(untagged("A", BROADCAST))
    pair.two.receive()
    pair.switch.vsctl("del-br", "br0")
    assert {"br0", "tap1", "tap2"}.isdisjoint(pair.switch.host.devices() | pair.far.devices())
    pair.switch.vsctl("add-br", "br0")
    assert pair.switch.fdb("br0") == {}


def test_a_fake_bridge_is_a_vlan_of_its_parent(pair: Pair) -> None:
    pair.switch.vsctl("add-br", "vlan7", "br0", "7")
    assert pair.switch.vsctl("br-to-vlan", "vlan7") == "7\n"
    assert pair.switch.vsctl("br-to-parent", "vlan7") == "br0\n"
    pair.switch.vsctl("add-port", "vlan7", "tap3", "--", "set", "Interface", "tap3", "type=internal")
    for name in ("vlan7", "tap3"):
        pair.switch.up(name)
    with pair.switch.host.tap("tap3") as three, pair.switch.host.tap("vlan7") as local:
        three.send(untagged("C", BROADCAST))
        assert local.receive() == untagged("C", BROADCAST)
        assert pair.one.receive() == pair.two.receive() == tagged(7, "C", BROADCAST)
        pair.one.send(tagged(7, "A", "C"))
        assert three.receive() == untagged("A", "C")
    pair.switch.vsctl("del-br", "vlan7")
    assert pair.switch.vsctl("list-br") == "br0\n"
    assert {"vlan7", "tap3"}.isdisjoint(pair.switch.host.devices())


def test_a_ping_goes_on_while_a_hundred_ports_come_and_go(pair: Pair) -> None:
    pair.far.up("tap1", "10.0.0.1/24")
    pair.switch.up("tap2", "10.0.0.2/24")
    third = pair.switch.lab.namespace("third")
    pair.switch.internal_in("br0", "tap3", third, "10.0.0.3/24")
    pair.far.ping("10.0.0.3")
    names = [f"many{number}" for number in range(100)]
    add = [f"add-port br0 {name} -- set Interface {name} type=internal" for name in names]
    with pair.far.pinging("10.0.0.3") as lost:
        pair.switch.vsctl(*" -- ".join(add).split())
        pair.switch.vsctl("set", "Port", names[0], "tag=9")
        pair.switch.vsctl(*" -- ".join(f"del-port {name}" for name in names).split())
        assert lost() == 0
    assert not pair.switch.host.devices() & set(names)


def test_a_broadcast_reaches_each_of_a_hundred_ports_once(pair: Pair) -> None:
    names = [f"many{number}" for number in range(100)]
    add = [f"add-port br0 {name} -- set Interface {name} type=internal" for name in names]
    pair.switch.vsctl(*" -- ".join(add).split())
    for name in names[:-1]:
        pair.switch.host.up(name)
    pair.switch.up(names[-1])
    with ExitStack() as stack:
        taps = [stack.enter_context(pair.switch.host.tap(name)) for name in names]
        for _ in range(3):
            pair.one.send(untagged("A", BROADCAST))
            assert [tap.receive() for tap in taps] == [untagged("A", BROADCAST)] * len(taps)
        pair.two.send(untagged("B", "A"))
        assert pair.one.receive() == untagged("B", "A")
        assert not [frame for tap in taps for frame in tap.drain()]


def test_clients_that_change_the_switch_at_the_same_time_all_succeed(pair: Pair) -> None:
    names = [f"tap{number}" for number in range(10, 22)]
    script = " & ".join(
        f"ovs-vsctl --timeout={20 * PATIENCE:.0f} add-port br0 {name} -- set Interface {name} type=internal"
        f" || echo {name}"
        for name in names
    )
    assert pair.switch.shell(f"{script} & wait") == ""
    assert set(names) <= pair.switch.host.devices()
    numbers = {pair.switch.get("Interface", name, "ofport") for name in names}
    assert len(numbers) == len(names)
    assert all(re.fullmatch(r"\d+", number) for number in numbers)


def test_a_name_of_15_bytes_and_one_with_odd_signs_are_good_names(pair: Pair) -> None:
    for name in ("a-name-of-15-by", "odd.na_me+@~#"):
        pair.switch.internal("br0", name)
        assert pair.switch.get("Interface", name, "error") == "[]"
        pair.switch.up(name)
        with pair.switch.host.tap(name) as tap:
            pair.one.send(untagged("A", BROADCAST))
            assert tap.receive() == untagged("A", BROADCAST)


def test_the_switchs_own_ends_have_no_addresses_and_say_nothing(switch: Switch) -> None:
    switch.host.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=0")
    switch.lab.defer(lambda: switch.host.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"))
    switch.vsctl("add-br", "br0")
    switch.internal("br0", "tap1")
    switch.up("tap1", "10.0.0.1/24")
    hidden = [name for name in switch.host.devices() if name.startswith("jf")]
    assert len(hidden) == 2
    for name in hidden:
        assert "inet" not in switch.host.ip("address", "show", "dev", name)
    assert switch.ports()["tap1"].tx_packets == 0
