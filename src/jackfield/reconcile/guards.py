"""From Port other_config to the protections of a port, and from these to what the programs read.

A value that cannot be taken is left out, and a warning says so: the other protections are there all the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar

from jackfield.datapath import _abi
from jackfield.datapath._abi import GuardFlag, Limit
from jackfield.model.protection import GuardConfig, MacLimitAction, Network, PortSecurity
from jackfield.reconcile.outcome import Warning
from jackfield.reconcile.rows import Row, mac, pairs, text

MOST_FRAMES = 10_000_000
"""A second, or at once."""
MOST_ADDRESSES = 1_000_000

_STORMS = ("storm-broadcast", "storm-multicast", "storm-unknown-unicast")
_Choice = TypeVar("_Choice", bound=Enum)


def guard_config(options: Mapping[str, str]) -> tuple[GuardConfig | None, tuple[str, ...]]:
    """The protections that a Port's other_config asks for, None for none, and what is wrong with it."""
    reader = _Reader(options)
    config = reader.read()
    return (None if config == GuardConfig() else config), tuple(reader.complaints)


def guard_warnings(row: Row) -> Iterator[Warning]:
    """What a Port row asks for in vain."""
    for sentence in guard_config(pairs(row, "other_config"))[1]:
        yield Warning("Port", text(row, "name"), sentence)


def guard_record(config: GuardConfig) -> _abi.Guard:
    """The protections as the programs read them."""
    flags = GuardFlag(0)
    if config.mac_limit is not None:
        flags |= GuardFlag.MAC_LIMIT
        if config.mac_limit_action is MacLimitAction.FLOOD:
            flags |= GuardFlag.MAC_LIMIT_FLOOD
    if config.security is PortSecurity.STICKY:
        flags |= GuardFlag.STICKY
    elif config.security is PortSecurity.LOCKED:
        flags |= GuardFlag.LOCKED
    if config.bpdu_guard:
        flags |= GuardFlag.BPDU
    if config.damped:
        flags |= GuardFlag.DAMPED
    ipv4 = sorted(each for each in config.bound_networks if isinstance(each, IPv4Network))
    ipv6 = sorted(each for each in config.bound_networks if isinstance(each, IPv6Network))
    rates = config.rates
    return _abi.Guard(
        flags=int(flags),
        mac_limit=config.mac_limit or 0,
        storm_interval_ns=tuple(0 if rate is None else rate.interval for rate in rates),
        storm_burst_ns=tuple(0 if rate is None else rate.burst for rate in rates),
        allowed_count=len(config.allowed_macs),
        allowed=b"".join(sorted(config.allowed_macs)).ljust(6 * Limit.MAX_ALLOWED_MACS, b"\0"),
        bound_mac_count=len(config.bound_macs),
        bound_macs=b"".join(sorted(config.bound_macs)).ljust(6 * Limit.MAX_BOUND, b"\0"),
        bound_ipv4_count=len(ipv4),
        bound_ipv4=_numbers("I", 1, (network.network_address.packed for network in ipv4)),
        bound_ipv4_mask=_numbers("I", 1, (network.netmask.packed for network in ipv4)),
        bound_ipv6_count=len(ipv6),
        bound_ipv6=_numbers("Q", 2, (network.network_address.packed for network in ipv6)),
        bound_ipv6_mask=_numbers("Q", 2, (network.netmask.packed for network in ipv6)),
    )


def _numbers(kind: str, each: int, addresses: Iterable[bytes]) -> tuple[int, ...]:
    """The numbers, so many for an address, that lie in memory as the addresses do."""
    layout = struct.Struct(f"={each * Limit.MAX_BOUND}{kind}")
    return layout.unpack(b"".join(addresses).ljust(layout.size, b"\0"))


def _network(word: str) -> Network | None:
    try:
        return ip_network(word)
    except ValueError:
        return None


