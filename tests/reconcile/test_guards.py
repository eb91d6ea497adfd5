"""Protections as the database asks for them."""

from __future__ import annotations

import pytest

from jackfield.datapath._abi import GuardFlag
from jackfield.model import GuardConfig, MacLimitAction, PortSecurity
from jackfield.reconcile.guards import guard_config, guard_record


def test_a_port_without_keys_has_none() -> None:
    assert guard_config({"priority-tags": "always"}) == (None, ())


def test_everything_that_can_be_asked_for() -> None:
    config, complaints = guard_config(
        {
            "storm-broadcast": "100",
            "storm-multicast": "200",
            "storm-unknown-unicast": "300",
            "storm-burst": "7",
            "mac-limit": "5",
            "mac-limit-action": "flood",
            "port-security": "locked",
            "allowed-macs": "02:00:00:00:00:0b, 2:0:0:0:0:a",
        }
    )
    allowed = frozenset({bytes.fromhex("02000000000a"), bytes.fromhex("02000000000b")})
    assert complaints == ()
    assert config == GuardConfig(100, 200, 300, 7, 5, MacLimitAction.FLOOD, PortSecurity.LOCKED, allowed)
    record = guard_record(config)
    assert record.flags == GuardFlag.MAC_LIMIT | GuardFlag.MAC_LIMIT_FLOOD | GuardFlag.LOCKED
    assert record.mac_limit == 5
    assert record.storm_interval_ns == (10_000_000, 5_000_000, 3_333_333)
    assert record.storm_burst_ns == (60_000_000, 30_000_000, 19_999_998)
    assert record.allowed_count == 2
    assert record.allowed == bytes.fromhex("02000000000a 02000000000b") + bytes(84)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"storm-broadcast": "many"}, 'ignoring storm-broadcast "many" (not a number from 1 to 10000000)'),
        ({"storm-broadcast": "0"}, 'ignoring storm-broadcast "0" (not a number from 1 to 10000000)'),
        ({"storm-multicast": "-5"}, 'ignoring storm-multicast "-5" (not a number from 1 to 10000000)'),
        ({"mac-limit": "10000000"}, 'ignoring mac-limit "10000000" (not a number from 1 to 1000000)'),
        ({"mac-limit": "٣"}, 'ignoring mac-limit "٣" (not a number from 1 to 1000000)'),
        ({"mac-limit-action": "drop"}, "mac-limit-action has no effect without mac-limit"),
        ({"port-security": "yes"}, 'ignoring port-security "yes" (not none, sticky or locked)'),
        ({"allowed-macs": "02:00:00:00:00:0a"}, "allowed-macs has no effect without port-security=locked"),
        (
            {"storm-burst": "3"},
            "storm-burst has no effect without one of"
            " storm-broadcast, storm-multicast, storm-unknown-unicast",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_said_and_left_out(options: dict[str, str], complaint: str) -> None:
    assert guard_config(options) == (None, (complaint,))


def test_a_bad_value_takes_nothing_from_the_others() -> None:
    config, complaints = guard_config({"mac-limit": "3", "mac-limit-action": "explode", "storm-burst": "x"})
    assert config == GuardConfig(mac_limit=3)
    assert len(complaints) == 2


def test_bad_addresses_are_not_allowed_to_send() -> None:
    many = " ".join(f"02:00:00:00:01:{number:02x}" for number in range(17))
    config, complaints = guard_config(
        {"port-security": "locked", "allowed-macs": f"ff:ff:ff:ff:ff:ff joe {many}"}
    )
    assert config is not None
    assert len(config.allowed_macs) == 16
    assert complaints == (
        'ignoring "ff:ff:ff:ff:ff:ff" in allowed-macs (not the MAC address of a station)',
        'ignoring "joe" in allowed-macs (not the MAC address of a station)',
        "ignoring 02:00:00:00:01:10 in allowed-macs (there can be no more than 16)",
    )
