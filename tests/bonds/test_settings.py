"""What the database's columns tell bonds and LACP."""

from __future__ import annotations

import pytest

from jackfield.model.bonding import BondSettings
from jackfield.model.config import BondMode
from jackfield.model.lacp import LacpSettings, LinkSettings
from jackfield.reconcile.bonds import (
    BRIDGE_ADDRESS,
    bond_settings,
    bond_warnings,
    lacp_settings,
    link_settings,
)


def port(**columns: object) -> dict[str, object]:
    options = {name.replace("_", "-"): columns.pop(name) for name in list(columns) if name not in COLUMNS}
    return {"name": "bond1", "other_config": options, **columns}


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
    ],
)
def test_what_is_wrong_is_said(row: dict[str, object], words: str) -> None:
    (warning,) = bond_warnings(row, 2, True)
    assert (warning.table, warning.name) == ("Port", "bond1")
    assert words in warning.text


def test_nothing_is_said_of_what_is_right() -> None:
    assert not list(bond_warnings(port(bond_mode="balance-tcp", lacp="active"), 2, True))
    assert not list(bond_warnings(port(), 1, False))