class _Reader:
    """One reading of a Port's other_config, and what was found wrong with it."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self.complaints: list[str] = []
        self._options = options

    def read(self) -> GuardConfig:
        rates = [self._number(key, MOST_FRAMES) for key in _STORMS]
        burst = self._number("storm-burst", MOST_FRAMES)
        if burst is not None and rates == [None] * len(rates):
            self.complaints.append(f"storm-burst has no effect without one of {', '.join(_STORMS)}")
            burst = None
        limit = self._number("mac-limit", MOST_ADDRESSES)
        action = self._choice("mac-limit-action", MacLimitAction, MacLimitAction.DROP)
        if limit is None and "mac-limit-action" in self._options:
            self.complaints.append("mac-limit-action has no effect without mac-limit")
            action = MacLimitAction.DROP
        security = self._choice("port-security", PortSecurity, PortSecurity.NONE)
        allowed = self._addresses("allowed-macs")
        if allowed and security is not PortSecurity.LOCKED:
            self.complaints.append("allowed-macs has no effect without port-security=locked")
            allowed = frozenset()
        broadcast, multicast, unknown = rates
        bound_macs, bound_networks = self._sources("allowed-addresses")
        return GuardConfig(
            storm_broadcast=broadcast,
            storm_multicast=multicast,
            storm_unknown_unicast=unknown,
            storm_burst=burst,
            mac_limit=limit,
            mac_limit_action=action,
            security=security,
            allowed_macs=allowed,
            bpdu_guard=self._switch("bpdu-guard"),
            bound_macs=bound_macs,
            bound_networks=bound_networks,
        )

    def _switch(self, key: str) -> bool:
        value = self._options.get(key, "false")
        if value not in ("true", "false"):
            self.complaints.append(f'ignoring {key} "{value}" (not true or false)')
        return value == "true"

    def _sources(self, key: str) -> tuple[frozenset[bytes], frozenset[Network]]:
        """MAC addresses, and IP addresses and networks."""
        macs: dict[bytes, None] = {}
        networks: dict[Network, None] = {}
        for word in self._options.get(key, "").replace(",", " ").split():
            address, network = mac(word), _network(word)
            most = f"(there can be no more than {int(Limit.MAX_BOUND)} of a kind)"
            if address is not None and not address[0] & 1:
                if len(macs) == Limit.MAX_BOUND and address not in macs:
                    self.complaints.append(f"ignoring {word} in {key} {most}")
                else:
                    macs[address] = None
            elif network is None or network.is_multicast:
                told = "not the MAC address of a station, nor an IP address or network"
                self.complaints.append(f'ignoring "{word}" in {key} ({told})')
            elif len(networks) == Limit.MAX_BOUND and network not in networks:
                self.complaints.append(f"ignoring {word} in {key} {most}")
            else:
                networks[network] = None
        return frozenset(macs), frozenset(networks)

    def _number(self, key: str, most: int) -> int | None:
        value = self._options.get(key)
        if value is None:
            return None
        if value.isascii() and value.isdigit() and len(value) <= len(str(most)) and 1 <= int(value) <= most:
            return int(value)
        self.complaints.append(f'ignoring {key} "{value}" (not a number from 1 to {most})')
        return None

    def _choice(self, key: str, choices: type[_Choice], default: _Choice) -> _Choice:
        value = self._options.get(key)
        if value is None:
            return default
        for choice in choices:
            if choice.value == value:
                return choice
        *others, last = (choice.value for choice in choices)
        self.complaints.append(f'ignoring {key} "{value}" (not {", ".join(others)} or {last})')
        return default

    def _addresses(self, key: str) -> frozenset[bytes]:
        found: dict[bytes, None] = {}
        for word in self._options.get(key, "").replace(",", " ").split():
            address = mac(word)
            if address is None or address[0] & 1:
                self.complaints.append(f'ignoring "{word}" in {key} (not the MAC address of a station)')
            elif len(found) == Limit.MAX_ALLOWED_MACS and address not in found:
                most = int(Limit.MAX_ALLOWED_MACS)
                self.complaints.append(f"ignoring {word} in {key} (there can be no more than {most})")
            else:
                found[address] = None
        return frozenset(found)
