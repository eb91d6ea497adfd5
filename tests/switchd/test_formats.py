"""What the daemon writes and prints, as pure functions of what it knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jackfield.datapath._abi import BridgeState, Counters, DropReason, FdbEntry, FdbFlag, FdbKey
from jackfield.model.config import BridgeConfig, PortConfig, VlanMode
from jackfield.net.link import LinkStats
from jackfield.reconcile.outcome import (
    BridgeOutcome,
    InterfaceOutcome,
    ObjectState,
    Outcome,
    PortOutcome,
    State,
    Warning,
)
from jackfield.switchd import identity
from jackfield.switchd.commands import forwarding
from jackfield.switchd.commands.reports import dpif_show, port_report, ranges, vlan_text
from jackfield.switchd.coverage import Coverage
from jackfield.switchd.paths import Paths
from jackfield.switchd.stats import device_statistics, drops_by_interface, switch_statistics
from jackfield.switchd.status import (
    LinkResets,
    Platform,
    Update,
    is_configuration,
    narrate,
    operations,
    status_updates,
)

PLATFORM = Platform("3.1.0-x", "8.3.1", "debian", "12", "jackfield-x")
SECOND = 1_000_000_000
BR0 = BridgeOutcome("br0", "b", BridgeConfig("br0", mac_aging_time=10), 1, datapath_id="00" * 8)
LOCAL = InterfaceOutcome("br0", "i0", "br0", "br0", "internal", 65534, 1, link_state="up")
P1 = InterfaceOutcome("p1", "i1", "br0", "p1", "internal", 1, 2, mtu=1500, link_state="up")
OUTCOME = Outcome(
    (BR0,),
    (
        PortOutcome("br0", "p0", "br0", PortConfig("br0"), ("br0",), 1, 65534),
        PortOutcome("p1", "p1", "br0", PortConfig("p1", VlanMode.ACCESS, 5), ("p1",), 2, 1),
    ),
    (LOCAL, P1),
    (ObjectState("Bridge", "br0", State.OK), ObjectState("Interface", "p1", State.OK)),
)
LOST = Outcome(
    (BR0,),
    OUTCOME.ports,
    (LOCAL, replace(P1, ofport=-1, error="gone")),
    (
        ObjectState("Bridge", "br0", State.OK),
        ObjectState("Port", "p1", State.PENDING, "gone"),
        ObjectState("Interface", "p1", State.PENDING, "gone"),
    ),
)


def test_an_interface_that_was_lost_keeps_no_status_but_its_error() -> None:
    updates = {
        each.uuid: each.columns for each in status_updates(LOST, PLATFORM, {"p1": 3}, {"p1": {"x": 1}})
    }
    assert updates["i1"]["ofport"] == -1
    assert updates["i1"]["error"] == "gone"
    assert updates["i1"]["statistics"] == {}
    assert {updates["i1"][name] for name in ("mtu", "ifindex", "link_state", "link_resets", "duplex")} == {
        None
    }


def test_warnings_are_in_the_status_of_what_they_are_about() -> None:
    warned = replace(
        OUTCOME, warnings=(Warning("Bridge", "br0", "stp is off"), Warning("Bridge", "br0", "no mirror"))
    )
    updates = {each.uuid: each.columns for each in status_updates(warned, PLATFORM, {}, {})}
    assert updates["b"]["status"] == {"warning": "stp is off; no mirror"}
    assert updates["p1"]["status"] == {}
    assert "statistics" not in updates["i1"]


def test_only_columns_that_differ_and_rows_that_are_there_are_written() -> None:
    tables = {"Interface": {"i1": {"ofport": 1, "error": "x", "mtu": 1500}}}
    updates = [
        Update("Interface", "i1", {"ofport": 1, "error": None, "mtu": 1400}),
        Update("Interface", "gone", {"ofport": 1}),
    ]
    assert operations(updates, tables) == [
        {
            "op": "update",
            "table": "Interface",
            "where": [["_uuid", "==", ["uuid", "i1"]]],
            "row": {"error": ["set", []], "mtu": 1400},
        }
    ]
    assert operations(updates[:1], {"Interface": {"i1": {"ofport": 1, "error": None, "mtu": 1400}}}) == []


def test_status_is_no_configuration() -> None:
    row = {"next_cfg": 1, "cur_cfg": 0, "bridges": frozenset(), "other_config": {}}
    assert is_configuration("Open_vSwitch", row, {**row, "next_cfg": 2})
    assert not is_configuration("Open_vSwitch", row, {**row, "cur_cfg": 2})
    assert is_configuration("Open_vSwitch", None, row)


def test_every_change_of_a_link_is_a_reset() -> None:
    resets = LinkResets()
    assert resets.count([P1]) == {"p1": 0}
    assert resets.count([replace(P1, link_state="down")]) == {"p1": 1}
    assert resets.count([P1]) == {"p1": 2}
    assert resets.count([P1]) == {"p1": 2}


def test_the_log_tells_what_came_and_went() -> None:
    assert narrate(Outcome(), OUTCOME) == (
        [
            "bridge br0: added interface br0 on port 65534",
            "bridge br0: added interface p1 on port 1",
        ],
        [],
    )
    assert narrate(OUTCOME, OUTCOME) == ([], [])
    assert narrate(OUTCOME, LOST) == (["bridge br0: deleted interface p1 on port 1"], ["Interface p1: gone"])
    assert narrate(LOST, LOST) == ([], [])
    assert narrate(LOST, OUTCOME) == (
        ["bridge br0: added interface p1 on port 1", "Interface p1: in order now"],
        [],
    )
    down = replace(OUTCOME, interfaces=(LOCAL, replace(P1, link_state="down")))
    assert narrate(OUTCOME, down)[0] == ["interface p1: link state down"]


def test_half_a_patch_is_no_fault() -> None:
    patch = replace(P1, type="patch", error="no peer")
    half = replace(
        OUTCOME,
        interfaces=(LOCAL, patch),
        objects=(ObjectState("Interface", "p1", State.ERROR, "no peer"),),
    )
    assert narrate(OUTCOME, half) == (["Interface p1: no peer"], [])


def test_a_warning_is_told_once() -> None:
    warned = replace(OUTCOME, warnings=(Warning("Bridge", "br0", "stp is off"),))
    assert narrate(OUTCOME, warned)[1] == ["Bridge br0: stp is off"]
    assert narrate(warned, warned)[1] == []


def entry(mac: int, port: int, seen: int, vlan: int = 5, static: bool = False) -> tuple[FdbKey, FdbEntry]:
    flags = FdbFlag.STATIC if static else 0
    return FdbKey(1, vlan, bytes([2, 0, 0, 0, 0, mac])), FdbEntry(seen * SECOND, port, flags)


def test_the_table_is_shown_in_ovs_form_without_what_has_aged() -> None:
    entries = [
        entry(1, 2, 95),
        entry(2, 1, 93, 100),
        entry(3, 2, 90),
        entry(4, 2, 0, 0, True),
        entry(5, 9, 95),
    ]
    assert forwarding.show(forwarding.learned(OUTCOME, entries, 100 * SECOND)) == (
        " port  VLAN  MAC                Age\n"
        "    1     0  02:00:00:00:00:04  static\n"
        "LOCAL   100  02:00:00:00:00:02    7\n"
        "    1     5  02:00:00:00:00:01    5\n"
    )
    assert forwarding.learned(OUTCOME, entries, 100 * SECOND, "br1") == []


def test_table_statistics_count_from_when_they_were_cleared() -> None:
    state = BridgeState(entries=3, statics=1, learned=9, expired=4, evicted=2, moved=1)
    assert forwarding.stats(BR0, state, BridgeState(learned=5, moved=1), {}) == (
        'Statistics for bridge "br0":\n'
        "  Current/maximum MAC entries in the table: 4/8192\n"
        "  Current static MAC entries in the table : 1\n"
        "  Total number of learned MAC entries     : 4\n"
        "  Total number of expired MAC entries     : 4\n"
        "  Total number of evicted MAC entries     : 2\n"
        "  Total number of port moved MAC entries  : 0\n"
    )


@pytest.mark.parametrize(
    ("text", "vlan"),
    [("0", 0), ("4095", 4095), ("4096", None), ("-1", None), ("x", None), ("", None), ("²", None)],
)
def test_a_vlan_is_a_number_up_to_4095(text: str, vlan: int | None) -> None:
    assert forwarding.vlan_number(text) == vlan


def test_a_mac_address_is_read_and_printed() -> None:
    assert forwarding.mac_bytes("2:0:0:0:0:Ff") == bytes([2, 0, 0, 0, 0, 255])
    assert forwarding.mac_bytes("02:00:00:00:00") is None
    assert forwarding.mac_text(bytes([2, 0, 0, 0, 0, 255])) == "02:00:00:00:00:ff"


def test_the_datapath_is_shown_in_ovs_form() -> None:
    patch = InterfaceOutcome("a", "i2", "br0", "a", "patch", 2, 3)
    port = PortOutcome("a", "p2", "br0", PortConfig("a", patch_peer="b"), ("a",), 3, 2)
    outcome = replace(OUTCOME, ports=(*OUTCOME.ports, port), interfaces=(*OUTCOME.interfaces, patch))
    assert dpif_show(outcome, 12) == (
        "system@ovs-system: hit:12 missed:0\n"
        "  br0:\n"
        "    a 2/none: (patch: peer=b)\n"
        "    br0 65534/1: (internal)\n"
        "    p1 1/2: (internal)\n"
    )


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (PortConfig("p"), "trunk"),
        (PortConfig("p", trunks=frozenset({1, 2, 3, 7})), "trunk of 1-3,7"),
        (PortConfig("p", VlanMode.ACCESS, 9), "access 9"),
        (PortConfig("p", VlanMode.NATIVE_TAGGED, 9, trunks=frozenset({9, 10})), "native-tagged 9 of 9-10"),
        (PortConfig("p", VlanMode.DOT1Q_TUNNEL, 9, cvlans=frozenset({4})), "dot1q-tunnel 9 of 4"),
    ],
)
def test_vlan_rules_are_put_in_a_few_words(config: PortConfig, text: str) -> None:
    assert vlan_text(config) == text


def test_no_numbers_are_no_ranges() -> None:
    assert ranges(()) == ""


def test_drops_count_where_the_frame_was_lost() -> None:
    drops = drops_by_interface(
        {(1, DropReason.RUNT): 3, (1, DropReason.MTU_EXCEEDED): 2, (2, DropReason.RUNT): 0}
    )
    statistics = switch_statistics(Counters(10, 1000, 20, 2000), drops[1])
    assert (statistics["rx_dropped"], statistics["tx_dropped"]) == (3, 2)
    assert 2 not in drops
    report = port_report(P1, PortConfig("p1"), "red", Counters(10, 1000, 20, 2000), drops[1])
    assert report["drops"]["runt"] == {"count": 3, "text": "shorter than an Ethernet header"}
    assert (report["netns"], report["rx_packets"], report["tx_bytes"]) == ("red", 10, 2000)


def test_a_device_s_own_counters_have_ovs_names() -> None:
    statistics = device_statistics(LinkStats(rx_packets=1, rx_crc_errors=2, multicast=3))
    assert (statistics["rx_packets"], statistics["rx_crc_err"], statistics["rx_multicast_packets"]) == (
        1,
        2,
        3,
    )


def test_coverage_gives_rates_of_whole_intervals() -> None:
    coverage = Coverage(("often", "once", "never"))
    for now in (0.0, 1.0, 6.0, 7.0, 8.0, 9.0, 9.9):
        coverage.count("often", now)
    coverage.count("once", 3600.0)
    lines = coverage.listing(10.0).splitlines()
    assert lines[1] == "often                      1.0/sec     0.117/sec        0.0019/sec   total: 7"
    assert lines[-1] == "1 events never hit"


def test_the_version_starts_as_clients_parse_it() -> None:
    assert identity.version_line() == f"ovs-vswitchd (Jackfield) {identity.ovs_version()}"
    assert identity.ovs_version().startswith("3.1.0-")


def test_the_system_is_what_os_release_says(tmp_path: Path) -> None:
    release = tmp_path / "os-release"
    release.write_text('# x\nID=debian\nVERSION_ID="12"\n')
    assert identity.platform(release).system_type == "debian"
    assert identity.platform(release).system_version == "12"
    assert identity.platform(tmp_path / "no").system_type == "linux"


def test_directories_come_from_arguments_then_environment_then_defaults() -> None:
    paths = Paths.choose({"OVS_RUNDIR": "/a", "OVS_SYSCONFDIR": "/s"}, logdir="/l")
    assert (str(paths.rundir), str(paths.dbdir), str(paths.logdir)) == ("/a", "/s/openvswitch", "/l")
    assert str(paths.control_socket(7)) == "/a/ovs-vswitchd.7.ctl"
    assert str(Paths.choose({}).pidfile) == "/run/openvswitch/ovs-vswitchd.pid"
