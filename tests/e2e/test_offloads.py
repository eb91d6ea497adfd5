"""TCP as hosts really send it: super-frames, checksums left to the card, jumbo frames, mixed MTUs, tags."""

from __future__ import annotations

import pytest

from tests.e2e.switch import Switch, new_switch
from tests.netlab import DEADLINE, Namespace, transfer, until

pytestmark = pytest.mark.usefixtures("no_warnings")

SIZE = 20_000_000  # bytes: enough for super-frames of 64 KiB


def station(switch: Switch, number: int, *settings: str) -> Namespace:
    """A namespace with internal port `tapN`, address 10.0.0.N."""
    namespace = switch.lab.namespace(f"c{number}")
    switch.internal_in("br0", f"tap{number}", namespace, f"10.0.0.{number}/24", *settings)
    return namespace


def neighbour(switch: Switch, number: int, *settings: str, mtu: int = 1500) -> Namespace:
    """A namespace with a cable to card `ethN` of the host, address 10.0.0.N."""
    namespace = switch.lab.namespace(f"n{number}")
    switch.lab.cable(switch.host, f"eth{number}", namespace, "eth0", mtu=mtu)
    namespace.up("eth0", f"10.0.0.{number}/24")
    switch.vsctl("add-port", "br0", f"eth{number}", *settings)
    return namespace


def test_tcp_between_namespaces_keeps_its_super_frames_whole(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    one, two = station(switch, 1), station(switch, 2)
    one.ping("10.0.0.2")
    transfer(one, two, "10.0.0.2", SIZE)
    transfer(two, one, "10.0.0.1", SIZE)
    report = switch.ports()["tap1"]
    assert report.rx_bytes / report.rx_packets > 1514
    assert not report.drops


def test_tcp_between_the_host_and_a_namespace_and_within_the_host(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    one = station(switch, 1)
    switch.host.up("br0", "10.0.0.9/24")
    transfer(one, switch.host, "10.0.0.9", SIZE)
    transfer(switch.host, one, "10.0.0.1", SIZE)
    assert not switch.drops("tap1")


def test_tcp_between_an_internal_port_and_a_card(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    one, far = station(switch, 1), neighbour(switch, 8)
    transfer(one, far, "10.0.0.8", SIZE)
    transfer(far, one, "10.0.0.1", SIZE)
    assert not switch.drops("tap1")
    assert not switch.drops("eth8")


def test_tcp_to_a_card_whose_sender_computes_no_checksums_arrives_right(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    one, far = station(switch, 1), neighbour(switch, 8)
    far.run("ethtool", "-K", "eth0", "rx", "off", "gro", "off")
    switch.host.run("ethtool", "-K", "eth8", "tso", "off", "gso", "off", "tx", "off")
    transfer(one, far, "10.0.0.8", SIZE // 4)
    transfer(far, one, "10.0.0.1", SIZE // 4)


def test_tagged_tcp_over_a_trunk_between_two_switches(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    one = station(switch, 1, "tag=10")
    with new_switch() as other:
        switch.lab.cable(switch.host, "eth8", other.host, "eth8")
        switch.vsctl("add-port", "br0", "eth8", "trunks=10,20")
        other.vsctl("add-br", "br0", "--", "add-port", "br0", "eth8")
        other.internal_in("br0", "tap8", other.host, "10.0.0.8/24", "tag=10")
        transfer(one, other.host, "10.0.0.8", SIZE)
        transfer(other.host, one, "10.0.0.1", SIZE)
        report = switch.ports()["eth8"]
        assert report.rx_bytes / report.rx_packets > 1518
        assert not report.drops
        assert not switch.drops("tap1")


def test_tcp_through_two_patched_bridges_and_a_tunnel_vlan(switch: Switch) -> None:
    switch.vsctl(
        *("add-br", "br0", "--", "add-br", "br1"),
        *("--", "add-port", "br0", "to1", "vlan_mode=dot1q-tunnel", "tag=100"),
        *("--", "set", "Interface", "to1", "type=patch", "options:peer=to0"),
        *("--", "add-port", "br1", "to0", "--", "set", "Interface", "to0", "type=patch", "options:peer=to1"),
    )
    one = station(switch, 1, "tag=100")
    two = switch.lab.namespace("two")
    switch.internal_in("br1", "tap2", two, "10.0.0.2/24")
    transfer(one, two, "10.0.0.2", SIZE)
    transfer(two, one, "10.0.0.1", SIZE)


def test_jumbo_frames_pass_where_every_port_is_set_for_them(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    far = neighbour(switch, 8, mtu=9000)
    one = switch.lab.namespace("one")
    switch.internal("br0", "tap1", "mtu_request=9000")
    switch.move("tap1", one)
    one.up("tap1", "10.0.0.1/24")
    one.ping("10.0.0.8", size=8972)
    transfer(one, far, "10.0.0.8", SIZE)
    transfer(far, one, "10.0.0.1", SIZE)


def test_where_mtus_differ_small_frames_pass_and_large_ones_are_counted_with_a_reason(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    far = neighbour(switch, 8, mtu=9000)
    one = station(switch, 1)
    switch.vsctl("set", "Interface", "tap1", "mtu_request=1500")
    far.ping("10.0.0.1")
    far.ping("10.0.0.1", size=1472)
    assert not far.pings("10.0.0.1", size=1473)
    assert switch.drops("tap1")["mtu-exceeded"] >= 1
    transfer(one, far, "10.0.0.8", SIZE // 4)  # the MSS that both agree on is the smaller one


def test_super_frames_of_large_segments_do_not_slip_through_a_port_with_a_small_mtu(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    far = neighbour(switch, 8, mtu=9000)
    one = station(switch, 1)
    switch.vsctl("set", "Interface", "tap1", "mtu_request=1500")
    # The receiver lies about what it can take, so that the sender's super-frames have segments of 9000.
    one.ip("route", "replace", "10.0.0.0/24", "dev", "tap1", "advmss", "8960")
    with one.listen("10.0.0.1", 0) as server, far.connect("10.0.0.1", server.getsockname()[1]) as out:
        incoming, _ = server.accept()
        with incoming, one.tap("tap1") as tap:
            out.settimeout(DEADLINE)
            out.sendall(bytes(200_000))
            until(lambda: switch.drops("tap1").get("mtu-exceeded"), what="a drop for the MTU")
            assert max(map(len, tap.drain()), default=0) <= 1514
            incoming.setblocking(False)
            with pytest.raises(BlockingIOError):
                incoming.recv(1)


def test_tcp_whose_every_frame_is_flooded_with_and_without_tags_arrives_right(switch: Switch) -> None:
    switch.vsctl("add-br", "br0", "--", "set", "Bridge", "br0", "flood_vlans=10")
    one, two = station(switch, 1, "tag=10"), station(switch, 2, "tag=10")
    neighbour(switch, 8)
    station(switch, 3, "vlan_mode=native-tagged", "tag=10")
    station(switch, 4, "tag=10")
    transfer(one, two, "10.0.0.2", SIZE // 4)
    transfer(two, one, "10.0.0.1", SIZE // 4)
    assert switch.fdb("br0") == {}
    copies = switch.ports()
    assert copies["eth8"].tx_bytes > SIZE // 2
    assert copies["eth8"].tx_packets == copies["tap3"].tx_packets == copies["tap4"].tx_packets
