"""Network cards on the switch: taken over, missing, lost and found again."""

from __future__ import annotations

from tests.e2e.switch import Switch
from tests.netlab import Namespace, until
from tests.scenarios.kit import BROADCAST, tagged, untagged


def card(switch: Switch, name: str, label: str, mtu: int = 1500) -> Namespace:
    """A card of the host and the neighbour at the other end of its cable (`eth0` there)."""
    neighbour = switch.lab.namespace(label)
    switch.lab.cable(switch.host, name, neighbour, "eth0", mtu=mtu)
    return neighbour


def test_a_card_is_promiscuous_while_it_is_on_the_switch_and_as_before_when_it_leaves(switch: Switch) -> None:
    card(switch, "eth1", "n1")
    card(switch, "eth2", "n2")
    switch.host.ip("link", "set", "eth2", "promisc", "on")
    before = [switch.promiscuous(name) for name in ("eth1", "eth2")]
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1", "--", "add-port", "br0", "eth2")
    assert [switch.promiscuous(name) for name in ("eth1", "eth2")] == [True, True]
    switch.vsctl("del-port", "eth1", "--", "del-port", "eth2")
    assert [switch.promiscuous(name) for name in ("eth1", "eth2")] == before == [False, True]


def test_frames_to_other_stations_pass_between_cards_and_the_host_sees_none_of_them(switch: Switch) -> None:
    first, second = card(switch, "eth1", "n1"), card(switch, "eth2", "n2")
    first.up("eth0", "10.0.0.1/24")
    second.up("eth0", "10.0.0.2/24")
    switch.host.up("eth1", "10.0.0.9/24")
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1", "--", "add-port", "br0", "eth2")
    first.ping("10.0.0.2")
    assert not first.pings("10.0.0.9")
    neighbours = switch.host.ip("neighbour", "show", "dev", "eth1")
    assert "10.0.0.1" not in neighbours


def test_a_card_that_is_missing_is_reported_and_taken_when_it_appears(switch: Switch) -> None:
    first = card(switch, "eth1", "n1")
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1")
    switch.internal("br0", "tap1")
    switch.host.up("tap1", "10.0.0.2/24")
    first.up("eth0", "10.0.0.1/24")
    first.ping("10.0.0.2")
    with first.pinging("10.0.0.2") as steady:
        done = switch.try_vsctl("add-port", "br0", "eth5")
        assert done.returncode == 0
        assert done.stderr.splitlines()[0] == (
            "ovs-vsctl: Error detected while setting up 'eth5': could not open network device eth5"
            " (No such device).  See ovs-vswitchd log for details."
        )
        assert switch.get("Interface", "eth5", "ofport") == "-1"
        error = switch.get("Interface", "eth5", "error")
        assert error == "could not open network device eth5 (No such device)"

        fifth = card(switch, "eth5", "n5")
        number = switch.wait_for("Interface", "eth5", "ofport", r"\d+")
        assert switch.get("Interface", "eth5", "error") == "[]"
        fifth.up("eth0", "10.0.0.5/24")
        fifth.ping("10.0.0.1")

        switch.host.ip("link", "delete", "eth5")
        switch.wait_for("Interface", "eth5", "error", ".*No such device.*")
        assert switch.get("Interface", "eth5", "ofport") == "-1"

        switch.lab.cable(switch.host, "eth5", fifth, "eth0")
        fifth.up("eth0", "10.0.0.5/24")
        assert switch.wait_for("Interface", "eth5", "ofport", r"\d+") == number
        fifth.ping("10.0.0.1")
        assert steady() == 0


def rename(host: Namespace, old: str, new: str) -> None:
    """Kernels before 6.2 want the device down."""
    host.ip("link", "set", old, "down")
    host.ip("link", "set", old, "name", new)
    host.ip("link", "set", new, "up")


