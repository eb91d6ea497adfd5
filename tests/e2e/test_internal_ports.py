"""Internal ports: moved, renamed, lost and found, watched and counted."""

from __future__ import annotations

import re

import pytest

from jackfield.model import Address
from tests.e2e.switch import Switch
from tests.netlab import Namespace, until
from tests.scenarios.kit import BROADCAST, frame, mac, tagged, untagged


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
    address = one.mac("tap1")
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
    assert bridge.get("Interface", "tap1", "mac_in_use") == address
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
    number, address = bridge.get("Interface", "tap1", "ofport"), one.mac("tap1")
    bridge.host.ping("10.0.0.2")
    bridge.lab.remove(one)
    until(lambda: "tap1" in bridge.host.devices(), what="a new tap1 in the host")
    assert bridge.host.mac("tap1") == address
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
    address, before = where.mac("tap1"), counters(where, "tap1")
    with where.tcpdump("tap1") as dump, where.tap("tap1") as tap, other.tap("tap2") as station:
        for _ in range(3):
            tap.send(frame(address, BROADCAST))
            assert station.receive() == frame(address, BROADCAST)
        station.send(frame("B", address, payload=100))
        assert tap.receive() == frame("B", address, payload=100)
        station.send(frame("B", BROADCAST))
        assert tap.receive() == frame("B", BROADCAST)
        dump.expect(f"{address} > ff:ff:ff:ff:ff:ff")
        dump.expect(f"02:00:00:00:00:42 > {address}")
    after = counters(where, "tap1")
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 114 + 60, 3, 180, 0, 0]
    report = bridge.ports()["tap1"]
    assert (report.rx_packets, report.rx_bytes) == (3, 180)
    assert (report.tx_packets, report.tx_bytes) == (2, 114 + 60)


def counters(namespace: Namespace, device: str) -> list[int]:
    names = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "rx_dropped", "tx_dropped")
    return [int(namespace.read(device, f"statistics/{name}")) for name in names]


def test_what_is_flooded_to_ports_that_are_down_is_counted_there_as_such(bridge: Switch) -> None:
    one = bridge.lab.namespace("one")
    bridge.internal_in("br0", "tap1", one, "10.0.0.2/24")
    for name in ("tap2", "tap3"):
        bridge.internal("br0", name)
    with one.tap("tap1") as tap:
        for _ in range(4):
            tap.send(frame("A", BROADCAST))

    def told() -> bool:
        reports = bridge.ports()
        return all(reports[name].drops == {"port-down": 4} for name in ("tap2", "tap3"))

    until(told, what="four drops at each port that is down")
    assert [bridge.ports()[name].tx_packets for name in ("tap2", "tap3")] == [0, 0]


def test_an_mtu_set_past_the_switch_is_taken_back_and_the_log_names_the_way_to_ask(bridge: Switch) -> None:
    bridge.internal("br0", "tap1")
    bridge.host.ip("link", "set", "tap1", "mtu", "9000")
    until(lambda: bridge.host.read("tap1", "mtu") == "1500", what="the bridge's MTU")
    until(lambda: any("mtu_request" in line for line in bridge.daemon.log()), what="a line that names it")
    assert not bridge.daemon.log_warnings()


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


def test_a_port_that_is_renamed_in_the_host_goes_on_under_its_new_name(bridge: Switch) -> None:
    one = bridge.lab.namespace("one")
    bridge.internal_in("br0", "tap1", one, "10.0.0.2/24")
    bridge.host.ip("link", "set", "near", "down")
    bridge.host.ip("link", "set", "near", "name", "other")
    bridge.up("other")
    one.ping("10.0.0.1")
    bridge.internal("br0", "tap2")
    bridge.daemon.restart()
    one.ping("10.0.0.1")
    assert "near" not in bridge.host.devices()
    assert bridge.get("Interface", "near", "error") == "[]"
    bridge.vsctl("del-port", "near")
    assert "other" not in bridge.host.devices()


