"""The laboratory itself, without a switch."""

from __future__ import annotations

from tests.netlab import Lab, leftovers, transfer
from tests.scenarios.kit import ctag, frame, stag, untagged


def test_frames_arrive_as_they_were_sent_with_all_their_tags() -> None:
    with Lab() as lab:
        left, right = lab.namespace("left"), lab.namespace("right")
        lab.cable(left, "eth0", right, "eth0")
        with left.tap("eth0") as a, right.tap("eth0") as b:
            for sent in (
                untagged("A", "B"),
                frame("A", "B", ctag(10, 5)),
                frame("A", "B", stag(0, 3)),
                frame("A", "B", stag(100), ctag(10)),
            ):
                a.send(sent)
                assert b.receive() == sent
            assert b.drain() == a.drain() == []


def test_ping_tcpdump_and_tcp_work_over_a_cable_and_nothing_is_left() -> None:
    with Lab() as lab:
        left, right = lab.namespace("left"), lab.namespace("right")
        lab.cable(left, "eth0", right, "eth0")
        left.up("eth0", "10.0.0.1/24")
        right.up("eth0", "10.0.0.2/24")
        with right.tcpdump("eth0", "icmp") as dump:
            left.ping("10.0.0.2")
            dump.expect("10.0.0.1 > 10.0.0.2: ICMP echo request")
            dump.expect("10.0.0.2 > 10.0.0.1: ICMP echo reply")
        transfer(left, right, "10.0.0.2", 3_000_001)
    assert not leftovers()
