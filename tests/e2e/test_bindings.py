"""A station that is bound to its addresses talks as before, and not in the name of others."""

from __future__ import annotations

from tests.e2e.switch import Switch
from tests.netlab import until


def test_a_station_talks_by_its_own_addresses_only(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    one, two = switch.lab.namespace("one"), switch.lab.namespace("two")
    switch.internal_in("br0", "tap1", one, "10.0.0.1/24")
    switch.internal_in("br0", "tap2", two, "10.0.0.2/24")
    own = f"{one.mac('tap1')} 10.0.0.1"
    switch.vsctl("set", "Port", "tap1", f'other_config:allowed-addresses="{own}"')
    one.ping("10.0.0.2", count=3)
    assert not switch.drops("tap1")

    one.ip("address", "add", "10.0.0.7/24", "dev", "tap1")
    two.ip("neighbour", "flush", "all")
    assert not two.pings("10.0.0.7")
    assert switch.drops("tap1")["bound-arp"] > 0
    assert one.run("ping", "-c", "1", "-W", "0.3", "-I", "10.0.0.7", "10.0.0.2", check=False).returncode
    until(lambda: switch.drops("tap1").get("bound-ip"), what="a packet that is refused")
    two.ping("10.0.0.1")

    one.ip("link", "set", "tap1", "address", "02:00:00:00:00:77")
    assert not one.pings("10.0.0.2")
    assert switch.drops("tap1")["bound-mac"] > 0
    switch.vsctl("remove", "Port", "tap1", "other_config", "allowed-addresses")
    for station in (one, two):
        station.ip("neighbour", "flush", "all")  # what they could not hear of meanwhile
    one.ping("10.0.0.2")


def test_what_is_no_address_is_named_and_the_rest_holds(switch: Switch) -> None:
    switch.vsctl("add-br", "br0")
    switch.internal("br0", "tap1")
    switch.vsctl("set", "Port", "tap1", 'other_config:allowed-addresses="02:00:00:00:00:0a 10.0.0.300"')
    switch.wait_for("Port", "tap1", "status", ".*ignoring .*10.0.0.300.* in allowed-addresses.*")
