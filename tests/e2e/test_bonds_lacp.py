"""LACP with Open vSwitch as the partner: its own implementation, over two cables."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bonds.ovs import is_here
from tests.bonds.pair import BOTH, THEIRS, Pair, enabled, joined
from tests.e2e.switch import Switch
from tests.netlab import until

pytestmark = pytest.mark.skipif(not is_here(), reason="Open vSwitch is not installed")

FLOWS = 1000


@pytest.fixture
def pair(switch: Switch, tmp_path: Path) -> Iterator[Pair]:
    with joined(switch, tmp_path / "ovs") as pair:
        yield pair


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("lacp=active", "lacp=passive"),
        ("lacp=passive other_config:lacp-time=fast", "lacp=active"),
        ("lacp=active other_config:lacp-time=fast", "lacp=active other_config:lacp-time=fast"),
    ],
)
def test_both_sides_agree(pair: Pair, ours: str, theirs: str) -> None:
    pair.bond(ours, theirs)
    pair.agree()
    assert pair.switch.get("Interface", "e0", "lacp_current") == "true"
    for member in BOTH:
        for one, other in ((pair.switch, pair.partner), (pair.partner, pair.switch)):
            until(
                lambda one=one, other=other, member=member: (
                    pair.fields(one, member, "actor") == pair.fields(other, member, "partner")
                ),
                what=pair.told,
            )


def test_priorities_numbers_and_keys_are_told_as_configured(pair: Pair) -> None:
    pair.bond("lacp=active other_config:lacp-system-id=02:00:00:00:00:42 other_config:lacp-system-priority=7")
    pair.switch.vsctl(
        *("set", "Interface", "e0", "other_config:lacp-port-id=11", "other_config:lacp-port-priority=12"),
        *("--", "set", "Interface", "e0", "other_config:lacp-aggregation-key=13"),
        *("--", "set", "Interface", "e1", "other_config:lacp-aggregation-key=13"),
    )
    expected = {
        "sys_id": "02:00:00:00:00:42",
        "sys_priority": "7",
        "port_id": "11",
        "port_priority": "12",
        "key": "13",
    }
    pair.agree()
    until(
        lambda: expected.items() <= pair.fields(pair.partner, "e0", "partner").items(),
        what=pair.told,
    )


def test_a_cable_that_is_pulled_is_out_and_in_again(pair: Pair) -> None:
    pair.bond()
    pair.agree()
    with pair.near.pinging(THEIRS) as lost:
        pair.far.ip("link", "set", "e0", "down")
        until(lambda: enabled(pair.switch.appctl("bond/show")) == ["e1"], what=pair.told)
        pair.agree(["e1"])
        pair.far.ip("link", "set", "e0", "up")
        pair.agree()
        assert lost() <= 10
    stats = pair.switch.appctl("lacp/show-stats", "bond1")
    assert re.findall(r"Carrier Status Changed: (\d+)", stats)[0] in ("1", "2")


def test_a_member_that_the_partner_takes_away_is_out(pair: Pair) -> None:
    pair.bond("lacp=active other_config:lacp-time=fast")
    pair.agree()
    pair.partner.vsctl("--id=@e0", "get", "Interface", "e0", "--", "set", "Port", "bond1", "interfaces=@e0")
    until(lambda: enabled(pair.switch.appctl("bond/show")) == ["e0"], deadline=12.0, what=pair.told)
    pair.near.ping(THEIRS)


def test_a_partner_that_changes_its_key_is_agreed_with_again(pair: Pair) -> None:
    pair.bond()
    pair.agree()
    for member in BOTH:
        pair.partner.vsctl("set", "Interface", member, "other_config:lacp-aggregation-key=77")
    until(lambda: pair.fields(pair.switch, "e1", "partner")["key"] == "77", what=pair.told)
    pair.agree()


def test_our_daemon_s_restart_is_not_noticed(pair: Pair) -> None:
    pair.bond("lacp=active", "lacp=active")
    pair.agree()
    before = pair.told()
    with pair.near.pinging(THEIRS) as lost:
        pair.switch.daemon.restart()
        assert pair.attached(BOTH)
        pair.switch.daemon.kill()
        assert enabled(pair.partner.appctl("bond/show")) == BOTH
        pair.switch.daemon.start()
        assert pair.attached(BOTH)
        assert lost() == 0
    assert pair.told() == before
    stats = pair.partner.appctl("lacp/show-stats")
    assert set(re.findall(r"Link Expired: (\d+)", stats)) == {"0"}


def test_a_thousand_flows_are_spread_evenly_and_come_once_each(pair: Pair) -> None:
    pair.bond()
    pair.agree()
    with pair.far.tap("e0") as first, pair.far.tap("e1") as second:
        with pair.near.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for port in range(FLOWS):
                out.sendto(b"flow", (THEIRS, 20_000 + port))
        flows: list[list[int]] = [[], []]

        def all_there() -> bool:
            for seen, cable in zip(flows, (first, second), strict=True):
                seen += [int.from_bytes(frame[36:38]) for frame in cable.drain() if frame[23:24] == b"\x11"]
            return sum(map(len, flows)) >= FLOWS

        until(all_there, what=lambda: str([len(seen) for seen in flows]))
    assert sorted(flows[0] + flows[1]) == [20_000 + port for port in range(FLOWS)]
    assert 0.45 <= len(flows[0]) / FLOWS <= 0.55


def test_what_is_no_lacpdu_is_counted(pair: Pair) -> None:
    pair.bond()
    pair.agree()
    with pair.far.tap("e0", outgoing=True) as cable:
        cable.send(bytes.fromhex("0180c2000002 02000000000a 8809 01") + bytes(113))
        cable.send(bytes.fromhex("0180c2000002 02000000000a 8809 0201 0110") + bytes(106))
        answer = cable.receive(lambda frame: frame[12:18] == bytes.fromhex("8809 0201 0210"))
        assert answer[:6] == bytes.fromhex("0180c2000002")
    stats = pair.switch.appctl("lacp/show-stats", "bond1").split("member: e1")[0]
    assert "RX Bad PDUs: 1" in stats
    assert "RX Marker Request PDUs: 1" in stats
    assert pair.attached(BOTH)
