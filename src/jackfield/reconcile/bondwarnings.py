"""What is wrong with the settings of bonds and LACP: a warning each, in the words of the row.

What is taken instead is what OVS takes: see `reconcile.bonds`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from jackfield.model.config import BondMode
from jackfield.reconcile.bonds import (
    MIIMON_DEFAULT_MS,
    MODES,
    REBALANCE_DEFAULT_MS,
    REBALANCE_LEAST_MS,
    bond_settings,
    lacp_settings,
)
from jackfield.reconcile.outcome import Warning
from jackfield.reconcile.rows import Row, int_32, integer, mac, pairs, text, true

_LEAST, _MOST = -(1 << 31), (1 << 31) - 1
_MOST_LACP = 0xFFFF


def bond_warnings(row: Row, members: int, names: Collection[str], flood_vlans: bool) -> Iterator[Warning]:
    """What is wrong with the settings of a Port row with so many interfaces, `names` being those that are not
    in use elsewhere; `flood_vlans` tells whether its bridge has any."""
    for sentence in _lacp_sentences(row, members):
        yield Warning("Port", text(row, "name"), sentence)
    if members > 1:
        for sentence in _bond_sentences(row, members, names, flood_vlans):
            yield Warning("Port", text(row, "name"), sentence)


def link_warnings(row: Row) -> Iterator[Warning]:
    """What is wrong with the settings of an Interface row of a port that has LACP."""
    options = pairs(row, "other_config")
    for key, least, instead in (
        ("lacp-port-id", 1, "the OpenFlow port number"),
        ("lacp-port-priority", 1, "65535"),
        ("lacp-aggregation-key", 0, "the key of the port"),
    ):
        for sentence in _out_of_range(options, key, least, _MOST_LACP, instead):
            yield Warning("Interface", text(row, "name"), sentence)


def _lacp_sentences(row: Row, members: int) -> Iterator[str]:
    lacp = text(row, "lacp")
    if lacp not in ("", "off", "active", "passive"):
        yield f'unknown LACP mode "{lacp}" (active, passive or off); LACP stays off'
    if lacp not in ("active", "passive"):
        return
    options = pairs(row, "other_config")
    settings = lacp_settings(row, members)
    if settings is None:
        system = options["lacp-system-id"]
        if mac(system) is None:
            yield f"LACP system ID ({system}) must be an Ethernet address; LACP stays off"
        else:
            yield "invalid zero LACP system ID; LACP stays off"
        return
    yield from _out_of_range(options, "lacp-system-priority", 1, _MOST_LACP, str(settings.system_priority))
    rate = options.get("lacp-time", "slow")
    if rate.lower() not in ("fast", "slow"):
        yield f'lacp-time "{rate}" is neither fast nor slow; taking slow'


def _bond_sentences(row: Row, members: int, names: Collection[str], flood_vlans: bool) -> Iterator[str]:
    options = pairs(row, "other_config")
    mode = text(row, "bond_mode")
    if mode and mode not in MODES:
        yield f'unknown bond_mode "{mode}", taking active-backup'
    if mode == BondMode.BALANCE_SLB.value and flood_vlans:
        yield "SLB bonds are incompatible with flood_vlans; use another bond mode or disable flood_vlans"
    if mode == BondMode.BALANCE_TCP.value and lacp_settings(row, members) is None:
        yield "balance-tcp needs LACP: without it the bond carries nothing (set lacp to active or passive)"
    yield from _numbers(row, options)
    for key in ("all-members-active", "lacp-fallback-ab", "lb-output-action"):
        value = options.get(key, "false")
        if value.lower() not in ("true", "false"):
            yield f'{key} "{value}" is neither true nor false; taking false'
    if true(options, "lb-output-action"):
        yield "lb-output-action has no effect: members are always chosen in the data path"
    settings = bond_settings(row, members)
    if settings is not None and settings.primary and settings.primary not in names:
        yield f'bond-primary "{settings.primary}" is no member of the bond'


def _numbers(row: Row, options: Mapping[str, str]) -> Iterator[str]:
    for column in ("bond_updelay", "bond_downdelay"):
        if (integer(row, column) or 0) < 0:
            yield f"{column} {integer(row, column)} is negative; taking 0"
    yield from _out_of_range(options, "bond-hash-basis", _LEAST, _MOST, "0")
    key = "bond-rebalance-interval"
    yield from _out_of_range(options, key, _LEAST, _MOST, str(REBALANCE_DEFAULT_MS))
    rebalance = int_32(options.get(key, "0"))
    if rebalance and rebalance < REBALANCE_LEAST_MS:
        yield f"{key} {rebalance} is neither 0 nor {REBALANCE_LEAST_MS} or more; taking {REBALANCE_LEAST_MS}"
    detect = options.get("bond-detect-mode", "carrier")
    if detect == "miimon":
        yield from _out_of_range(options, "bond-miimon-interval", 1, _MOST, str(MIIMON_DEFAULT_MS))
    elif detect != "carrier":
        yield f'unsupported bond-detect-mode "{detect}", taking carrier'


def _out_of_range(options: Mapping[str, str], key: str, least: int, most: int, instead: str) -> Iterator[str]:
    value = options.get(key)
    if value is None:
        return
    number = int_32(value)
    if number is None or not least <= number <= most:
        yield f'{key} "{value}" is not an integer from {least} to {most}; taking {instead}'
