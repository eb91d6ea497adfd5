"""Bindings and BPDU guard, from what is written in the database to what the programs read."""

from __future__ import annotations

from ipaddress import ip_network

from jackfield.datapath._abi import GuardFlag, Limit
from jackfield.reconcile.guards import guard_config, guard_record


def test_addresses_of_all_kinds_bind_a_port() -> None:
    config, complaints = guard_config(
        {"allowed-addresses": "02:00:00:00:00:0a, 10.0.0.1 10.1.0.0/16 fe80::1 2001:db8::/64"}
    )
    assert not complaints
    assert config is not None
    assert config.bound_macs == {bytes.fromhex("02000000000a")}
    words = ("10.0.0.1", "10.1.0.0/16", "fe80::1", "2001:db8::/64")
    assert config.bound_networks == set(map(ip_network, words))
    record = guard_record(config)
    assert (record.bound_mac_count, record.bound_ipv4_count, record.bound_ipv6_count) == (1, 2, 2)


def test_what_cannot_be_the_source_of_a_frame_is_named() -> None:
    for word in ("01:00:5e:00:00:01", "224.0.0.1", "ff02::1", "10.0.0.1/24", "10.0.0", "tap1", "1:2:3"):
        config, complaints = guard_config({"allowed-addresses": f"{word} 10.0.0.9"})
        assert len(complaints) == 1
        assert f'"{word}"' in complaints[0]
        assert config is not None
        assert config.bound_networks == {ip_network("10.0.0.9")}


def test_there_is_an_end_of_addresses() -> None:
    many = " ".join(f"10.0.0.{number}" for number in range(Limit.MAX_BOUND + 1))
    config, complaints = guard_config({"allowed-addresses": many})
    assert config is not None
    assert len(config.bound_networks) == Limit.MAX_BOUND
    assert "no more than 16" in complaints[0]


def test_bpdu_guard_is_on_or_off() -> None:
    config, complaints = guard_config({"bpdu-guard": "true"})
    assert config is not None
    assert guard_record(config).flags == GuardFlag.BPDU
    assert not complaints
    assert guard_config({"bpdu-guard": "false"}) == (None, ())
    config, complaints = guard_config({"bpdu-guard": "yes"})
    assert config is None
    assert "not true or false" in complaints[0]
