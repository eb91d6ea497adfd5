"""The learning table as the commands show it: pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jackfield.datapath._abi import BridgeState, FdbEntry, FdbFlag, FdbKey
from jackfield.reconcile.outcome import BridgeOutcome, Outcome

LOCAL_PORT = 65534
_MAC = re.compile(r"[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5}")


@dataclass(frozen=True, slots=True)
class Learned:
    """One address that a bridge knows. `age` is in seconds, None for a static entry."""

    bridge: str
    port: str
    ofport: int
    vlan: int
    mac: str
    age: int | None


def learned(
    outcome: Outcome, entries: Iterable[tuple[FdbKey, FdbEntry]], now_ns: int, bridge: str | None = None
) -> list[Learned]:
    """The live entries of one bridge or of all, longest unseen first; `now_ns` is CLOCK_MONOTONIC."""
    bridges = {each.id: each for each in outcome.bridges if each.id and bridge in (None, each.name)}
    ports = {each.id: each for each in outcome.ports if each.id}
    found: list[tuple[int, Learned]] = []
    for key, entry in entries:
        owner, port = bridges.get(key.bridge), ports.get(entry.port)
        if owner is None or port is None:
            continue
        static = bool(entry.flags & FdbFlag.STATIC)
        age = max(0, (now_ns - entry.seen_ns) // 1_000_000_000)
        if not static and age >= owner.config.mac_aging_time:
            continue
        shown = Learned(
            owner.name, port.name, port.ofport, key.vlan, mac_text(key.mac), None if static else age
        )
        found.append((0 if static else entry.seen_ns, shown))
    found.sort(key=lambda pair: (pair[0], pair[1].vlan, pair[1].mac))
    return [each for _seen, each in found]


def show(entries: Iterable[Learned]) -> str:
    """The text of `fdb/show`."""
    lines = [" port  VLAN  MAC                Age\n"]
    for each in entries:
        age = "static" if each.age is None else f"{each.age:3d}"
        lines.append(f"{ofport_text(each.ofport):>5}  {each.vlan:4d}  {each.mac}  {age}\n")
    return "".join(lines)


def stats(bridge: BridgeOutcome, state: BridgeState, cleared: BridgeState, crowded: Mapping[str, int]) -> str:
    """The text of `fdb/stats-show`; totals count from `cleared`, an earlier state. `crowded` has a line for
    each port whose addresses found no room or had to go, which OVS does not count."""
    rows: Mapping[str, str | int] = {
        "Current/maximum MAC entries in the table": (
            f"{state.entries + state.statics}/{bridge.config.mac_table_size}"
        ),
        "Current static MAC entries in the table ": state.statics,
        "Total number of learned MAC entries     ": state.learned - cleared.learned,
        "Total number of expired MAC entries     ": state.expired - cleared.expired,
        "Total number of evicted MAC entries     ": state.evicted - cleared.evicted,
        "Total number of port moved MAC entries  ": state.moved - cleared.moved,
    }
    return f'Statistics for bridge "{bridge.name}":\n' + "".join(
        f"  {text}: {value}\n"
        for text, value in (
            *rows.items(),
            *((f"Addresses of port {port} without room", lost) for port, lost in crowded.items()),
        )
    )


def ofport_text(ofport: int) -> str:
    """An OpenFlow port number as OVS prints it."""
    return "LOCAL" if ofport == LOCAL_PORT else str(ofport)


def mac_text(mac: bytes) -> str:
    """A MAC address in its usual form."""
    return mac.hex(":")


def mac_bytes(text: str) -> bytes | None:
    """A MAC address read from its usual form, or None."""
    if not _MAC.fullmatch(text):
        return None
    return bytes(int(byte, 16) for byte in text.split(":"))


def vlan_number(text: str) -> int | None:
    """A VLAN from 0 to 4095, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= 4095 else None
