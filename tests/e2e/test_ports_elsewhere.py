"""Internal ports that are made right in another network namespace (Interface.options:netns)."""

from __future__ import annotations

import pytest

from tests.e2e.switch import Switch
from tests.netlab import run, until


def add(switch: Switch, name: str, path: str, *options: str) -> None:
    switch.vsctl(
        *("add-port", "br0", name, "--", "set", "Interface", name, "type=internal", f"options:netns={path}"),
        *options,
    )


@pytest.mark.usefixtures("no_warnings")
def test_a_port_is_made_in_the_namespace_under_its_name_there(switch: Switch) -> None:
    one, two = switch.lab.namespace("one"), switch.lab.namespace("two")
    switch.vsctl("add-br", "br0")
    add(switch, "p1", str(one.path), "options:ifname=eth0", 'mac="02:00:00:00:00:11"', "mtu_request=1400")
    add(switch, "p2", str(two.path), "options:up=true")
    assert (one.devices(), two.devices()) == ({"lo", "eth0"}, {"lo", "p2"})
    assert (one.mac("eth0"), one.read("eth0", "mtu")) == ("02:00:00:00:00:11", "1400")
    assert switch.get("Interface", "p2", "link_state") == "up"
    switch.up("eth0", "10.0.0.1/24", namespace=one)
    two.ip("address", "add", "10.0.0.2/24", "dev", "p2")
    one.ping("10.0.0.2")
    switch.vsctl("del-port", "p1")
    assert one.devices() == {"lo"}


@pytest.mark.usefixtures("no_warnings")
def test_a_namespace_is_waited_for_and_its_end_is_told(switch: Switch) -> None:
    one = switch.lab.namespace("one")
    run("ip", "netns", "delete", one.name)
    switch.vsctl("add-br", "br0")
    add(switch, "p1", str(one.path))
    assert f"there is no network namespace {one.path}" in switch.get("Interface", "p1", "error")
    run("ip", "netns", "add", one.name)
    until(lambda: "p1" in one.devices(), what="the port in the namespace")
    switch.wait_for("Interface", "p1", "error", r"\[\]")
    run("ip", "netns", "delete", one.name)
    switch.wait_for("Interface", "p1", "error", r".*No such device\)")


def test_a_name_that_is_taken_there_is_an_error_and_nothing_is_left(switch: Switch) -> None:
    one = switch.lab.namespace("one")
    switch.vsctl("add-br", "br0")
    add(switch, "p1", str(one.path), "options:ifname=eth0")
    before = switch.host.devices()
    add(switch, "p2", str(one.path), "options:ifname=eth0")
    assert "creating device eth0: File exists" in switch.get("Interface", "p2", "error")
    assert switch.host.devices() == before
    switch.vsctl("set", "Interface", "p1", "options:ifname=eth1")
    assert one.devices() == {"lo", "eth0", "eth1"}
    assert switch.get("Interface", "p2", "error") == "[]"


def test_another_namespace_behind_the_path_is_left_alone_if_so_wished(switch: Switch) -> None:
    one = switch.lab.namespace("one")
    switch.vsctl("add-br", "br0")
    add(switch, "p1", str(one.path), "options:netns-id=1")
    assert "is not the network namespace 1 any more" in switch.get("Interface", "p1", "error")
    switch.vsctl("set", "Interface", "p1", f"options:netns-id={one.path.stat().st_ino}")
    assert "p1" in one.devices()


def test_a_port_may_move_on_and_is_known_after_a_restart(switch: Switch) -> None:
    one, two = switch.lab.namespace("one"), switch.lab.namespace("two")
    switch.vsctl("add-br", "br0")
    add(switch, "p1", str(one.path))
    one.ip("link", "set", "p1", "netns", two.name, "name", "moved")
    switch.daemon.restart()
    assert (one.devices(), two.devices()) == ({"lo"}, {"lo", "moved"})
    switch.vsctl("remove", "Interface", "p1", "options", "netns")
    assert "p1" in switch.host.devices()
    assert two.devices() == {"lo"}


@pytest.mark.parametrize(
    "options, sentence",
    [
        ("options:netns=red", "is not the path of a network namespace"),
        ("options:ifname=eth0", "options:ifname takes an options:netns"),
        ("options:netns=/run/netns/red options:ifname=a/b", "no network device can have that name"),
        ("options:netns=/run/netns/red options:netns-id=x", "options:netns-id is not the inode number"),
    ],
)
def test_options_that_make_no_sense_are_told(switch: Switch, options: str, sentence: str) -> None:
    switch.vsctl("add-br", "br0")
    switch.vsctl("add-port", "br0", "p1", "--", "set", "Interface", "p1", "type=internal", *options.split())
    assert sentence in switch.get("Interface", "p1", "error")
