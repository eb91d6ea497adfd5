"""What can be asked for, and what is made of it: without a switch."""

from __future__ import annotations

import pytest

from jackfield.client.errors import Failure
from jackfield.containers.attachment import (
    Attachment,
    Wish,
    checked,
    made_up_mac,
    new_attachment,
    port_name,
    read_vlan_options,
)
from jackfield.containers.targets import Target, remembered

WEB = Target("docker", "4c01db0b339c" * 5, "web1", "/run/docker.sock")


def test_a_wish_is_brought_into_one_form() -> None:
    wish = Wish("br0", addresses=("10.0.0.1/24", "FD00::1/64", "10.0.0.1/24"), mac="02:AA:00:00:00:01")
    assert checked(wish) == Wish("br0", addresses=("10.0.0.1/24", "fd00::1/64"), mac="02:aa:00:00:00:01")
    assert checked(Wish("br0", ("eth1"), ("10.0.0.1/8",), routes=("10.1.2.3/16=10.0.0.2",))).routes == (
        "10.1.0.0/16=10.0.0.2",
    )


@pytest.mark.parametrize(
    "wish, sentence",
    [
        (Wish("br0", gateways=("10.0.0.1",)), "gateway 10.0.0.1 is in no subnet"),
        (Wish("br0", addresses=("10.0.0.2/24",), gateways=("10.0.0.1", "10.0.0.3")), "one default gateway"),
        (Wish("br0", addresses=("dhcp",), routes=("10.0.0.0/8=fd00::1",)), "not of the same family"),
        (Wish("br0", mac="00:00:00:00:00:00"), "not the MAC address of a station"),
        (Wish("br0", ifname="a" * 16), "no interface can have the name"),
        (Wish("br0", port="a b"), "no port can have the name"),
        (Wish("br0", ifname="lo", replace=True), "lo is the loopback interface"),
        (Wish("br0", addresses=("10.0.0.1/24",), gateways=("10.0.0.1",)), "10.0.0.1 is its own address"),
        (Wish("br0", addresses=("10.0.0.0/24",)), "the address of the network 10.0.0.0/24 itself"),
        (Wish("br0", addresses=("10.0.0.127/25",)), "the broadcast address of 10.0.0.0/25"),
        (Wish("br0", addresses=("224.0.0.5/24",)), "is a multicast address"),
        (Wish("br0", addresses=("127.0.0.2/8",)), "is a loopback address"),
        (Wish("br0", addresses=("::/64",)), "no host's address"),
        (Wish("br0", addresses=("ff02::1/64",)), "is a multicast address"),
    ],
)
def test_what_makes_no_sense_is_refused(wish: Wish, sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        checked(wish)


@pytest.mark.parametrize("address", ["10.0.0.0/31", "10.0.0.1/31", "10.0.1.0/16", "10.0.0.0/32", "fd00::/64"])
def test_addresses_that_only_look_odd_are_taken(address: str) -> None:
    assert checked(Wish("br0", addresses=(address,))).addresses == (address,)


def test_a_gateway_may_be_leased_or_link_local() -> None:
    checked(Wish("br0", addresses=("dhcp",), gateways=("10.0.0.1",)))
    checked(Wish("br0", addresses=("fd00::1/64",), gateways=("fe80::1",)))


def test_an_attachment_is_the_same_after_the_database() -> None:
    attachment = new_attachment(WEB, Wish("br0", addresses=("10.0.0.1/24",), tag=5, trunks=(7, 8)))
    assert Attachment.load(attachment.dump()) == attachment


@pytest.mark.parametrize("text", ["", "{}", "[]", "3", '{"version": 2}', '{"version": 1, "wish": {"x": 1}}'])
def test_records_of_others_are_left_alone(text: str) -> None:
    assert Attachment.load(text) is None


def test_names_and_addresses_are_stable_and_differ() -> None:
    assert port_name(WEB, "eth1") == "web1-eth1"
    long = Target("docker", "1", "a-container-with-a-long-name")
    other = Target("docker", "2", "a-container-with-a-long-name")
    assert len({port_name(long, "eth1"), port_name(other, "eth1"), port_name(long, "eth2")}) == 3
    assert len(port_name(long, "eth1")) <= 15
    mac = made_up_mac("docker:1", "eth1")
    assert mac == made_up_mac("docker:1", "eth1") != made_up_mac("docker:1", "eth2")
    assert int(mac[:2], 16) & 3 == 2


def test_vlans_are_read_from_the_command_line() -> None:
    assert read_vlan_options("5", "10,20-22") == (5, (10, 20, 21, 22))
    assert read_vlan_options(None, None) == (None, ())
    with pytest.raises(Failure, match="is not a VLAN"):
        read_vlan_options("x", None)


def test_targets_are_known_by_what_they_were_attached_as() -> None:
    named, process = Target("netns", "/run/netns/red", "red"), Target("pid", "47", "47")
    known = [WEB, named, process]
    assert remembered("web1", known) == remembered("4c01db", known) == remembered("docker:web1", known) == WEB
    assert remembered("netns:red", known) == remembered("netns:/run/netns/red", known) == named
    assert remembered("pid:47", known) == process
    with pytest.raises(Failure, match="nothing is attached of red"):
        remembered("red", known)


def test_a_name_that_means_two_targets_is_refused_and_told_apart_by_the_engine_or_the_id() -> None:
    known = [WEB, Target("podman", "77" * 32, "web1"), Target("docker", WEB.id[:6] + "0" * 58, "web2")]
    with pytest.raises(
        Failure, match="web1 may be more than one that is attached: say docker:web1 or podman:"
    ):
        remembered("web1", known)
    assert remembered("podman:web1", known) == remembered("podman:7777", known) == known[1]
    assert remembered("docker:web1", known) == remembered(WEB.id[:12], known) == WEB
    with pytest.raises(Failure, match=f"say {WEB.id[:12]} or {known[2].id[:12]}"):
        remembered(WEB.id[:6], known)
