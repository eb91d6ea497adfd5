"""A Linux bridge that knows VLANs onto the switch: only where the kernel has such bridges (conftest.py)."""

from __future__ import annotations

from tests.adopt.hosts import bridge_now, deaf_gateway
from tests.adopt.world import HOST, Stream, World, differences
from tests.netlab import Namespace


def set_vlans(world: World) -> None:
    """lan0 in VLAN 10 untagged; eth0 a trunk with native VLAN 10; jftp1 in VLAN 20 only."""
    world.host.ip("link", "set", "lan0", "type", "bridge", "vlan_filtering", "1")
    for device, own in (("lan0", ["self"]), ("eth0", []), ("jftp1", [])):
        world.host.run("bridge", "vlan", "del", "vid", "1", "dev", device, *own)
        vid = "20" if device == "jftp1" else "10"
        world.host.run("bridge", "vlan", "add", "vid", vid, "dev", device, "pvid", "untagged", *own)
    world.host.run("bridge", "vlan", "add", "vid", "20-25", "dev", "eth0")


def test_vlans_are_taken_over_and_put_back(bridged: World, inside: Namespace) -> None:
    world = bridged
    set_vlans(world)
    before = bridge_now(world)
    with Stream(world) as stream:
        with deaf_gateway(world):
            said = world.jackfield("import-bridge", "lan0", "--confirm-timeout", "1", code=1)
        assert "has not answered through lan0" in said
        assert differences(before, bridge_now(world)) == []
        world.jackfield("import-bridge", "lan0")
        stream.goes_on()
    get = world.daemon.vsctl
    assert get("get", "Port", "lan0", "tag").strip() == "10"
    assert get("get", "Port", "jftp1", "tag").strip() == "20"
    columns = ("tag", "vlan_mode", "trunks")
    assert get("get", "Port", "eth0", *columns).split("\n")[:3] == [
        "10",
        "native-untagged",
        "[10, 20, 21, 22, 23, 24, 25]",
    ]
    assert not inside.pings(HOST)
