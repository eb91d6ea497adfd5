"""The daemon comes and goes; frames do not notice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from jackfield.model import Address
from tests.daemon import Daemon
from tests.e2e.switch import Switch, new_switch, pins
from tests.netlab import Lab, Namespace, settled, until
from tests.scenarios.kit import BROADCAST, mac, untagged


@dataclass(frozen=True)
class Site:
    """A switch with a VLAN of two containers (10.0.0.1 and 10.0.0.2) and a card on the same bridge."""

    switch: Switch
    one: Namespace
    two: Namespace
    neighbour: Namespace

    def kernel(self) -> tuple[str, ...]:
        """What of the switch's devices could change without anybody wishing it."""
        return tuple(
            line
            for namespace in (self.switch.host, self.one, self.two)
            for line in namespace.ip("-d", "-o", "link", "show").splitlines()
        )


@pytest.fixture
def site() -> Iterator[Site]:
    with Lab() as lab, new_switch() as switch:
        neighbour = lab.namespace("neighbour")
        switch.lab.cable(switch.host, "eth1", neighbour, "eth0")
        neighbour.up("eth0", "10.0.0.3/24")
        switch.vsctl("add-br", "br0", "--", "add-port", "br0", "eth1", "trunks=0,10")
        one, two = lab.namespace("one"), lab.namespace("two")
        switch.internal_in("br0", "tap1", one, "10.0.0.1/24")
        switch.internal_in("br0", "tap2", two, "10.0.0.2/24")
        one.ping("10.0.0.2")
        one.ping("10.0.0.3")
        yield Site(switch, one, two, neighbour)


def test_no_frame_is_lost_while_the_daemon_stops_and_starts_again(site: Site) -> None:
    with site.one.pinging("10.0.0.2") as near, site.one.pinging("10.0.0.3") as far:
        site.switch.daemon.stop()
        site.switch.daemon.start()
        site.switch.daemon.restart()
        assert (near(), far()) == (0, 0)
    assert site.switch.daemon.log_warnings() == []


def test_a_second_start_changes_nothing_in_the_kernel_and_forgets_nothing(site: Site) -> None:
    site.switch.appctl("fdb/add", "br0", "tap2", "0", "02:00:00:00:00:99")
    known, kernel = site.switch.fdb("br0"), site.kernel()
    before = site.switch.ports()["tap1"]
    numbers = [site.switch.get("Interface", name, "ofport") for name in ("tap1", "tap2", "eth1")]
    pinned = pins(site.switch.daemon.rundir)
    site.switch.daemon.stop()
    lines = len(site.switch.daemon.log())
    site.switch.daemon.start()
    assert site.switch.fdb("br0") == known
    assert site.kernel() == kernel
    # Stations ask about each other again some seconds after a ping.
    after = site.switch.ports()["tap1"]
    assert after.rx_packets >= before.rx_packets > 0
    assert after.tx_packets >= before.tx_packets > 0
    assert after.drops == before.drops
    assert [site.switch.get("Interface", name, "ofport") for name in ("tap1", "tap2", "eth1")] == numbers
    assert pins(site.switch.daemon.rundir) == pinned
    assert json.loads(site.switch.daemon.unixctl("jackfield/plan")) == {"steps": []}
    assert not [line for line in site.switch.daemon.log()[lines:] if "changed the kernel" in line]


def test_with_the_daemon_killed_the_switch_still_learns_forwards_and_drops(site: Site) -> None:
    with site.one.pinging("10.0.0.2") as lost:
        site.switch.daemon.kill()
        assert site.one.pings("10.0.0.3", count=3)
        assert lost() == 0
    with site.one.tap("tap1") as one, site.two.tap("tap2") as two, site.neighbour.tap("eth0") as far:
        one.send(untagged("A", BROADCAST))
        assert two.receive(lambda frame: frame == untagged("A", BROADCAST))
        assert far.receive(lambda frame: frame == untagged("A", BROADCAST))
        two.send(untagged("B", "A"))
        assert one.receive(lambda frame: frame == untagged("B", "A"))
        assert untagged("B", "A") not in far.drain()
    site.switch.daemon.start()
    assert {Address(0, mac("A")), Address(0, mac("B"))} <= site.switch.fdb("br0").keys()
    assert site.switch.daemon.log_warnings() == []


def test_what_changed_while_the_daemon_was_away_is_taken_up_when_it_returns(site: Site) -> None:
    daemon = site.switch.daemon
    daemon.kill()
    site.one.ip("link", "set", "tap1", "down")
    site.one.ip("link", "set", "tap1", "name", "eth0")
    site.one.up("eth0")
    site.switch.host.ip("link", "delete", "eth1")
    daemon.start()
    site.one.ping("10.0.0.2")
    assert site.switch.get("Interface", "tap1", "error") == "[]"
    site.switch.wait_for("Interface", "eth1", "error", ".*No such device.*")
    site.switch.lab.cable(site.switch.host, "eth1", site.neighbour, "eth0")
    site.neighbour.up("eth0", "10.0.0.3/24")
    site.one.ping("10.0.0.3")


