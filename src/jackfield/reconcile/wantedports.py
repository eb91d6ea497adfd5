"""One port of the desired state, from its rows. Pure.

The rules are those of ovs-vswitchd.conf.db(5), tables Port and Interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from jackfield.model.config import PortConfig
from jackfield.reconcile import settings
from jackfield.reconcile.bonds import bond_settings, lacp_settings, link_settings
from jackfield.reconcile.bondwarnings import bond_warnings, link_warnings
from jackfield.reconcile.guards import guard_warnings
from jackfield.reconcile.loops import loop_settings, loop_warnings
from jackfield.reconcile.outcome import Warning
from jackfield.reconcile.rows import Row, elements, integer, mac, pairs, text
from jackfield.reconcile.unsupported import interface_warnings, port_warnings
from jackfield.reconcile.wanted import LOCAL_OFPORT, Kind, WantedInterface, WantedPort

LEAST_MTU, MOST_MTU = 68, 65535  # of a veth
MOST_DEVICE_NAME = 15
_MOST_NAME = 63
_KINDS = {kind.value: kind for kind in Kind}

_Member = tuple[str, Row, str | None]
"""An interface's UUID and row, and why it cannot be had."""

Wish = tuple[str, int | None, str, int | None]
"""An interface's name, the OpenFlow port number requested for it, its UUID, and the number in its row."""


class Members(NamedTuple):
    """The interfaces of a port, why the port as a whole cannot be had, how many interfaces the database
    gives it, where more than one make a bond, however many of them can be had, their names, and what numbers
    they are to have if any."""

    error: str | None
    rows: list[_Member]
    asked: int
    names: tuple[str, ...]
    wishes: tuple[Wish, ...]


def members_of(
    row: Row,
    mine: list[tuple[str, Row]],
    asked: int,
    bridge: str,
    bridge_error: str | None,
    bridges: frozenset[str],
) -> Members:
    """The members of a port: `mine` are those of its interfaces, `asked` in number, that no other port has.
    `bridges` are the names of all bridges."""
    name = text(row, "name")
    error = bridge_error
    if error is None and not mine:
        error = f"port {name} has no interface of its own"
    elif error is None:
        error = name_problem(f"port {name}", name, _MOST_NAME)
    bond = name if asked > 1 else None
    problems = [error or _member_problem(member, bridge, bond, bridges) for _, member in mine]
    rows = [(uuid, member, problem) for (uuid, member), problem in zip(mine, problems, strict=True)]
    names = tuple(text(member, "name") for _, member in mine)
    wishes = tuple(
        (name, integer(member, "ofport_request"), uuid, integer(member, "ofport"))
        for name, (uuid, member, problem) in zip(names, rows, strict=True)
        if problem is None and name != bridge
    )
    return Members(error, rows, asked, names, wishes)


def _member_problem(row: Row, bridge: str, bond: str | None, bridges: frozenset[str]) -> str | None:
    name = text(row, "name")
    if bond is not None and name == bridge:
        return f"could not add network device {name} to bond {bond} (it is the bridge's own port)"
    if bond is not None and text(row, "type") == Kind.PATCH.value:
        return f"could not add {name} to bond {bond} (a patch port cannot be a member)"
    if name in bridges and name != bridge:
        return f"could not add network device {name} to bridge {bridge} (a bridge has that name)"
    return _interface_problem(name, _type_of(row, bridge), pairs(row, "options"))


def port_of(
    uuid: str, row: Row, members: Members, bridge: Row, numbers: Mapping[str, int], mirror_output: bool
) -> tuple[WantedPort, tuple[Warning, ...]]:
    """A port and its warnings; `numbers` are the OpenFlow port numbers of its bridge's interfaces by name."""
    warnings = [*port_warnings(row), *guard_warnings(row), *loop_warnings("Port", row)]
    flood_vlans = bool(elements(bridge, "flood_vlans"))
    warnings += bond_warnings(row, members.asked, members.names, flood_vlans)
    lacp = lacp_settings(row, members.asked)
    name, owner = text(row, "name"), text(bridge, "name")
    port = WantedPort(
        name=name,
        uuid=uuid,
        bridge=owner,
        config=settings.port_config(row, None),
        interfaces=tuple(
            _interface(member, owner, numbers, lacp is not None, warnings) for member in members.rows
        ),
        tag=integer(row, "tag"),
        mac=mac(text(row, "mac")),
        fake_bridge=row.get("fake_bridge") is True,
        mirror_output=mirror_output,
        bond=bond_settings(row, members.asked),
        lacp=lacp,
        device=members.asked > 1 and _has_device(row, warnings),
        loops=loop_settings(bridge, row),
        error=members.error,
    )
    return port, tuple(warnings)