def test_a_card_that_is_renamed_away_is_missing_and_one_renamed_to_the_name_is_taken(switch: Switch) -> None:
    first, second = card(switch, "eth1", "n1"), card(switch, "eth2", "n2")
    first.up("eth0", "10.0.0.1/24")
    second.up("eth0", "10.0.0.2/24")
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1")
    switch.internal("br0", "tap1")
    switch.host.up("tap1", "10.0.0.9/24")
    first.ping("10.0.0.9")
    rename(switch.host, "eth1", "old1")
    switch.wait_for("Interface", "eth1", "error", ".*No such device.*")
    until(lambda: not switch.promiscuous("old1"), what="the card that left is not promiscuous")
    assert not first.pings("10.0.0.9")
    rename(switch.host, "eth2", "eth1")
    switch.wait_for("Interface", "eth1", "ofport", r"\d+")
    second.ping("10.0.0.9")


def test_a_card_that_belongs_to_a_linux_bridge_is_refused(switch: Switch) -> None:
    card(switch, "eth1", "n1")
    switch.host.ip("link", "add", "lbr", "type", "bridge")
    switch.lab.defer(lambda: switch.host.run("ip", "link", "delete", "lbr", check=False))
    switch.host.ip("link", "set", "eth1", "master", "lbr")
    switch.vsctl("add-br", "br0")
    done = switch.try_vsctl("add-port", "br0", "eth1")
    assert "Device or resource busy" in done.stderr
    assert switch.get("Interface", "eth1", "ofport") == "-1"
    switch.host.ip("link", "set", "eth1", "nomaster")
    switch.wait_for("Interface", "eth1", "ofport", r"\d+")


def test_the_status_columns_of_a_card_tell_what_the_kernel_tells(switch: Switch) -> None:
    neighbour = card(switch, "eth1", "n1", mtu=1450)
    switch.vsctl("set", "Open_vSwitch", ".", "other_config:stats-update-interval=1000")
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1")
    assert switch.get("Interface", "eth1", "mac_in_use") == switch.host.mac("eth1")
    assert switch.get("Interface", "eth1", "mtu") == "1450"
    assert switch.get("Interface", "eth1", "admin_state") == "up"
    assert switch.get("Interface", "eth1", "link_state") == "up"
    assert switch.get("Interface", "eth1", "ifindex") == switch.host.read("eth1", "ifindex")
    assert switch.get("Interface", "eth1", "status:driver_name") == "veth"
    resets = int(switch.get("Interface", "eth1", "link_resets"))
    neighbour.ip("link", "set", "eth0", "down")
    switch.wait_for("Interface", "eth1", "link_state", "down")
    neighbour.ip("link", "set", "eth0", "up")
    switch.wait_for("Interface", "eth1", "link_state", "up")
    assert int(switch.get("Interface", "eth1", "link_resets")) > resets
    with neighbour.tap("eth0") as tap:
        tap.send(untagged("A", BROADCAST))
    count = switch.host.read("eth1", "statistics/rx_packets")
    switch.wait_for("Interface", "eth1", "statistics:rx_packets", count)
    switch.host.ip("link", "set", "eth1", "down")
    switch.wait_for("Interface", "eth1", "admin_state", "down")