def test_a_configuration_written_without_a_daemon_is_in_force_when_the_next_one_is_ready(site: Site) -> None:
    words = "--no-wait add-port br0 tap3 -- set Interface tap3 type=internal"
    site.switch.vsctl(*words.split())
    site.switch.daemon.kill()
    site.switch.daemon.start()
    assert "tap3" in site.switch.host.devices()
    assert site.switch.vsctl("list-ports", "br0").split() == ["eth1", "tap1", "tap2", "tap3"]


def test_stopping_with_cleanup_leaves_no_device_no_pin_and_no_promiscuous_card(site: Site) -> None:
    site.switch.daemon.stop(cleanup=True)
    assert site.switch.host.devices() == {"lo", "eth1"}
    assert site.one.devices() == site.two.devices() == {"lo"}
    assert not site.switch.promiscuous("eth1")
    assert pins(site.switch.daemon.rundir) == []
    site.switch.host.up("eth1", "10.0.0.8/24")
    site.neighbour.ping("10.0.0.8")


def test_after_cleanup_the_next_start_makes_everything_anew(site: Site) -> None:
    site.switch.daemon.stop(cleanup=True)
    site.switch.daemon.start()
    assert {"br0", "tap1", "tap2", "eth1"} <= site.switch.host.devices()
    site.switch.move("tap1", site.one)
    site.switch.up("tap1", "10.0.0.1/24", namespace=site.one)
    site.one.ping("10.0.0.3")


def test_the_files_of_a_daemon_that_was_killed_do_not_hinder_the_next(site: Site) -> None:
    daemon = site.switch.daemon
    daemon.kill()
    assert (daemon.rundir / "ovs-vswitchd.pid").exists()
    daemon.start()
    daemon.stop()
    until(lambda: not list(daemon.rundir.glob("*.pid")), what="the pid file is gone")
    assert list(daemon.rundir.glob("ovs-vswitchd.*")) == []


def test_a_port_brought_home_while_the_daemon_was_away_works_when_it_returns(site: Site) -> None:
    daemon = site.switch.daemon
    daemon.kill()
    site.one.ip("link", "set", "tap1", "netns", site.switch.host.name)
    site.switch.up("tap1", "10.0.0.4/24")
    daemon.start()
    site.two.ping("10.0.0.4")
    site.switch.move("tap1", site.one)
    site.switch.up("tap1", "10.0.0.5/24", namespace=site.one)
    site.two.ping("10.0.0.5")


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.02, 0.04, 0.08])
def test_a_daemon_killed_while_it_works_is_set_right_by_the_next(site: Site, moment: float) -> None:
    daemon = site.switch.daemon
    names = [f"many{number}" for number in range(30)]
    add = [f"add-port br0 {name} tag=7 -- set Interface {name} type=internal" for name in names]
    with site.one.pinging("10.0.0.2") as lost:
        site.switch.vsctl("--no-wait", *" -- ".join(add).split())
        time.sleep(moment)  # anywhere in the work: the moments are the parameter of the experiment
        daemon.kill()
        daemon.start()
        assert lost() == 0
    assert set(names) <= site.switch.host.devices()
    for name in names:
        site.switch.host.up(name)
    settled(site.switch.host)
    with ExitStack() as stack:
        taps = [stack.enter_context(site.switch.host.tap(name)) for name in names]
        taps[0].send(untagged("A", BROADCAST))
        assert [tap.receive() for tap in taps[1:]] == [untagged("A", BROADCAST)] * 29
    site.switch.vsctl(*" -- ".join(f"del-port {name}" for name in names).split())
    hidden = [name for name in site.switch.host.devices() if name.startswith("jf")]
    assert len(hidden) == 3  # of br0, tap1 and tap2
    assert json.loads(daemon.unixctl("jackfield/plan")) == {"steps": []}


def test_two_switches_in_one_namespace_do_not_meet(site: Site) -> None:
    with (
        TemporaryDirectory(prefix="jft") as root,
        Daemon(Path(root), site.switch.host.name) as other,
        site.one.pinging("10.0.0.2") as lost,
    ):
        other.vsctl("add-br", "br7")
        other.vsctl("add-port", "br7", "tap7", "--", "set", "Interface", "tap7", "type=internal")
        assert {"br7", "tap7"} <= site.switch.host.devices()
        site.switch.daemon.restart()
        other.restart()
        assert {"br0", "br7", "tap7"} <= site.switch.host.devices()
        assert site.switch.vsctl("list-br") == "br0\n"
        assert other.vsctl("list-br") == "br7\n"
        other.stop(cleanup=True)
        assert lost() == 0
        assert site.switch.host.devices().isdisjoint({"br7", "tap7"})
        assert "br0" in site.switch.host.devices()
    assert site.switch.daemon.log_warnings() == []
