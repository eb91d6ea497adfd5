"""What the daemon does for bonds: who may carry frames, what is announced, what is told."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from jackfield.model.bonding.hashing import slb_hash
from tests.bonds.ovs import is_here, running
from tests.e2e.switch import Switch
from tests.netlab import Namespace, Tap, settled, until

BOTH = ["e0", "e1"]
STATION = "02:00:00:00:0a:01"
FLOWS = 1000
WHAT_A_SOCKET_HOLDS = 100
MODES = ["active-backup", "balance-slb"]
COMING_IN = b"\xff" * 6 + b"\2\0\0\0\0\7" + b"\x88\xb5" + b"\x55" * 1000
IS_EMULATED = "JACKFIELD_TEST_PATIENCE" in os.environ


@pytest.fixture
def far(switch: Switch) -> Iterator[Namespace]:
    """The far ends of two cables, e0 and e1."""
    far = switch.lab.namespace("far")
    for name in BOTH:
        switch.lab.cable(switch.host, name, far, name)
    switch.vsctl("add-br", "br0")
    yield far


@pytest.fixture
def station(switch: Switch, far: Namespace) -> Namespace:
    """A station with the address STATION behind an internal port."""
    assert far.devices() >= set(BOTH)
    station = switch.lab.namespace("station")
    switch.internal("br0", "tap1", f'mac="{STATION}"')
    switch.move("tap1", station)
    switch.up("tap1", "10.9.0.1/24", namespace=station)
    return station


def bond(switch: Switch, *settings: str) -> None:
    switch.vsctl("add-bond", "br0", "bond1", *BOTH, *settings)


def enabled(switch: Switch) -> list[str]:
    return re.findall(r"^member (\S+): enabled", switch.appctl("bond/show"), re.MULTILINE)


def shown(switch: Switch, *words: str) -> str:
    """What `jackfield` prints."""
    done = switch.daemon.run(sys.executable, "-c", "from jackfield.cli.main import main; main()", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def active(switch: Switch) -> str:
    found = re.search(r"active member mac: \S+?\((\w+)\)", switch.appctl("bond/show"))
    assert found
    return found[1]


@pytest.mark.parametrize(("settings", "tag"), [("", b""), ("tag=1000", b"\x81\x00\x03\xe8")])
@pytest.mark.usefixtures("no_warnings")
def test_the_new_active_member_announces_what_is_behind_the_bond(
    switch: Switch, far: Namespace, station: Namespace, settings: str, tag: bytes
) -> None:
    bond(switch)
    if settings:
        switch.vsctl("set", "Port", "tap1", settings)
    source = bytes.fromhex(STATION.replace(":", ""))
    with far.tap("e0") as first, far.tap("e1") as second, station.tap("tap1") as out:
        out.send(b"\xff" * 6 + source + b"\x88\xb5" + bytes(46))
        first.receive(lambda frame: frame[6:12] == source)
        assert active(switch) == "e0"
        far.ip("link", "set", "e0", "down")
        announced = second.receive(lambda frame: frame[6:12] == source)
        assert announced[:6] == b"\xff" * 6
        assert announced[12:].startswith(tag + b"\x80\x35\x00\x01\x08\x00\x06\x04\x00\x03" + source)
    until(lambda: active(switch) == "e1")
    assert switch.get("Port", "bond1", "bond_active_slave") == switch.host.mac("e1")


@pytest.mark.usefixtures("no_warnings")
def test_next_to_nothing_is_lost_when_a_cable_is_pulled(
    switch: Switch, far: Namespace, station: Namespace
) -> None:
    # Both ends of a cable have the same number here: the kernel tells of them as slowly as of network cards.
    bond(switch)
    far.ip("link", "add", "up0", "type", "bridge", "forward_delay", "0")
    for name in BOTH:
        far.ip("link", "set", name, "master", "up0")
    far.up("up0", "10.9.0.2/24")
    station.ping("10.9.0.2")
    with station.pinging("10.9.0.2") as lost:
        for name in BOTH:
            far.ip("link", "set", name, "down")
            until(lambda name=name: active(switch) != name)
            station.ping("10.9.0.2")
            far.ip("link", "set", name, "up")
            until(lambda: enabled(switch) == BOTH)
            settled(far)  # the bridge there, too, has heard of it
        assert lost() <= 20


@pytest.mark.parametrize("mode", MODES)
def test_a_bond_leaves_members_without_a_link_with_the_daemon_dead(
    switch: Switch, far: Namespace, station: Namespace, mode: str
) -> None:
    bond(switch, f"bond_mode={mode}")
    source = bytes.fromhex(STATION.replace(":", ""))
    switch.daemon.kill()
    with station.tap("tap1") as out:

        def leaves_by(cable: Tap) -> bool:
            for _ in range(20):
                out.send(b"\2\xff\0\0\0\1" + source + b"\x88\xb5" + bytes(46))
            return any(frame[6:12] == source for frame in cable.drain())

        pull_in_turn(far, leaves_by)
    switch.daemon.start()
    until(lambda: enabled(switch) == BOTH)


@pytest.mark.parametrize("mode", MODES)
def test_with_the_daemon_dead_what_only_comes_in_gets_in_by_the_member_that_has_a_link(
    switch: Switch, far: Namespace, station: Namespace, mode: str
) -> None:
    bond(switch, f"bond_mode={mode}")
    switch.daemon.kill()
    with station.tap("tap1") as inside:

        def comes_in_by(cable: Tap) -> bool:
            cable.send(COMING_IN)
            return any(frame[6:12] == COMING_IN[6:12] for frame in inside.drain())

        pull_in_turn(far, comes_in_by)
    switch.daemon.start()
    until(lambda: enabled(switch) == BOTH)


@pytest.mark.parametrize("settings", ["bond_mode=balance-slb", "bond_updelay=60000"])
def test_with_the_daemon_dead_a_bond_without_any_link_serves_again_by_the_first_one(
    switch: Switch, far: Namespace, station: Namespace, settings: str
) -> None:
    bond(switch, settings)
    source = bytes.fromhex(STATION.replace(":", ""))
    for name in BOTH:
        far.ip("link", "set", name, "down")
    until(lambda: not enabled(switch))
    switch.daemon.kill()
    far.ip("link", "set", "e1", "up")
    with station.tap("tap1") as inside, far.tap("e1") as cable:

        def comes_in() -> bool:
            cable.send(COMING_IN)
            return any(frame[6:12] == COMING_IN[6:12] for frame in inside.drain())

        def leaves() -> bool:
            for _ in range(20):
                inside.send(b"\2\xff\0\0\0\1" + source + b"\x88\xb5" + bytes(46))
            return any(frame[6:12] == source for frame in cable.drain())

        until(comes_in if "slb" in settings else leaves)
        until(leaves)
        until(comes_in)
    switch.daemon.start()
    until(lambda: enabled(switch) == ["e1"])
    assert active(switch) == "e1"


# An emulated kernel takes members without a link out of use by itself: nothing has to be tried there.
if not IS_EMULATED:

    @pytest.mark.parametrize("mode", MODES)
    def test_with_the_daemon_dead_a_frame_with_nothing_in_it_shows_that_the_member_in_use_has_a_link(
        switch: Switch, far: Namespace, station: Namespace, mode: str
    ) -> None:
        bond(switch, f"bond_mode={mode}")
        switch.daemon.kill()
        with station.tap("tap1") as inside, far.tap("e0") as first, far.tap("e1") as second:
            left: list[bytes] = []

            def is_tested() -> bool:
                second.send(COMING_IN)
                left.extend(frame for frame in first.drain() if frame[6:9] == b"\x02jf")
                return bool(left)

            until(is_tested)
            # To an address that no bridge forwards; and the member with a link stays.
            assert {(frame[:6], frame[12:]) for frame in left} == {
                (b"\x01\x80\xc2\0\0\x0e", b"\x88\xb5" + bytes(82))
            }
            assert not any(frame[6:12] == COMING_IN[6:12] for frame in inside.drain())
        switch.daemon.start()


def pull_in_turn(far: Namespace, works_by: Callable[[Tap], bool]) -> None:
    """Leave one cable after the other as the only one, and see that it serves; both have a link after it."""
    for lost, other in (("e0", "e1"), ("e1", "e0"), ("e0", "e1")):
        far.ip("link", "set", other, "up")
        with far.tap(other) as cable:
            far.ip("link", "set", lost, "down")
            until(partial(works_by, cable))
    far.ip("link", "set", "e0", "up")


def test_a_thousand_flows_are_spread_evenly(switch: Switch, far: Namespace, station: Namespace) -> None:
    bond(switch, "bond_mode=balance-slb", "other_config:bond-rebalance-interval=0")

    def arrived(cable: Tap) -> int:
        return sum(frame[12:14] == b"\x88\xb5" for frame in cable.drain())

    with far.tap("e0") as first, far.tap("e1") as second, station.tap("tap1") as out:
        counts = [0, 0]
        sent = 0

        def all_there() -> bool:
            counts[0] += arrived(first)
            counts[1] += arrived(second)
            return sum(counts) >= sent

        for number in range(FLOWS):
            out.send(b"\2\xff\0\0\0\1" + b"\2\0\1\0" + number.to_bytes(2) + b"\x88\xb5" + bytes(46))
            sent += 1
            if sent % WHAT_A_SOCKET_HOLDS == 0 or sent == FLOWS:
                until(all_there, what=lambda: str(counts))
    assert sum(counts) == FLOWS
    assert 0.45 <= counts[0] / FLOWS <= 0.55


def test_load_moves_to_the_member_that_has_less(switch: Switch, far: Namespace, station: Namespace) -> None:
    bond(switch, "bond_mode=balance-slb", "other_config:bond-rebalance-interval=1000")
    everybody = [b"\2\0\2\0\0" + bytes([number]) for number in range(200)]
    sources = [mac for mac in everybody if slb_hash(mac, 0, 0) % 2 == 0][:20]
    with station.tap("tap1") as out:
        for _ in range(20):
            for source in sources:
                out.send(b"\2\xff\0\0\0\1" + source + b"\x88\xb5" + bytes(1000))
    until(lambda: " kB load" in switch.appctl("bond/show").split("member e1")[1])
    assert any("shift" in line and "from e0 to e1" in line for line in switch.daemon.log())
    assert enabled(switch) == BOTH
    assert far.devices() >= set(BOTH)


def test_a_card_that_is_made_anew_is_a_member_again(switch: Switch, far: Namespace) -> None:
    bond(switch)
    switch.host.ip("link", "delete", "e0")
    until(lambda: enabled(switch) == ["e1"])
    switch.lab.cable(switch.host, "e0", far, "e0")
    until(lambda: enabled(switch) == BOTH)


def test_members_are_chosen_by_hand(switch: Switch, far: Namespace) -> None:
    bond(switch)
    assert switch.appctl("bond/set-active-member", "bond1", "e1") == "done\n"
    assert switch.appctl("bond/set-active-slave", "bond1", "e1") == "no change\n"
    assert active(switch) == "e1"
    assert switch.appctl("bond/disable-member", "bond1", "e1") == "disabled\n"
    assert (enabled(switch), active(switch)) == (["e0"], "e0")
    assert switch.appctl("bond/enable-slave", "bond1", "e1") == "enabled\n"
    assert enabled(switch) == BOTH
    switch.vsctl("set", "Port", "bond1", "bond_mode=balance-slb")
    assert switch.appctl("bond/migrate", "bond1", "7", "e0") == "migrated\n"
    far.ip("link", "set", "e1", "down")
    until(lambda: enabled(switch) == ["e0"])
    refused = switch.daemon.run("ovs-appctl", "bond/migrate", "bond1", "7", "e1")
    assert refused.stderr.startswith("cannot migrate to disabled member\n")
    refused = switch.daemon.run("ovs-appctl", "bond/set-active-member", "bond1", "e1")
    assert refused.stderr.startswith("cannot make disabled member active\n")


@pytest.mark.usefixtures("far")
def test_a_new_daemon_goes_on_with_the_members_as_they_were(switch: Switch) -> None:
    bond(switch, "bond_updelay=60000")
    switch.appctl("bond/set-active-member", "bond1", "e1")
    switch.daemon.restart()
    assert (enabled(switch), active(switch)) == (BOTH, "e1")
    switch.daemon.kill()
    switch.daemon.start()
    assert (enabled(switch), active(switch)) == (BOTH, "e1")


def test_links_are_asked_for_when_that_is_wanted(switch: Switch, far: Namespace) -> None:
    bond(switch, "other_config:bond-detect-mode=miimon", "other_config:bond-miimon-interval=20")
    assert enabled(switch) == BOTH
    far.ip("link", "set", "e0", "down")
    until(lambda: enabled(switch) == ["e1"])
    far.ip("link", "set", "e0", "up")
    until(lambda: enabled(switch) == BOTH)


@pytest.mark.usefixtures("far")
def test_members_that_differ_are_pointed_out(switch: Switch) -> None:
    switch.host.ip("link", "set", "e1", "mtu", "1400")
    bond(switch)
    warning = switch.get("Port", "bond1", "status:warning")
    assert "different MTUs (e0 1500, e1 1400)" in warning
    assert enabled(switch) == BOTH


def test_settings_that_are_not_understood_are_pointed_out(switch: Switch) -> None:
    for name in BOTH:
        switch.lab.cable(switch.host, name, switch.host, f"far-{name}")
    switch.vsctl("add-br", "br0")
    bond(switch, "lacp=active", "other_config:lacp-time=quick", "bond_updelay=-1")
    switch.vsctl("set", "Interface", "e1", "other_config:lacp-port-id=70000")
    warning = switch.get("Port", "bond1", "status:warning")
    assert "bond_updelay -1 is negative; taking 0" in warning
    assert "is neither fast nor slow; taking slow" in warning
    assert "is not an integer from 1 to 65535; taking the OpenFlow port number" in switch.get(
        "Interface", "e1", "status:warning"
    )
    switch.vsctl("clear", "Interface", "e1", "other_config")
    switch.wait_for("Interface", "e1", "status", "(?!.*warning).*")


def test_people_and_programs_are_shown_the_same(switch: Switch, far: Namespace) -> None:
    bond(switch, "bond_mode=balance-slb")
    report = json.loads(switch.daemon.unixctl("jackfield/bonds"))["bonds"]
    assert [member["buckets"] for member in report[0]["members"]] == [128, 128]
    assert report[0]["mode"] == "balance-slb"
    table = shown(switch, "bond").splitlines()
    assert table[0].split() == ["Bond", "Mode", "LACP", "Member", "Link", "State", "Partner", "Share"]
    assert [line.split()[3:] for line in table[1:]] == [
        ["e0", "up", "active", "128"],
        ["e1", "up", "enabled", "128"],
    ]
    assert json.loads(shown(switch, "bond", "bond1", "--json"))["bonds"] == report
    far.ip("link", "set", "e0", "down")
    until(lambda: json.loads(switch.daemon.unixctl("jackfield/bonds"))["bonds"][0]["active"] == "e1")


COMMANDS = (
    ("bond/show", "bond1"),
    ("bond/show", "nonsense"),
    ("bond/set-active-member", "bond1", "nonsense"),
    ("bond/enable-member", "nonsense", "e0"),
    ("bond/migrate", "bond1", "1", "e0"),
    ("bond/hash", "02:00:00:00:00:01"),
    ("bond/hash", "02:00:00:00:00:01", "10", "99"),
    ("bond/hash", "02:00:00:00:00:01", "-1"),
    ("bond/hash", "02:00:00:00:00:01", "70000", "-1"),
    ("bond/hash", "nonsense"),
    ("bond/hash", "02:00:00:00:00:01", "nonsense"),
    ("bond/hash", "02:00:00:00:00:01", "1", "nonsense"),
    ("bond/hash",),
    ("lacp/show", "bond1"),
    ("lacp/show", "nonsense"),
    ("lacp/show-stats", "nonsense"),
)


@pytest.mark.skipif(not is_here(), reason="Open vSwitch is not installed")
@pytest.mark.parametrize(
    "settings",
    [
        "bond_updelay=100",
        "bond_mode=balance-slb other_config:bond-rebalance-interval=0",
        "bond_mode=balance-slb other_config:bond-hash-basis=7 bond_downdelay=5",
        "bond_mode=balance-slb other_config:bond-hash-basis=4294967295",
        "other_config:bond-primary=e7",
    ],
)
def test_the_commands_answer_as_those_of_ovs(
    switch: Switch, far: Namespace, tmp_path: Path, settings: str
) -> None:
    with running(tmp_path / "ovs", far) as other:
        other.add_bridge("br0")
        other.vsctl("add-bond", "br0", "bond1", *BOTH, *settings.split())
        bond(switch, *settings.split())
        for side in (switch, other):
            side.appctl("bond/set-active-member", "bond1", "e0")

        def told(side: object, words: tuple[str, ...]) -> tuple[int, str]:
            run = switch.daemon.run if side is switch else other.attempt
            done = run("ovs-appctl", *words)
            text = re.sub(r"..:..:..:..:..:..\(", "MAC(", done.stdout + done.stderr)
            return done.returncode, re.sub(r"next rebalance: \d+ ms", "next rebalance: N ms", text)

        for words in COMMANDS:
            until(
                lambda words=words: told(switch, words) == told(other, words),
                what=lambda words=words: f"{words}: {told(switch, words)} like {told(other, words)}",
            )
