"""The frames by which a bond tells its neighbours where addresses are."""

from __future__ import annotations

from jackfield.model.bonding import announcement
from jackfield.model.config import PortConfig, VlanMode

MAC = bytes.fromhex("02000000000a")
BODY = "0001 0800 06 04 0003 02000000000a 00000000 02000000000a 00000000"


def test_an_address_is_announced_by_a_reverse_arp_request() -> None:
    assert announcement(PortConfig("p"), 0, MAC) == bytes.fromhex("ffffffffffff 02000000000a 8035" + BODY)


def test_it_bears_the_tag_of_its_vlan() -> None:
    tagged = bytes.fromhex("ffffffffffff 02000000000a 8100 03e8 8035" + BODY)
    assert announcement(PortConfig("p"), 1000, MAC) == tagged


def test_it_leaves_by_an_access_port_without_a_tag() -> None:
    port = PortConfig("p", vlan_mode=VlanMode.ACCESS, tag=1000)
    assert announcement(port, 1000, MAC) == announcement(PortConfig("p"), 0, MAC)


def test_a_vlan_that_the_port_does_not_carry_is_not_announced() -> None:
    assert announcement(PortConfig("p", trunks=frozenset({10})), 20, MAC) is None
