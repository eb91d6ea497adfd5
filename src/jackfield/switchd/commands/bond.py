"""The commands `bond/*` (ovs-vswitchd(8), "BOND COMMANDS"; texts of OVS 3.1)."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jackfield.model.bonding import Member, Members
from jackfield.model.bonding.hashing import slb_hash
from jackfield.model.config import BondMode
from jackfield.switchd.bonds.port import BondPort
from jackfield.switchd.bonds.runtime import Bonds
from jackfield.switchd.commands.forwarding import mac_bytes, mac_text
from jackfield.unixctl.commands import CommandError, CommandTable

_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,20})")
_MOST_DIGITS = 20
_HASH_MASK = 0xFF
LACP_WORDS = ("off", "configured", "negotiated")


class BondCommands:
    """The bonds of one switch."""

    def __init__(self, bonds: Bonds) -> None:
        self._bonds = bonds

    def register(self, commands: CommandTable) -> None:
        """Add the commands to the table, the older names of some among them."""
        commands.add("bond/list", "", 0, 0, self._list)
        commands.add("bond/show", "[port]", 0, 1, self._show)
        commands.add("bond/migrate", "port hash member", 3, 3, self._migrate, changes=True)
        commands.add("bond/set-active-member", "port member", 2, 2, self._set_active, changes=True)
        commands.add("bond/enable-member", "port member", 2, 2, self._enable, changes=True)
        commands.add("bond/disable-member", "port member", 2, 2, self._disable, changes=True)
        commands.add("bond/hash", "mac [vlan] [basis]", 1, 3, self._hash)
        commands.add("bond/set-active-slave", None, 2, 2, self._set_active, changes=True)
        commands.add("bond/enable-slave", None, 2, 2, self._enable, changes=True)
        commands.add("bond/disable-slave", None, 2, 2, self._disable, changes=True)
        commands.add("jackfield/bonds", "", 0, 0, self._report)

    def _all(self) -> list[tuple[BondPort, Members]]:
        ports = sorted(self._bonds.ports.items())
        return [(port, port.members) for _name, port in ports if port.members is not None]

    def _bond(self, name: str) -> tuple[BondPort, Members]:
        for port, members in self._all():
            if port.view.name == name:
                return port, members
        raise CommandError("no such bond")

    def _member(self, words: Sequence[str]) -> tuple[BondPort, Members, str]:
        port, members = self._bond(words[0])
        if words[-1] not in members.members:
            raise CommandError("no such member")
        return port, members, words[-1]

    def _list(self, _args: Sequence[str]) -> str:
        return bond_list(self._all())

    def _show(self, args: Sequence[str]) -> str:
        chosen = [self._bond(args[0])] if args else self._all()
        now = time.monotonic()
        return "".join(bond_show(port, members, now) for port, members in chosen)

    def _migrate(self, args: Sequence[str]) -> str:
        port, _members = self._bond(args[0])
        if port.view.settings is None or port.view.settings.mode is not BondMode.BALANCE_SLB:
            raise CommandError("not an SLB bond")
        if not (args[1].isascii() and args[1].isdigit() and len(args[1]) <= _MOST_DIGITS):
            raise CommandError("bad hash")
        port, members, name = self._member(args)
        if not members.members[name].enabled:
            raise CommandError("cannot migrate to disabled member")
        port.buckets[int(args[1]) & _HASH_MASK] = name
        self._bonds.act(port)
        return "migrated"

    def _set_active(self, args: Sequence[str]) -> str:
        port, members, name = self._member(args)
        try:
            changed = members.set_active(name)
        except ValueError as error:
            raise CommandError(str(error)) from None
        self._bonds.act(port)
        return "done" if changed else "no change"

    def _enable(self, args: Sequence[str]) -> str:
        return self._set_enabled(args, True)

    def _disable(self, args: Sequence[str]) -> str:
        return self._set_enabled(args, False)

    def _set_enabled(self, args: Sequence[str], enabled: bool) -> str:
        port, members, name = self._member(args)
        members.enable(name, enabled)
        self._bonds.act(port)
        return "enabled" if enabled else "disabled"

    def _hash(self, args: Sequence[str]) -> str:
        vlan = _number(args[1], "invalid vlan") if len(args) > 1 else 0
        basis = _number(args[2], "invalid basis") if len(args) > 2 else 0
        mac = mac_bytes(args[0])
        if mac is None:
            raise CommandError("invalid mac")
        return str(slb_hash(mac, vlan & 0xFFFF, basis & 0xFFFFFFFF) & _HASH_MASK)

    def _report(self, _args: Sequence[str]) -> str:
        return json.dumps({"bonds": [bond_report(port, members) for port, members in self._all()]})


def bond_list(bonds: Iterable[tuple[BondPort, Members]]) -> str:
    """The text of `bond/list`. Nothing recirculates here, so that number is 0."""
    lines = ["bond\ttype\trecircID\tmembers\n"]
    for port, members in bonds:
        lines.append(f"{port.view.name}\t{_mode(port)}\t0\t{', '.join(members.members)}\n")
    return "".join(lines)


def bond_show(port: BondPort, members: Members, now: float) -> str:
    """The text of `bond/show` for one bond."""
    settings = members.settings
    macs = {member.name: member.mac for member in port.view.members}
    lines = [
        f"---- {port.view.name} ----",
        f"bond_mode: {settings.mode.value}",
        "bond may use recirculation: no, Recirc-ID : -1",
        f"bond-hash-basis: {settings.basis}",
        "lb_output action: disabled, bond-id: -1",
    ]
    if settings.mode is BondMode.BALANCE_SLB:
        lines.append(f"all members active: {_word(settings.all_members_active)}")
    lines += [f"updelay: {settings.updelay_ms} ms", f"downdelay: {settings.downdelay_ms} ms"]
    if port.balanced:
        lines.append(f"next rebalance: {_milliseconds(port.rebalance_at - now)} ms")
    primary = settings.primary
    absent = " (no such member)" if primary and primary not in members.members else ""
    active = mac_text(macs[members.active]) if members.active in macs else mac_text(bytes(6))
    lines += [
        f"lacp_status: {LACP_WORDS[port.lacp_status]}",
        f"lacp_fallback_ab: {_word(settings.fallback_ab)}",
        f"active-backup primary: {primary or '<none>'}{absent}",
        f"active member mac: {active}({members.active or 'none'})",
    ]
    for name in sorted(members.members):
        lines += ["", *_member_lines(port, members, name, members.members[name], now)]
    return "\n".join(lines) + "\n\n"


def _member_lines(port: BondPort, members: Members, name: str, member: Member, now: float) -> Iterable[str]:
    yield f"member {name}: {'enabled' if member.enabled else 'disabled'}"
    if name == members.active:
        yield "  active member"
    if member.expires != math.inf:
        delay = "downdelay" if member.enabled else "updelay"
        yield f"  {delay} expires in {_milliseconds(member.expires - now)} ms"
    yield f"  may_enable: {_word(port.may_enable(name))}"
    if port.balanced:
        for bucket, owner in enumerate(port.buckets):
            if owner == name and port.loads[bucket] >= 1024:
                yield f"  hash {bucket}: {port.loads[bucket] // 1024} kB load"


def bond_report(port: BondPort, members: Members) -> Mapping[str, Any]:
    """One bond for `jackfield/bonds`."""
    settings = members.settings
    lacp = port.lacp
    return {
        "name": port.view.name,
        "mode": settings.mode.value,
        "lacp": LACP_WORDS[port.lacp_status],
        "fallback": port.falling_back,
        "active": members.active,
        "updelay": settings.updelay_ms,
        "downdelay": settings.downdelay_ms,
        "primary": settings.primary,
        "members": [
            {
                "name": name,
                "link": "up" if port.up[name] else "down",
                "enabled": member.enabled,
                "active": name == members.active,
                "lacp": lacp.links[name].status.value if lacp is not None else None,
                "partner": mac_text(lacp.links[name].partner.system)
                if lacp is not None and lacp.is_current(name)
                else None,
                "buckets": port.buckets.count(name),
                "load": sum(
                    load for load, owner in zip(port.loads, port.buckets, strict=True) if owner == name
                ),
            }
            for name, member in members.members.items()
        ],
    }


def _mode(port: BondPort) -> str:
    return port.view.settings.mode.value if port.view.settings is not None else ""


def _word(value: bool) -> str:
    return "true" if value else "false"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _number(text: str, complaint: str) -> int:
    found = _NUMBER.match(text)
    if found is None:
        raise CommandError(complaint)
    return int(found[1])
