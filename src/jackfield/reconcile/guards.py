"""From Port other_config to the protections of a port, and from these to what the programs read.

A value that cannot be taken is left out, and a warning says so: the other protections are there all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TypeVar

from jackfield.datapath import _abi
from jackfield.datapath._abi import GuardFlag, Limit
from jackfield.model.protection import GuardConfig, MacLimitAction, PortSecurity
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
    if config.damped:
        flags |= GuardFlag.DAMPED
    rates = config.rates
    return _abi.Guard(
        flags=int(flags),
        mac_limit=config.mac_limit or 0,
        storm_interval_ns=tuple(0 if rate is None else rate.interval for rate in rates),
        storm_burst_ns=tuple(0 if rate is None else rate.burst for rate in rates),
        allowed_count=len(config.allowed_macs),
        allowed=b"".join(sorted(config.allowed_macs)).ljust(6 * Limit.MAX_ALLOWED_MACS, b"\0"),
    )


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
        return GuardConfig(broadcast, multicast, unknown, burst, limit, action, security, allowed)

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