def test_a_bridge_has_the_lowest_global_mac_and_the_smallest_mtu_of_its_ports(switch: Switch) -> None:
    for number, mtu in ((1, 1400), (2, 1500)):
        card(switch, f"eth{number}", f"n{number}", mtu=mtu)
        switch.host.ip("link", "set", f"eth{number}", "address", f"00:16:3e:00:00:0{number}")
    switch.vsctl("add-br", "br0")
    made_up = switch.host.mac("br0")
    assert int(made_up[:2], 16) & 3 == 2
    switch.vsctl("add-port", "br0", "eth2")
    assert switch.host.mac("br0") == "00:16:3e:00:00:02"
    assert switch.get("Bridge", "br0", "datapath_id") == "000000163e000002"
    assert "mtu 1500" in switch.host.ip("link", "show", "br0")
    switch.vsctl("add-port", "br0", "eth1")
    assert switch.host.mac("br0") == "00:16:3e:00:00:01"
    assert "mtu 1400" in switch.host.ip("link", "show", "br0")
    switch.vsctl("set", "Bridge", "br0", 'other_config:hwaddr="02:00:00:00:01:23"')
    assert switch.host.mac("br0") == "02:00:00:00:01:23"
    assert switch.get("Interface", "br0", "mac_in_use") == "02:00:00:00:01:23"
    switch.vsctl("set", "Interface", "br0", "mtu_request=1300")
    assert "mtu 1300" in switch.host.ip("link", "show", "br0")
    switch.vsctl("clear", "Interface", "br0", "mtu_request", "--", "del-port", "eth1")
    switch.vsctl("remove", "Bridge", "br0", "other_config", "hwaddr")
    assert switch.host.mac("br0") == "00:16:3e:00:00:02"
    assert "mtu 1500" in switch.host.ip("link", "show", "br0")


def test_a_card_gets_the_mtu_that_is_requested(switch: Switch) -> None:
    card(switch, "eth1", "n1")
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1")
    switch.vsctl("set", "Interface", "eth1", "mtu_request=2000")
    assert switch.host.read("eth1", "mtu") == "2000"
    assert switch.get("Interface", "eth1", "mtu") == "2000"


def test_a_card_that_is_moved_away_is_missing_and_taken_again_when_it_comes_back(switch: Switch) -> None:
    neighbour, elsewhere = card(switch, "eth1", "n1"), switch.lab.namespace("elsewhere")
    neighbour.up("eth0", "10.0.0.1/24")
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1")
    switch.up("br0", "10.0.0.9/24")
    neighbour.ping("10.0.0.9")
    switch.move("eth1", elsewhere)
    switch.wait_for("Interface", "eth1", "error", ".*No such device.*")
    elsewhere.up("eth1", "10.0.0.8/24")
    neighbour.ping("10.0.0.8")  # nothing of the switch is left on it
    elsewhere.ip("link", "set", "eth1", "netns", switch.host.name)
    switch.host.up("eth1")
    switch.wait_for("Interface", "eth1", "ofport", r"\d+")
    neighbour.ping("10.0.0.9")


def test_a_tap_device_of_a_virtual_machine_is_a_card_like_any_other(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    switch.internal("br0", "tap1")
    switch.up("tap1")
    with switch.host.tap("tap1") as port:
        with switch.host.machine("vm0") as machine:
            switch.host.up("vm0")
            switch.vsctl("add-port", "br0", "vm0", "tag=7")
            machine.send(untagged("A", BROADCAST))
            assert port.receive() == tagged(7, "A", BROADCAST)
            port.send(tagged(7, "B", "A"))
            assert machine.receive() == untagged("B", "A")
            switch.vsctl("clear", "Port", "vm0", "tag")
            machine.send(tagged(9, "A", BROADCAST))
            assert port.receive() == tagged(9, "A", BROADCAST)
            port.send(tagged(9, "B", "A"))
            assert machine.receive() == tagged(9, "B", "A")
        switch.wait_for("Interface", "vm0", "error", ".*No such device.*")


def test_a_device_with_a_high_number_is_a_port_as_any(switch: Switch) -> None:
    first, far = card(switch, "eth1", "n1"), switch.lab.namespace("n2")
    switch.host.ip(
        *("link", "add", "eth2", "index", "20000", "type", "veth"),
        *("peer", "name", "eth0", "netns", far.name),
    )
    switch.host.ip("link", "set", "eth2", "up")
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1", "--", "add-port", "br0", "eth2")
    first.up("eth0", "10.0.0.1/24")
    far.up("eth0", "10.0.0.2/24")
    far.ping("10.0.0.1")
    switch.vsctl("del-port", "eth2")
    assert not far.pings("10.0.0.1")
