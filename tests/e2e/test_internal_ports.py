"""Internal ports: moved, renamed, lost and found, watched and counted."""

from __future__ import annotations

import re

import pytest

from tests.e2e.switch import Switch
from tests.netlab import until
from tests.scenarios.kit import BROADCAST, tagged, untagged


@pytest.fixture
def bridge(switch: Switch) -> Switch:
    """Bridge br0 with internal port `near`, 10.0.0.1, in the host."""
    switch.vsctl("add-br", "br0")
    switch.internal("br0", "near")
    switch.up("near", "10.0.0.1/24")
    return switch


def test_a_port_works_in_another_namespace_renamed_there_moved_on_and_brought_back(bridge: Switch) -> None:
    one, two = bridge.lab.namespace("one"), bridge.lab.namespace("two")
    bridge.internal_in("br0", "tap1", one, "10.0.0.2/24")
    number = bridge.get("Interface", "tap1", "ofport")
    mac = one.mac("tap1")
    bridge.host.ping("10.0.0.2")

    one.ip("link", "set", "tap1", "down")
    one.ip("link", "set", "tap1", "name", "eth0")
    one.up("eth0")
    bridge.host.ping("10.0.0.2")
    one.ping("10.0.0.1")

    one.ip("link", "set", "eth0", "netns", two.name)
    two.up("eth0", "10.0.0.3/24")
    bridge.host.ping("10.0.0.3")

    two.ip("link", "set", "eth0", "netns", bridge.host.name)
    bridge.host.ip("link", "set", "eth0", "name", "tap1")
    one_more = bridge.lab.namespace("more")
    bridge.internal_in("br0", "tap2", one_more, "10.0.0.4/24")
    bridge.host.ip("address", "flush", "dev", "near")
    bridge.up("tap1", "10.0.0.5/24")
    one_more.ping("10.0.0.5")

    assert bridge.get("Interface", "tap1", "ofport") == number
    assert bridge.get("Interface", "tap1", "mac_in_use") == mac
    assert bridge.get("Interface", "tap1", "error") == "[]"
    assert "tap1" in bridge.host.devices()
    bridge.vsctl("del-port", "br0", "tap1")
    assert "tap1" not in bridge.host.devices()


def test_a_port_that_is_deleted_goes_away_wherever_it_is_and_whatever_it_is_called(bridge: Switch) -> None:
    one = bridge.lab.namespace("one")
    bridge.internal_in("br0", "tap1", one, "10.0.0.2/24")
    one.ip("link", "set", "tap1", "down")
    one.ip("link", "set", "tap1", "name", "eth7")
    bridge.vsctl("del-port", "br0", "tap1")
    assert one.devices() == {"lo"}


def test_a_port_whose_namespace_died_comes_back_in_the_host_with_its_number_and_mac(bridge: Switch) -> None:
    one = bridge.lab.namespace("one")
    bridge.internal_in("br0", "tap1", one, "10.0.0.2/24")
    number, mac = bridge.get("Interface", "tap1", "ofport"), one.mac("tap1")
    bridge.host.ping("10.0.0.2")
    bridge.lab.remove(one)
    until(lambda: "tap1" in bridge.host.devices(), what="a new tap1 in the host")
    assert bridge.host.mac("tap1") == mac
    bridge.wait_for("Interface", "tap1", "ofport", number)
    two = bridge.lab.namespace("two")
    bridge.move("tap1", two)
    two.up("tap1", "10.0.0.3/24")
    two.ping("10.0.0.1")


def test_a_port_that_somebody_deletes_comes_back(bridge: Switch) -> None:
    bridge.internal("br0", "tap1")
    bridge.host.ip("link", "delete", "tap1")
    until(lambda: "tap1" in bridge.host.devices(), what="a new tap1")
    bridge.wait_for("Interface", "tap1", "error", r"\[\]")


@pytest.mark.parametrize("far", [False, True], ids=["in the host", "in another namespace"])
def test_tcpdump_on_a_port_shows_both_directions_and_its_counters_count_both(
    bridge: Switch, far: bool
) -> None:
    where = bridge.lab.namespace("one") if far else bridge.host
    other = bridge.lab.namespace("other")
    bridge.internal("br0", "tap1")
    if far:
        bridge.move("tap1", where)
    bridge.up("tap1", namespace=where)
    bridge.internal("br0", "tap2")
    bridge.move("tap2", other)
    bridge.up("tap2", namespace=other)
    before = counters(where.read, "tap1")
    with where.tcpdump("tap1") as dump, where.tap("tap1") as tap, other.tap("tap2") as station:
        for _ in range(3):
            tap.send(untagged("A", BROADCAST))
            assert station.receive() == untagged("A", BROADCAST)
        station.send(untagged("B", "A", payload=100))
        assert tap.receive() == untagged("B", "A", payload=100)
        dump.expect("02:00:00:00:00:41 > ff:ff:ff:ff:ff:ff")
        dump.expect("02:00:00:00:00:42 > 02:00:00:00:00:41")
    after = counters(where.read, "tap1")
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 114, 3, 180, 0, 0]
    report = bridge.ports()["tap1"]
    assert (report.rx_packets, report.rx_bytes) == (3, 180)
    assert (report.tx_packets, report.tx_bytes) == (1, 114)