def test_a_device_that_is_not_the_switchs_keeps_its_name_and_is_not_touched(bridge: Switch) -> None:
    neighbour = bridge.lab.namespace("neighbour")
    bridge.lab.cable(bridge.host, "tap9", neighbour, "eth0")
    bridge.host.ip("link", "add", "br9", "type", "bridge")
    bridge.lab.defer(lambda: bridge.host.run("ip", "link", "delete", "br9", check=False))
    before = [bridge.host.ip("-d", "link", "show", name) for name in ("tap9", "br9")]
    for words in ("add-port br0 tap9 -- set Interface tap9 type=internal", "add-br br9"):
        done = bridge.try_vsctl(*words.split())
        assert "exists and is not the switch's" in done.stderr
    assert [bridge.host.ip("-d", "link", "show", name) for name in ("tap9", "br9")] == before
    bridge.host.ip("link", "delete", "tap9")
    bridge.wait_for("Interface", "tap9", "ofport", r"\d+")
    bridge.vsctl("del-port", "tap9", "--", "del-br", "br9")
    assert "tap9" not in bridge.host.devices()
    assert bridge.host.ip("-d", "link", "show", "br9") == before[1]


def test_a_port_that_changes_its_type_changes_its_device(bridge: Switch) -> None:
    bridge.internal("br0", "tap1")
    bridge.vsctl("set", "Interface", "tap1", "type=patch", "options:peer=tap2")
    assert "tap1" not in bridge.host.devices()
    bridge.vsctl("clear", "Interface", "tap1", "options", "--", "set", "Interface", "tap1", "type=internal")
    assert "tap1" in bridge.host.devices()
    assert bridge.get("Interface", "tap1", "error") == "[]"


def test_a_flood_of_addresses_by_one_port_leaves_other_ports_their_places(bridge: Switch) -> None:
    bridge.vsctl("set", "Bridge", "br0", "other_config:mac-table-size=12")
    victim, flooder = bridge.lab.namespace("victim"), bridge.lab.namespace("flooder")
    for name, namespace in (("tap1", victim), ("tap2", flooder)):
        bridge.internal("br0", name, f"ofport_request={name[-1]}1")
        bridge.move(name, namespace)
        bridge.up(name, namespace=namespace)
    with victim.tap("tap1") as quiet, flooder.tap("tap2") as loud:
        for station in "ABC":
            quiet.send(untagged(station, BROADCAST))
        for number in range(500):
            loud.send(frame(f"02:aa:00:00:{number >> 8:02x}:{number & 255:02x}", BROADCAST))
        until(lambda: bridge.ports()["tap2"].rx_packets == 500, what="500 frames")
        known = bridge.fdb("br0")
        assert len(known) <= 12
        assert {Address(0, mac(station)) for station in "ABC"} <= known.keys()
        quiet.drain()
        loud.send(untagged("Z", "A"))
        assert quiet.receive(lambda got: got == untagged("Z", "A"))


def test_a_user_may_give_a_port_another_mac_wherever_it_is(bridge: Switch) -> None:
    one = bridge.lab.namespace("one")
    bridge.internal_in("br0", "tap1", one, "10.0.0.2/24")
    one.ip("link", "set", "tap1", "address", "02:12:34:56:78:9c")
    bridge.wait_for("Interface", "tap1", "mac_in_use", "02:12:34:56:78:9c")
    one.ping("10.0.0.1")
    bridge.internal("br0", "tap2")
    bridge.daemon.restart()
    assert one.mac("tap1") == "02:12:34:56:78:9c"
    bridge.host.ping("10.0.0.2")


def test_the_switchs_end_of_a_port_is_brought_up_again_when_somebody_takes_it_down(bridge: Switch) -> None:
    one = bridge.lab.namespace("one")
    bridge.internal_in("br0", "tap1", one, "10.0.0.2/24")
    for name in bridge.host.devices():
        if name.startswith("jf"):
            bridge.host.ip("link", "set", name, "down")
    one.ping("10.0.0.1")
