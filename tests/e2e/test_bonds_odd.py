"""What is odd about a bond: members missing, elsewhere, or one alone; partners that differ, change or go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.bonds.ovs import is_here, running
from tests.bonds.pair import BOTH, THEIRS, Pair, enabled, joined
from tests.bonds.relay import relayed
from tests.e2e.switch import Switch
from tests.netlab import Namespace, until

needs_ovs = pytest.mark.skipif(not is_here(), reason="Open vSwitch is not installed")
GARBAGE = 50
STATION = "02:00:00:00:0a:01"


@pytest.fixture
def pair(switch: Switch, tmp_path: Path) -> Iterator[Pair]:
    with joined(switch, tmp_path / "ovs") as pair:
        yield pair


@pytest.fixture
def far(switch: Switch) -> Namespace:
    """The far ends of two cables, e0 and e1, to a bridge with a station behind it."""
    far = switch.lab.namespace("far")
    for name in BOTH:
        switch.lab.cable(switch.host, name, far, name)
    switch.vsctl("add-br", "br0")
    return far


def members(switch: Switch) -> list[str]:
    return enabled(switch.appctl("bond/show"))


def test_a_bond_of_one_member_is_a_port_and_goes_on_without_forgetting(
    switch: Switch, far: Namespace
) -> None:
    switch.vsctl("add-bond", "br0", "bond1", *BOTH)
    source = bytes.fromhex(STATION.replace(":", ""))
    with far.tap("e0") as cable:
        cable.send(b"\xff" * 6 + source + b"\x88\xb5" + bytes(46))
    until(lambda: STATION in switch.appctl("fdb/show", "br0"))
    switch.vsctl("del-bond-iface", "bond1", "e1")
    refused = switch.daemon.run("ovs-appctl", "bond/show", "bond1")
    assert (refused.returncode, refused.stderr.splitlines()[0]) == (2, "no such bond")
    assert "bond1" not in switch.appctl("bond/list")
    assert STATION in switch.appctl("fdb/show", "br0")
    switch.vsctl("add-bond-iface", "bond1", "e1")
    until(lambda: members(switch) == BOTH)
    assert STATION in switch.appctl("fdb/show", "br0")


def test_a_member_that_comes_later_or_from_elsewhere_joins_then(switch: Switch, far: Namespace) -> None:
    switch.vsctl("add-br", "br1")
    switch.vsctl("add-port", "br1", "e1")
    switch.try_vsctl("add-bond", "br0", "bond1", "e0", "e2")
    until(lambda: members(switch) == ["e0"])
    assert "No such device" in switch.get("Interface", "e2", "error")
    switch.lab.cable(switch.host, "e2", far, "e2")
    until(lambda: members(switch) == ["e0", "e2"])
    assert switch.get("Interface", "e2", "error") == "[]"
    refused = switch.try_vsctl("add-bond-iface", "bond1", "e1")
    assert refused.returncode == 1
    assert "e1" in refused.stderr
    switch.vsctl("del-port", "br1", "e1", "--", "add-bond-iface", "bond1", "e1")
    until(lambda: sorted(members(switch)) == ["e0", "e1", "e2"])


def test_a_bond_that_is_joined_to_itself_is_pointed_out_and_left_out(switch: Switch) -> None:
    switch.lab.cable(switch.host, "e0", switch.host, "e1")
    switch.vsctl("add-br", "br0")
    switch.vsctl("add-bond", "br0", "bond1", *BOTH, "lacp=active", "other_config:lacp-time=fast")

    def told() -> list[str]:
        return [line for line in switch.daemon.log_warnings() if "is this system itself" in line]

    until(lambda: len(told()) == len(BOTH), what=switch.daemon.output)
    assert all(any(f"bond1: the LACP partner of {name} " in line for line in told()) for name in BOTH)
    assert members(switch) == []


@needs_ovs
def test_one_interface_speaks_lacp_and_is_no_bond(pair: Pair) -> None:
    for side in (pair.switch, pair.partner):
        side.vsctl("add-port", "br0", "e0", "lacp=active")
    until(lambda: pair.switch.get("Interface", "e0", "lacp_current") == "true", what=pair.told)
    pair.near.ping(THEIRS)
    refused = pair.switch.daemon.run("ovs-appctl", "bond/show", "e0")
    assert refused.stderr.startswith("no such bond\n")


@needs_ovs
def test_of_two_partners_one_is_used(pair: Pair, tmp_path: Path) -> None:
    other_far = pair.switch.lab.namespace("other")
    pair.switch.lab.cable(pair.switch.host, "e2", other_far, "e0")
    with running(tmp_path / "other", other_far) as other:
        other.add_bridge("br0")
        for side in (pair.partner, other):
            side.vsctl("add-port", "br0", "e0", "lacp=active")
        settings = ("bond_mode=balance-tcp", "lacp=active", "other_config:lacp-time=fast")
        pair.switch.vsctl("add-bond", "br0", "bond1", "e0", "e2", *settings)
        both_heard = ("e0", "e2")
        until(
            lambda: all(pair.switch.get("Interface", name, "lacp_current") == "true" for name in both_heard),
            what=pair.told,
        )
        until(lambda: len(members(pair.switch)) == 1, what=pair.told)
        used = members(pair.switch)[0]
        pair.switch.host.ip("link", "set", used, "down")
        until(lambda: members(pair.switch) not in ([], [used]), what=pair.told)


@needs_ovs
def test_members_of_different_speed_are_pointed_out_and_work(pair: Pair) -> None:
    switch, speeds = pair.switch, {"e0": "100", "e1": "1000"}
    with ExitStack() as stack:
        for cable, speed in speeds.items():
            card = f"t{cable}"
            machine = stack.enter_context(switch.host.machine(card))
            switch.host.run("ethtool", "-s", card, "speed", speed, "duplex", "full", "autoneg", "off")
            switch.host.up(card)
            stack.enter_context(relayed(machine, stack.enter_context(switch.host.tap(cable))))
        cards = [f"t{cable}" for cable in speeds]
        switch.vsctl("add-bond", "br0", "bond1", *cards, "bond_mode=balance-tcp", "lacp=active")
        pair.partner.vsctl("add-bond", "br0", "bond1", *BOTH, "bond_mode=balance-tcp", "lacp=active")
        until(lambda: members(switch) == cards, deadline=12.0, what=pair.told)
        until(lambda: enabled(pair.partner.appctl("bond/show")) == BOTH, deadline=12.0, what=pair.told)
        keys = {pair.fields(pair.partner, name, "partner")["key"] for name in BOTH}
        assert len(keys) == 1
        warning = switch.get("Port", "bond1", "status:warning")
        assert "different speeds (te0 100 Mb/s, te1 1000 Mb/s)" in warning
        pair.near.ping(THEIRS)


@needs_ovs
def test_a_partner_that_becomes_another_system_is_agreed_with_again(pair: Pair) -> None:
    pair.bond()
    pair.agree()
    pair.partner.vsctl("set", "Port", "bond1", "other_config:lacp-system-id=02:00:00:00:00:77")
    until(
        lambda: all(pair.fields(pair.switch, e, "partner")["sys_id"] == "02:00:00:00:00:77" for e in BOTH),
        what=pair.told,
    )
    pair.agree()


@needs_ovs
def test_a_bond_whose_partner_stops_falls_back_to_active_backup(pair: Pair) -> None:
    pair.bond("lacp=active other_config:lacp-time=fast other_config:lacp-fallback-ab=true")
    pair.agree()
    pair.partner.stop()

    def fallen_back() -> bool:
        text = pair.switch.appctl("bond/show", "bond1")
        return (
            "lacp_status: configured" in text
            and enabled(text) == BOTH
            and "active member mac: 00:" not in text
        )

    until(fallen_back, deadline=12.0, what=pair.told)
    assert pair.switch.get("Interface", "e0", "lacp_current") == "false"


@needs_ovs
def test_garbage_leaves_a_bond_as_it_is(pair: Pair) -> None:
    pair.bond()
    pair.agree()
    before = {name: pair.fields(pair.switch, name, "partner") for name in BOTH}
    random = Random(1)
    with pair.far.tap("e0") as cable:
        for _ in range(GARBAGE):
            payload = bytes([random.choice((1, 1, 1, 2, random.randrange(256)))])
            payload += random.randbytes(random.randrange(46, 124))
            cable.send(bytes.fromhex("0180c2000002 02000000000a 8809") + payload)
    bad = r"RX Bad PDUs: (\d+)"
    until(
        lambda: int(re.findall(bad, pair.switch.appctl("lacp/show-stats", "bond1"))[0]) > GARBAGE // 2,
        what=lambda: pair.switch.appctl("lacp/show-stats", "bond1"),
    )
    assert pair.attached(BOTH)
    assert {name: pair.fields(pair.switch, name, "partner") for name in BOTH} == before
    pair.near.ping(THEIRS)