def _has_device(row: Row, warnings: list[Warning]) -> bool:
    """Whether a device is to bear the name of this bond."""
    name = text(row, "name")
    asked = row.get("bond_fake_iface") is True
    complaint = name_problem(f"network device {name}", name, MOST_DEVICE_NAME) if asked else None
    if complaint is not None:
        warnings.append(Warning("Port", name, f"bond_fake_iface: {complaint}"))
    return asked and complaint is None


def _interface(
    member: _Member, bridge: str, numbers: Mapping[str, int], lacp: bool, warnings: list[Warning]
) -> WantedInterface:
    uuid, row, error = member
    name = text(row, "name")
    type_ = _type_of(row, bridge)
    kind = _KINDS.get(type_)
    warnings += interface_warnings(row)
    warnings += link_warnings(row) if lacp else ()
    mtu = integer(row, "mtu_request")
    fault = None
    ofport = -1 if error is not None else numbers[name]
    if kind is Kind.INTERNAL and mtu is not None and not LEAST_MTU <= mtu <= MOST_MTU:
        bounds = f"{LEAST_MTU} at least and {MOST_MTU} at most"
        fault = f"could not set the MTU of {name} to {mtu} (an internal port's can be {bounds})"
        mtu = None
    return WantedInterface(
        name=name,
        uuid=uuid,
        type=type_,
        kind=kind,
        ofport=ofport,
        local=name == bridge,
        mac=_mac(row, kind, name == bridge, warnings),
        mtu_request=mtu,
        peer=pairs(row, "options").get("peer") if kind is Kind.PATCH else None,
        lacp=link_settings(row, ofport) if lacp else None,
        place=settings.place(row) if kind is Kind.INTERNAL and name != bridge and not error else None,
        device_kinds=settings.device_kinds(row) if kind is Kind.INTERNAL else (),
        error=error,
        fault=fault,
    )


def _mac(row: Row, kind: Kind | None, local: bool, warnings: list[Warning]) -> bytes | None:
    """The MAC an Interface row asks for: for internal ports other than the local one."""
    asked, complaint = settings.address(text(row, "mac"))
    if kind is not Kind.INTERNAL:
        return None
    if local and asked is not None:
        complaint = "ignoring mac (use other_config:hwaddr of the bridge to set its local port's)"
    if complaint is None:
        return asked
    warnings.append(Warning("Interface", text(row, "name"), complaint))
    return None


def name_problem(what: str, name: str, most: int) -> str | None:
    """Why `name` cannot be used; device names have more rules than others (dev_valid_name in the kernel)."""
    if len(name.encode()) > most:
        return f"could not create {what} (the name is longer than {most} bytes)"
    if not name or "\0" in name:
        return f"could not create {what} (the name is empty or not a text)"
    device = most == MOST_DEVICE_NAME
    if device and (name in (".", "..") or any(char in "/:" or char.isspace() for char in name)):
        return f"could not create {what} (no network device can have that name)"
    return None


def _type_of(row: Row, bridge: str) -> str:
    """The type of an interface: the one named like its bridge is internal whatever its row says."""
    return Kind.INTERNAL.value if text(row, "name") == bridge else text(row, "type") or Kind.SYSTEM.value


def _interface_problem(name: str, type_: str, options: Mapping[str, str]) -> str | None:
    what = f"network device {name}"
    kind = _KINDS.get(type_)
    if kind is None:
        return f'could not open {what} (type "{type_}" is none of system, internal and patch)'
    if kind is Kind.INTERNAL:
        return name_problem(what, name, MOST_DEVICE_NAME) or _place_problem(what, options)
    if kind is not Kind.PATCH:
        return name_problem(what, name, MOST_DEVICE_NAME)
    if not options.get("peer"):
        return f"{name}: patch type requires valid 'peer' argument"
    if options["peer"] == name:
        return f"{name}: patch peer must not be self"
    if len(options) > 1:
        return f"{name}: patch type takes only a 'peer' argument"
    return name_problem(what, name, _MOST_NAME)


def _place_problem(what: str, options: Mapping[str, str]) -> str | None:
    """Why an internal port cannot be made where its options say."""
    netns, ifname = options.get("netns"), options.get("ifname")
    if netns is None:
        return f"{what}: options:ifname takes an options:netns" if ifname is not None else None
    if not netns.startswith("/"):
        return f'{what}: options:netns "{netns}" is not the path of a network namespace'
    if not options.get("netns-id", "0").isdecimal():
        return f"{what}: options:netns-id is not the inode number of a network namespace"
    return None if ifname is None else name_problem(what, ifname, MOST_DEVICE_NAME)


def local_port(name: str, error: str | None) -> WantedPort:
    """The local port of a bridge that has no row for it."""
    interface = WantedInterface(
        name, None, Kind.INTERNAL.value, Kind.INTERNAL, LOCAL_OFPORT, local=True, error=error
    )
    return WantedPort(name, None, name, PortConfig(name, mtu=None), (interface,), error=error)