def counters(read: object, device: str) -> list[int]:
    names = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "rx_dropped", "tx_dropped")
    assert callable(read)
    return [int(read(device, f"statistics/{name}")) for name in names]


def test_the_statistics_column_counts_from_the_switchs_point_of_view(bridge: Switch) -> None:
    bridge.vsctl("set", "Open_vSwitch", ".", "other_config:stats-update-interval=1000")
    other = bridge.lab.namespace("other")
    bridge.internal_in("br0", "tap1", other, "10.0.0.2/24", "tag=5")
    with other.tap("tap1") as tap:
        for _ in range(4):
            tap.send(tagged(6, "A", BROADCAST))
    bridge.wait_for("Interface", "tap1", "statistics:rx_packets", "4")
    assert bridge.get("Interface", "tap1", "statistics:rx_bytes") == "256"
    assert bridge.get("Interface", "tap1", "statistics:rx_dropped") == "4"  # tagged on an access port
    names = set(re.findall(r"(\w+)=", bridge.get("Interface", "tap1", "statistics")))
    wanted = {f"{way}_{what}" for way in ("rx", "tx") for what in ("packets", "bytes", "dropped", "errors")}
    assert names >= wanted


def test_the_mac_column_and_the_mtu_request_set_the_device_wherever_it_is(bridge: Switch) -> None:
    other = bridge.lab.namespace("other")
    bridge.internal("br0", "tap1", 'mac="02:12:34:56:78:9a"', "mtu_request=1400")
    assert bridge.host.mac("tap1") == "02:12:34:56:78:9a"
    assert "mtu 1400" in bridge.host.ip("link", "show", "tap1")
    assert bridge.get("Interface", "tap1", "mtu") == "1400"
    bridge.move("tap1", other)
    bridge.vsctl("set", "Interface", "tap1", "mtu_request=1300", 'mac="02:12:34:56:78:9b"')
    until(lambda: "mtu 1300" in other.ip("link", "show", "tap1"), what="MTU 1300")
    until(lambda: other.mac("tap1") == "02:12:34:56:78:9b", what="the new address")
    bridge.wait_for("Interface", "tap1", "mac_in_use", "02:12:34:56:78:9b")
    bridge.wait_for("Interface", "tap1", "mtu", "1300")


def test_a_number_asked_for_is_given_and_one_that_is_taken_is_not(bridge: Switch) -> None:
    bridge.internal("br0", "tap1", "ofport_request=77")
    bridge.internal("br0", "tap2", "ofport_request=77")
    assert bridge.get("Interface", "tap1", "ofport") == "77"
    assert bridge.get("Interface", "tap2", "ofport") not in ("77", "-1", "[]")


def test_the_states_follow_what_the_user_does_to_the_device(bridge: Switch) -> None:
    other = bridge.lab.namespace("other")
    bridge.internal("br0", "tap1")
    assert bridge.get("Interface", "tap1", "admin_state") == "down"
    bridge.move("tap1", other)
    other.up("tap1")
    bridge.wait_for("Interface", "tap1", "admin_state", "up")
    bridge.wait_for("Interface", "tap1", "link_state", "up")
    other.ip("link", "set", "tap1", "down")
    bridge.wait_for("Interface", "tap1", "admin_state", "down")


def test_a_port_moves_to_another_bridge_in_one_transaction(bridge: Switch) -> None:
    one, two = bridge.lab.namespace("one"), bridge.lab.namespace("two")
    bridge.vsctl("add-br", "br1")
    bridge.internal_in("br0", "tap1", one, "10.0.0.2/24")
    bridge.internal_in("br1", "tap2", two, "10.0.0.3/24")
    one.ping("10.0.0.1")
    assert not one.pings("10.0.0.3")
    bridge.vsctl(
        *("del-port", "br0", "tap1", "--", "add-port", "br1", "tap1"),
        *("--", "set", "Interface", "tap1", "type=internal"),
    )
    assert "tap1" in one.devices() | bridge.host.devices()
    if "tap1" in bridge.host.devices():
        bridge.move("tap1", one)
        one.up("tap1", "10.0.0.2/24")
    one.ping("10.0.0.3")
    assert not one.pings("10.0.0.1")


def test_a_station_that_moves_is_found_at_its_new_port_as_soon_as_it_speaks(bridge: Switch) -> None:
    one, two = bridge.lab.namespace("one"), bridge.lab.namespace("two")
    bridge.internal("br0", "tap1")
    bridge.internal("br0", "tap2")
    for name, namespace in (("tap1", one), ("tap2", two)):
        bridge.move(name, namespace)
        bridge.up(name, namespace=namespace)
    with one.tap("tap1") as first, two.tap("tap2") as second, bridge.host.tap("near") as near:
        first.send(untagged("A", BROADCAST))
        near.send(untagged("B", "A"))
        assert first.receive(lambda frame: frame == untagged("B", "A"))
        second.send(untagged("A", BROADCAST))
        near.send(untagged("C", "A"))
        assert second.receive(lambda frame: frame == untagged("C", "A"))
        assert untagged("C", "A") not in first.drain()
