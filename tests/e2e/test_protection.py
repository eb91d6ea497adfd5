"""Protections of ports on a real switch: under real load, told to the user, changed while frames pass."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jackfield.model import Address
from tests.e2e.switch import Switch
from tests.netlab import Namespace, Tap, until
from tests.scenarios.kit import BROADCAST, mac, untagged

UDP_SEGMENT = 103
PORTS = ("p1", "p2", "p3")
TABLE = 64


@dataclass(frozen=True)
class Site:
    """A bridge with three internal ports, each with a tap in a namespace of its own."""

    switch: Switch
    outside: dict[str, Namespace]
    taps: dict[str, Tap]

    def set(self, port: str, *settings: str) -> None:
        self.switch.vsctl("set", "Port", port, *(f"other_config:{setting}" for setting in settings))

    def jackfield(self, *words: str) -> str:
        """What a command of the shell prints."""
        done = self.switch.daemon.run(str(Path(sys.executable).with_name("jackfield")), *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.switch.daemon.unixctl("jackfield/status"))
        return status

    def alarm(self, port: str, reason: str) -> str:
        """Waits until a port is named for a reason: the sentence."""

        def find() -> str | None:
            alarms = self.status()["alarms"]
            return next((a["text"] for a in alarms if (a["port"], a["reason"]) == (port, reason)), None)

        found: list[str] = []

        def is_there() -> bool:
            text = find()
            found[:] = [text] if text is not None else []
            return text is not None

        until(is_there, what=f"an alarm {reason} of port {port}")
        return found[0]

    def logged(self, words: str) -> list[str]:
        return [line for line in self.switch.daemon.log_warnings() if words in line]

    def passes(self, source: str, frame: bytes, *ports: str) -> None:
        """The frame leaves by these ports and, once it has, by no other."""
        for tap in self.taps.values():
            tap.drain()
        self.taps[source].send(frame)
        for port in ports:
            self.taps[port].receive(lambda got: got == frame)
        for port in self.taps.keys() - {source, *ports}:
            assert frame not in self.taps[port].drain()


@pytest.fixture
def site(switch: Switch) -> Iterator[Site]:
    switch.vsctl("add-br", "br0", "--", "set", "Bridge", "br0", f"other_config:mac-table-size={TABLE}")
    with ExitStack() as stack:
        outside = {name: switch.lab.namespace(name) for name in PORTS}
        taps = {}
        for name, namespace in outside.items():
            switch.internal("br0", name)
            switch.move(name, namespace)
            switch.up(name, namespace=namespace)
            taps[name] = stack.enter_context(namespace.tap(name))
        yield Site(switch, outside, taps)


def station(group: int, number: int) -> str:
    """One of many addresses."""
    return bytes((2, group, *number.to_bytes(4, "big"))).hex(":")


def test_a_storm_is_cut_to_its_rate_and_named(site: Site) -> None:
    site.set("p1", "storm-broadcast=50", "storm-burst=20")
    frame = untagged("A", BROADCAST)
    begin = time.monotonic()
    for _ in range(500):
        site.taps["p1"].send(frame)
    until(lambda: site.switch.ports()["p1"].rx_packets >= 500, what="all frames in the switch")
    most = 20 + 50 * (time.monotonic() - begin) + 1
    dropped = site.switch.drops("p1")["storm-broadcast"]
    assert 500 - most <= dropped <= 480
    passed = [got for got in site.taps["p2"].drain() if got == frame]
    assert len(passed) <= 500 - dropped
    text = site.alarm("p1", "storm-broadcast")
    assert text.startswith("br0: port p1: more broadcast than")
    assert len(site.logged("port p1: more broadcast than")) == 1
    # Others are not concerned, nor is what is known.
    site.passes("p2", untagged("B", BROADCAST), "p1", "p3")
    site.passes("p1", untagged("A", "B"), "p2")


def test_what_segmentation_offload_keeps_together_counts_as_the_frames_it_becomes(site: Site) -> None:
    site.set("p1", "storm-broadcast=1", "storm-burst=15")
    outside = site.outside["p1"]
    outside.ip("address", "add", "10.0.0.1/24", "broadcast", "10.0.0.255", "dev", "p1")
    with outside.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.setsockopt(socket.SOL_UDP, UDP_SEGMENT, 100)
        for _ in range(3):
            sender.sendto(bytes(1000), ("10.0.0.255", 9))
    until(lambda: site.switch.drops("p1").get("storm-broadcast") == 1, what="the third ten dropped")
    assert site.switch.ports()["p1"].drops["storm-broadcast"] == 1


def test_a_flood_of_addresses_takes_nothing_from_others_and_is_named(site: Site) -> None:
    share = TABLE // 4  # the bridge's own port has one too
    victims = [station(1, number) for number in range(share)]
    for victim in victims:
        site.taps["p1"].send(untagged(victim, BROADCAST))
    until(lambda: len(site.switch.fdb("br0")) >= share, what="the victims' addresses")
    for number in range(100 * TABLE):
        site.taps["p2"].send(untagged(station(2, number), BROADCAST))
    until(lambda: site.switch.ports()["p2"].rx_packets >= 100 * TABLE, what="all frames in the switch")
    known = site.switch.fdb("br0")
    assert {Address(0, mac(victim)) for victim in victims} <= known.keys()
    assert len(known) <= TABLE
    for victim in victims[:: share // 4]:
        site.passes("p3", untagged("C", victim), "p1")
    text = site.alarm("p2", "fdb-crowded")
    assert "port p2: more source addresses than there is room for" in text
    assert site.logged("port p2: more source addresses than there is room for")
    assert not site.logged("port p1: more source addresses")
    stats = site.switch.appctl("fdb/stats-show", "br0")
    assert "Addresses of port p2 without room: " in stats
    assert "port p1" not in stats
    shown = site.jackfield("fdb", "--stats", "br0")
    assert [line.split()[0] for line in shown.splitlines() if line.split()[:1] == ["p2"]] == ["p2"]
    table = json.loads(site.jackfield("fdb", "--stats", "--json"))["bridges"][0]
    counted = {port["port"]: port["evicted"] + port["refused"] for port in table["ports"]}
    assert counted["p1"] == 0
    assert counted["p2"] > 90 * TABLE
    site.switch.appctl("fdb/stats-clear", "br0")
    assert "without room" not in site.switch.appctl("fdb/stats-show", "br0")


def test_a_new_port_is_not_blamed_for_what_another_did_before_it(site: Site) -> None:
    def blamed() -> str:
        return site.switch.appctl("fdb/stats-show", "br0").partition("without room")[1]

    def crowded() -> bool:
        for number in range(4 * TABLE):
            site.taps["p2"].send(untagged(station(2, number), BROADCAST))
        return bool(blamed())

    until(crowded, what="addresses without room")
    site.switch.vsctl("del-port", "p2")
    for number in range(3):  # one of them gets the number by which the data plane knew p2
        site.switch.internal("br0", f"new{number}")
    assert not blamed()


def test_a_limit_of_addresses_stops_a_flood_at_its_port(site: Site) -> None:
    site.set("p2", "mac-limit=5")
    for number in range(200):
        site.taps["p2"].send(untagged(station(2, number), BROADCAST))
    until(lambda: site.switch.ports()["p2"].rx_packets >= 200, what="all frames in the switch")
    assert len([port for port in site.switch.fdb("br0").values() if port == 2]) == 5
    assert site.switch.drops("p2")["mac-limit"] == 195
    assert f"(the last one was {station(2, 199)})" in site.alarm("p2", "mac-limit")
    site.switch.vsctl("remove", "Port", "p2", "other_config", "mac-limit")
    site.passes("p2", untagged(station(2, 300), BROADCAST), "p1", "p3")


def test_frames_that_pass_unlearned_are_told_of(site: Site) -> None:
    site.set("p2", "mac-limit=1", "mac-limit-action=flood")
    site.passes("p2", untagged("A", BROADCAST), "p1", "p3")
    site.passes("p2", untagged("B", BROADCAST), "p1", "p3")
    assert "1 frame passed without being learned from" in site.alarm("p2", "mac-unlearned")


def test_an_address_stays_on_its_port_with_the_daemon_dead_and_after_it_came_back(site: Site) -> None:
    site.set("p1", "port-security=sticky")
    site.passes("p1", untagged("A", BROADCAST), "p2", "p3")
    site.switch.daemon.kill()
    site.passes("p2", untagged("A", BROADCAST))
    site.passes("p3", untagged("C", "A"), "p1")
    site.switch.daemon.start()
    site.passes("p2", untagged("A", BROADCAST))
    assert site.switch.drops("p2")["mac-sticky"] == 2
    site.switch.vsctl("remove", "Port", "p1", "other_config", "port-security")
    site.passes("p2", untagged("A", BROADCAST), "p1", "p3")


def test_who_takes_another_s_address_is_named(site: Site) -> None:
    site.set("p1", "port-security=sticky")
    site.passes("p1", untagged("A", BROADCAST), "p2", "p3")
    # More than the test before left of its port of this name: counters are looked at every two seconds.
    for _ in range(4):
        site.passes("p2", untagged("A", BROADCAST))
    text = site.alarm("p2", "mac-sticky")
    assert text.startswith("br0: port p2: source address belongs to another port")
    assert f"(the last one was {mac('A').hex(':')})" in text
    assert text.rpartition(":")[0] in site.jackfield("status")  # the count goes on


def test_protections_come_and_go_without_a_word_about_addresses(site: Site) -> None:
    site.passes("p1", untagged("A", BROADCAST), "p2", "p3")
    site.set("p1", "storm-multicast=5", "port-security=locked")
    assert Address(0, mac("A")) in site.switch.fdb("br0")
    site.passes("p1", untagged("A", BROADCAST))
    site.set("p1", f'allowed-macs="{mac("A").hex(":")}"')
    site.passes("p1", untagged("A", BROADCAST), "p2", "p3")
    ports = json.loads(site.jackfield("ports", "--json"))["ports"]
    assert {port["name"]: port["protections"] for port in ports if port["name"] in PORTS} == {
        "p1": {
            "storm-multicast": "5",
            "port-security": "locked",
            "allowed-macs": "02:00:00:00:00:41",
        },
        "p2": {},
        "p3": {},
    }
    site.switch.vsctl("clear", "Port", "p1", "other_config")
    site.passes("p1", untagged("B", BROADCAST), "p2", "p3")
    assert json.loads(site.switch.daemon.unixctl("jackfield/plan"))["steps"] == []


def test_bad_values_are_told_and_ignored(site: Site) -> None:
    site.set("p1", "storm-broadcast=lots", "mac-limit=1")
    site.passes("p1", untagged("A", BROADCAST), "p2", "p3")
    site.passes("p1", untagged("B", BROADCAST))
    text = 'ignoring storm-broadcast "lots" (not a number from 1 to 10000000)'
    assert {"table": "Port", "name": "p1", "text": text} in site.status()["warnings"]
    assert site.logged(text)
