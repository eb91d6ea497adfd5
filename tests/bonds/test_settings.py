"""What the database's columns tell bonds and LACP."""

from __future__ import annotations

import pytest

from jackfield.model.bonding import BondSettings
from jackfield.model.config import BondMode
from jackfield.model.lacp import LacpSettings, LinkSettings
from jackfield.reconcile.bonds import (
    BRIDGE_ADDRESS,
    bond_settings,
    lacp_settings,
    link_settings,
)
from jackfield.reconcile.bondwarnings import bond_warnings, link_warnings


def port(**columns: object) -> dict[str, object]:
    options = {name.replace("_", "-"): columns.pop(name) for name in list(columns) if name not in COLUMNS}
    return {"name": "bond1", "other_config": options, **columns}


BOTH = ("e0", "e1")
COLUMNS = ("bond_mode", "bond_updelay", "bond_downdelay", "lacp")


def test_one_interface_makes_no_bond() -> None:
    assert bond_settings(port(bond_mode="balance-slb"), 1) is None


@pytest.mark.parametrize(
    ("row", "settings"),
    [
        (port(), BondSettings()),
        (port(bond_mode="balance-slb"), BondSettings(BondMode.BALANCE_SLB)),
        (port(bond_mode="nonsense"), BondSettings()),
        (port(bond_updelay=-3, bond_downdelay=70), BondSettings(downdelay_ms=70)),
        (port(bond_hash_basis="7"), BondSettings(basis=7)),
        (port(bond_hash_basis="-1"), BondSettings(basis=0xFFFFFFFF)),
        (port(bond_hash_basis=" 7"), BondSettings(basis=7)),
        (port(bond_hash_basis="4294967295"), BondSettings()),
        (port(bond_hash_basis="0x10"), BondSettings()),
        (port(bond_rebalance_interval="99999999999"), BondSettings()),
        (port(bond_rebalance_interval="-7"), BondSettings(rebalance_ms=1000)),
        (port(bond_rebalance_interval="0"), BondSettings(rebalance_ms=0)),
        (port(bond_rebalance_interval="10"), BondSettings(rebalance_ms=1000)),
        (port(bond_detect_mode="miimon"), BondSettings(miimon_ms=200)),
        (port(bond_detect_mode="miimon", bond_miimon_interval="50"), BondSettings(miimon_ms=50)),
        (port(bond_miimon_interval="50"), BondSettings()),
        (port(bond_primary="eth1"), BondSettings(primary="eth1")),
        (port(bond_primary="eth1", bond_mode="balance-tcp"), BondSettings(BondMode.BALANCE_TCP)),
        (
            port(bond_primary="eth1", bond_mode="balance-tcp", lacp_fallback_ab="true"),
            BondSettings(BondMode.BALANCE_TCP, primary="eth1", fallback_ab=True),
        ),
        (
            port(all_members_active="true", bond_mode="balance-slb"),
            BondSettings(BondMode.BALANCE_SLB, all_members_active=True),
        ),
        (port(all_members_active="true"), BondSettings()),
    ],
)
def test_a_bond_is_told(row: dict[str, object], settings: BondSettings) -> None:
    assert bond_settings(row, 2) == settings


@pytest.mark.parametrize(
    ("row", "settings"),
    [
        (port(), None),
        (port(lacp="off"), None),
        (port(lacp="nonsense"), None),
        (port(lacp="active"), LacpSettings(BRIDGE_ADDRESS, 65534)),
        (
            port(lacp="passive", lacp_time="FAST"),
            LacpSettings(BRIDGE_ADDRESS, 65534, active=False, fast=True),
        ),
        (port(lacp="active", lacp_system_priority="9"), LacpSettings(BRIDGE_ADDRESS, 9)),
        (port(lacp="active", lacp_system_priority="70000"), LacpSettings(BRIDGE_ADDRESS, 65534)),
        (
            port(lacp="active", lacp_system_id="02:00:00:00:00:07"),
            LacpSettings(bytes.fromhex("020000000007"), 65534),
        ),
        (port(lacp="active", lacp_system_id="nonsense"), None),
        (port(lacp="active", lacp_system_id="00:00:00:00:00:00"), None),
        (port(lacp="active", lacp_fallback_ab="true"), LacpSettings(BRIDGE_ADDRESS, 65534, fallback_ab=True)),
    ],
)
def test_lacp_is_told(row: dict[str, object], settings: LacpSettings | None) -> None:
    assert lacp_settings(row, 2) == settings


def test_a_port_that_is_no_bond_ranks_behind_bonds() -> None:
    assert lacp_settings(port(lacp="active"), 1) == LacpSettings(BRIDGE_ADDRESS, 65535)


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({}, LinkSettings(5)),
        (
            {"lacp-port-id": "9", "lacp-port-priority": "8", "lacp-aggregation-key": "7"},
            LinkSettings(9, 8, 7),
        ),
        ({"lacp-port-id": "0", "lacp-port-priority": "-1", "lacp-aggregation-key": "99999"}, LinkSettings(5)),
    ],
)
def test_a_link_is_told(options: dict[str, str], settings: LinkSettings) -> None:
    assert link_settings({"name": "eth0", "other_config": options}, 5) == settings


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (port(bond_mode="nonsense"), "unknown bond_mode"),
        (port(lacp="nonsense"), "unknown LACP mode"),
        (port(lacp="active", lacp_system_id="nonsense"), "must be an Ethernet address"),
        (port(lacp="active", lacp_system_id="00:00:00:00:00:00"), "zero LACP system ID"),
        (port(bond_mode="balance-tcp"), "needs LACP"),
        (port(bond_detect_mode="nonsense"), "unsupported bond-detect-mode"),
        (port(lb_output_action="true"), "lb-output-action has no effect"),
        (port(bond_mode="balance-slb"), "incompatible with flood_vlans"),
        (port(bond_updelay=-1), "bond_updelay -1 is negative; taking 0"),
        (port(bond_hash_basis="4294967295"), 'bond-hash-basis "4294967295" is not an integer from'),
        (port(bond_rebalance_interval="soon"), "taking 10000"),
        (port(bond_rebalance_interval="-7"), "-7 is neither 0 nor 1000 or more; taking 1000"),
        (port(bond_detect_mode="miimon", bond_miimon_interval="0"), "taking 200"),
        (port(all_members_active="yes"), 'all-members-active "yes" is neither true nor false'),
        (port(bond_primary="eth7"), 'bond-primary "eth7" is no member'),
        (port(lacp="active", lacp_time="quick"), 'lacp-time "quick" is neither fast nor slow; taking slow'),
        (port(lacp="active", lacp_system_priority="65536"), "taking 65534"),
    ],
)
def test_what_is_wrong_is_said(row: dict[str, object], words: str) -> None:
    (warning,) = bond_warnings(row, 2, BOTH, True)
    assert (warning.table, warning.name) == ("Port", "bond1")
    assert words in warning.text


def test_nothing_is_said_of_what_is_right() -> None:
    told = {"lacp_system_priority": "65535", "lacp_time": "FAST", "lacp_fallback_ab": "True"}
    asked = port(
        bond_mode="balance-tcp", lacp="active", bond_rebalance_interval="0", bond_primary="e1", **told
    )
    assert not list(bond_warnings(asked, 2, BOTH, True))
    assert not list(bond_warnings(port(), 1, BOTH[:1], False))
    link = {"lacp-port-id": "65535", "lacp-port-priority": "1", "lacp-aggregation-key": "0"}
    assert not list(link_warnings({"name": "e0", "other_config": link}))


def test_what_makes_no_difference_is_not_complained_of() -> None:
    assert not list(bond_warnings(port(lacp_time="quick", bond_miimon_interval="x"), 2, BOTH, False))
    assert not list(
        bond_warnings(port(bond_hash_basis="x", bond_primary="e7", bond_updelay=-1), 1, ["e0"], False)
    )
    assert not list(bond_warnings(port(bond_mode="balance-slb", bond_primary="e7"), 2, BOTH, False))


@pytest.mark.parametrize(
    ("key", "value", "instead"),
    [
        ("lacp-port-id", "0", "the OpenFlow port number"),
        ("lacp-port-priority", "x", "65535"),
        ("lacp-aggregation-key", "-1", "the key of the port"),
    ],
)
def test_what_is_wrong_with_a_link_is_said(key: str, value: str, instead: str) -> None:
    (warning,) = link_warnings({"name": "e0", "other_config": {key: value}})
    assert (warning.table, warning.name) == ("Interface", "e0")
    assert warning.text.startswith(f'{key} "{value}" is not an integer from ')
    assert warning.text.endswith(f"; taking {instead}")
