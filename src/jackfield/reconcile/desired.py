"""From the database to the desired state: a pure function of a snapshot.

The rules are those of ovs-vswitchd.conf.db(5), tables Open_vSwitch, Bridge, Port and Interface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from jackfield.model.config import PortConfig
from jackfield.reconcile import settings
from jackfield.reconcile.bonds import bond_settings, lacp_settings, link_settings
from jackfield.reconcile.bondwarnings import bond_warnings, link_warnings
from jackfield.reconcile.guards import guard_warnings
from jackfield.reconcile.loops import loop_settings, loop_warnings
from jackfield.reconcile.memo import Memo
from jackfield.reconcile.ofports import assign
from jackfield.reconcile.outcome import Warning
from jackfield.reconcile.rows import (
    COLUMNS,
    Row,
    Snapshot,
    elements,
    integer,
    mac,
    pairs,
    referenced,
    rows,
    text,
)
from jackfield.reconcile.unsupported import bridge_warnings, interface_warnings, port_warnings
from jackfield.reconcile.wanted import (
    LOCAL_OFPORT,
    Desired,
    Kind,
    WantedBridge,
    WantedInterface,
    WantedPort,
)

LEAST_MTU, MOST_MTU = 68, 65535  # of a veth
_MOST_DEVICE_NAME = 15
_MOST_NAME = 63
_KINDS = {kind.value: kind for kind in Kind}


def desired(
    snapshot: Snapshot, held: Mapping[str, int] | None = None, memo: Memo[Any] | None = None
) -> Desired:
    """What `snapshot` asks for.

    `held` are OpenFlow port numbers by Interface UUID that were given out and are perhaps not in the
    snapshot yet. What is wrong with an object is in its `error`; what is not done as asked, in `warnings`.
    With the `memo` of the call before, ports whose rows have not changed are those of that call.
    """
    root: Row = next(iter(rows(snapshot, "Open_vSwitch").values()), {})
    memo = memo or Memo()
    memo.start(_setting(snapshot))
    reader = _Reader(snapshot, held or {}, memo)
    return Desired(
        bridges=_wired(reader.bridges(elements(root, "bridges"))),
        vlan_limit=settings.vlan_limit(root),
        stats_interval_ms=settings.stats_interval_ms(root),
        warnings=tuple(reader.warnings),
    )


def _setting(snapshot: Snapshot) -> object:
    """All that may matter for a port besides rows of Port and Interface: there is little of it."""
    return {
        table: {
            uuid: {name: row.get(name) for name in columns if name != "ports"} for uuid, row in found.items()
        }
        for table, columns in COLUMNS.items()
        if table not in ("Port", "Interface")
        for found in (rows(snapshot, table),)
    }


_Member = tuple[str, Row, str | None]
"""An interface's UUID and row, and why it cannot be had."""


_Wish = tuple[str, int | None, str, int | None]
"""An interface's name, the OpenFlow port number requested for it, its UUID, and the number in its row."""


class _Members(NamedTuple):
    """The interfaces of a port, why the port as a whole cannot be had, how many interfaces the database
    gives it, where more than one make a bond, however many of them can be had, their names, and what numbers
    they are to have if any."""

    error: str | None
    rows: list[_Member]
    asked: int
    names: tuple[str, ...]
    wishes: tuple[_Wish, ...]


class _Reader:
    """One reading of a snapshot: what has been used already, and what was found wrong."""

    def __init__(self, snapshot: Snapshot, held: Mapping[str, int], memo: Memo[Any]) -> None:
        self.warnings: list[Warning] = []
        self._memo = memo
        self._snapshot = snapshot
        self._held = held
        self._bridge_names: frozenset[str] = frozenset()
        self._users: dict[tuple[str, str], str] = {}

    def bridges(self, uuids: frozenset[str]) -> list[WantedBridge]:
        found = referenced(self._snapshot, "Bridge", uuids)
        self._bridge_names = frozenset(text(row, "name") for _, row in found)
        return [self._bridge(uuid, row) for uuid, row in found]

    def _bridge(self, uuid: str, row: Row) -> WantedBridge:
        name = text(row, "name")
        error = _bridge_problem(row)
        self.warnings += bridge_warnings(row)
        self.warnings += loop_warnings("Bridge", row)
        hwaddr, complaint = settings.address(pairs(row, "other_config").get("hwaddr", ""))
        if complaint is not None:
            self.warnings.append(Warning("Bridge", name, f"other_config:hwaddr: {complaint}"))
        mirrors = rows(self._snapshot, "Mirror")
        outputs = {
            mirrors[mirror].get("output_port") for mirror in elements(row, "mirrors") if mirror in mirrors
        }
        claimed = [
            (port_uuid, port, self._members(port_uuid, port, name, error))
            for port_uuid, port in referenced(self._snapshot, "Port", elements(row, "ports"))
            if self._claim("Port", port_uuid, text(port, "name"), f"bridge {name}")
        ]
        numbers = self._numbers(name, [wish for *_, members in claimed for wish in members.wishes])
        ports = [
            self._kept_port(port_uuid, port, members, row, numbers, port_uuid in outputs)
            for port_uuid, port, members in claimed
        ]
        if not any(interface.local for port in ports for interface in port.interfaces):
            ports.insert(0, _local_port(name, error))
        return WantedBridge(
            name=name,
            uuid=uuid,
            config=settings.bridge_config(row),
            ports=tuple(ports),
            default_mac=settings.made_up_mac(uuid),
            hwaddr=hwaddr,
            datapath_id=settings.datapath_id(row),
            error=error,
        )

    def _members(self, uuid: str, row: Row, bridge: str, bridge_error: str | None) -> _Members:
        name = text(row, "name")
        found = referenced(self._snapshot, "Interface", elements(row, "interfaces"))
        user = f"port {name}"
        mine = [each for each in found if self._claim("Interface", each[0], text(each[1], "name"), user)]
        judged: _Members = self._memo.get(
            ("members", uuid),
            (row, mine, len(found), bridge, bridge_error),
            lambda: self._judged(row, mine, len(found), bridge, bridge_error),
        )
        return judged

    def _judged(
        self, row: Row, mine: list[tuple[str, Row]], asked: int, bridge: str, bridge_error: str | None
    ) -> _Members:
        name = text(row, "name")
        error = bridge_error
        if error is None and not mine:
            error = f"port {name} has no interface of its own"
        elif error is None:
            error = _name_problem(f"port {name}", name, _MOST_NAME)
        bond = name if asked > 1 else None
        problems = [error or self._interface_problem(member, bridge, bond) for _, member in mine]
        rows = [(uuid, member, problem) for (uuid, member), problem in zip(mine, problems, strict=True)]
        names = tuple(text(member, "name") for _, member in mine)
        wishes = tuple(
            (name, integer(member, "ofport_request"), uuid, integer(member, "ofport"))
            for name, (uuid, member, problem) in zip(names, rows, strict=True)
            if problem is None and name != bridge
        )
        return _Members(error, rows, asked, names, wishes)

    def _interface_problem(self, row: Row, bridge: str, bond: str | None) -> str | None:
        name = text(row, "name")
        if bond is not None and name == bridge:
            return f"could not add network device {name} to bond {bond} (it is the bridge's own port)"
        if bond is not None and text(row, "type") == Kind.PATCH.value:
            return f"could not add {name} to bond {bond} (a patch port cannot be a member)"
        if name in self._bridge_names and name != bridge:
            return f"could not add network device {name} to bridge {bridge} (a bridge has that name)"
        return _interface_problem(name, _type_of(row, bridge), pairs(row, "options"))

    def _numbers(self, bridge: str, wishes: Sequence[_Wish]) -> Mapping[str, int]:
        """OpenFlow port numbers of a bridge's interfaces, by name."""
        held = self._held
        asked = [(name, request, held.get(uuid, told)) for name, request, uuid, told in wishes]
        numbers: Mapping[str, int] = self._memo.get(
            ("numbers", bridge), asked, lambda: {**assign(asked), bridge: LOCAL_OFPORT}
        )
        return numbers

    def _kept_port(
        self,
        uuid: str,
        row: Row,
        members: _Members,
        bridge: Row,
        numbers: Mapping[str, int],
        mirror_output: bool,
    ) -> WantedPort:
        """The port and its warnings, those of the reading before if it is made of the same: of what is given
        here, and of `_setting`."""
        mine = [numbers.get(name) for name in members.names]

        def make() -> tuple[WantedPort, tuple[Warning, ...]]:
            before = len(self.warnings)
            port = self._port(uuid, row, members, bridge, numbers, mirror_output)
            new = tuple(self.warnings[before:])
            del self.warnings[before:]
            return port, new

        parts = (row, members, text(bridge, "name"), mine, mirror_output)
        port: WantedPort
        port, warnings = self._memo.get(("port", uuid), parts, make)
        self.warnings += warnings
        return port

    def _port(
        self,
        uuid: str,
        row: Row,
        members: _Members,
        bridge: Row,
        numbers: Mapping[str, int],
        mirror_output: bool,
    ) -> WantedPort:
        self.warnings += port_warnings(row)
        self.warnings += guard_warnings(row)
        self.warnings += loop_warnings("Port", row)
        flood_vlans = bool(elements(bridge, "flood_vlans"))
        self.warnings += bond_warnings(row, members.asked, members.names, flood_vlans)
        lacp = lacp_settings(row, members.asked)
        return WantedPort(
            name=text(row, "name"),
            uuid=uuid,
            bridge=text(bridge, "name"),
            config=settings.port_config(row, None),
            interfaces=tuple(
                self._interface(member, text(bridge, "name"), numbers, lacp is not None)
                for member in members.rows
            ),
            tag=integer(row, "tag"),
            mac=mac(text(row, "mac")),
            fake_bridge=row.get("fake_bridge") is True,
            mirror_output=mirror_output,
            bond=bond_settings(row, members.asked),
            lacp=lacp,
            device=members.asked > 1 and self._has_device(row),
            loops=loop_settings(bridge, row),
            error=members.error,
        )

    def _has_device(self, row: Row) -> bool:
        """Whether a device is to bear the name of this bond."""
        name = text(row, "name")
        asked = row.get("bond_fake_iface") is True
        complaint = _name_problem(f"network device {name}", name, _MOST_DEVICE_NAME) if asked else None
        if complaint is not None:
            self.warnings.append(Warning("Port", name, f"bond_fake_iface: {complaint}"))
        return asked and complaint is None

    def _interface(
        self, member: _Member, bridge: str, numbers: Mapping[str, int], lacp: bool
    ) -> WantedInterface:
        uuid, row, error = member
        name = text(row, "name")
        type_ = _type_of(row, bridge)
        kind = _KINDS.get(type_)
        self.warnings += interface_warnings(row)
        self.warnings += link_warnings(row) if lacp else ()
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
            mac=self._mac(row, kind, name == bridge),
            mtu_request=mtu,
            peer=pairs(row, "options").get("peer") if kind is Kind.PATCH else None,
            lacp=link_settings(row, ofport) if lacp else None,
            place=settings.place(row) if kind is Kind.INTERNAL and name != bridge and not error else None,
            device_kinds=settings.device_kinds(row) if kind is Kind.INTERNAL else (),
            error=error,
            fault=fault,
        )

    def _mac(self, row: Row, kind: Kind | None, local: bool) -> bytes | None:
        """The MAC an Interface row asks for: for internal ports other than the local one."""
        asked, complaint = settings.address(text(row, "mac"))
        if kind is not Kind.INTERNAL:
            return None
        if local and asked is not None:
            complaint = "ignoring mac (use other_config:hwaddr of the bridge to set its local port's)"
        if complaint is None:
            return asked
        self.warnings.append(Warning("Interface", text(row, "name"), complaint))
        return None

    def _claim(self, table: str, uuid: str, name: str, user: str) -> bool:
        """Whether a row is free for `user`: a row that two refer to serves the first."""
        first = self._users.setdefault((table, uuid), user)
        if first != user:
            self.warnings.append(Warning(table, name, f"is on {first} and on {user}; used on {first} only"))
        return first == user


def _bridge_problem(row: Row) -> str | None:
    name = text(row, "name")
    datapath_type = text(row, "datapath_type")
    if datapath_type not in ("", "system", "netdev"):
        return f'could not create bridge {name} (datapath_type "{datapath_type}" is not supported)'
    return _name_problem(f"bridge {name}", name, _MOST_DEVICE_NAME)


def _name_problem(what: str, name: str, most: int) -> str | None:
    """Why `name` cannot be used; device names have more rules than others (dev_valid_name in the kernel)."""
    if len(name.encode()) > most:
        return f"could not create {what} (the name is longer than {most} bytes)"
    if not name or "\0" in name:
        return f"could not create {what} (the name is empty or not a text)"
    device = most == _MOST_DEVICE_NAME
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
        return _name_problem(what, name, _MOST_DEVICE_NAME) or _place_problem(what, options)
    if kind is not Kind.PATCH:
        return _name_problem(what, name, _MOST_DEVICE_NAME)
    if not options.get("peer"):
        return f"{name}: patch type requires valid 'peer' argument"
    if options["peer"] == name:
        return f"{name}: patch peer must not be self"
    if len(options) > 1:
        return f"{name}: patch type takes only a 'peer' argument"
    return _name_problem(what, name, _MOST_NAME)


def _place_problem(what: str, options: Mapping[str, str]) -> str | None:
    """Why an internal port cannot be made where its options say."""
    netns, ifname = options.get("netns"), options.get("ifname")
    if netns is None:
        return f"{what}: options:ifname takes an options:netns" if ifname is not None else None
    if not netns.startswith("/"):
        return f'{what}: options:netns "{netns}" is not the path of a network namespace'
    if not options.get("netns-id", "0").isdecimal():
        return f"{what}: options:netns-id is not the inode number of a network namespace"
    return None if ifname is None else _name_problem(what, ifname, _MOST_DEVICE_NAME)


def _local_port(name: str, error: str | None) -> WantedPort:
    """The local port of a bridge that has no row for it."""
    interface = WantedInterface(
        name, None, Kind.INTERNAL.value, Kind.INTERNAL, LOCAL_OFPORT, local=True, error=error
    )
    return WantedPort(name, None, name, PortConfig(name, mtu=None), (interface,), error=error)


def _wired(bridges: Sequence[WantedBridge]) -> tuple[WantedBridge, ...]:
    """The same bridges with patch ports joined: a peer is usable when it points back."""
    peers: dict[str, str | None] = {}
    ports: dict[str, str] = {}
    for bridge in bridges:
        for port in bridge.ports:
            for interface in port.interfaces:
                if interface.kind is Kind.PATCH and interface.error is None:
                    peers[interface.name] = interface.peer
                    ports[interface.name] = port.name
    if not peers:
        return tuple(bridges)

    def wired(port: WantedPort) -> WantedPort:
        if len(port.interfaces) != 1 or port.interfaces[0].name not in peers:
            return port
        interface = port.interfaces[0]
        if interface.peer is not None and peers.get(interface.peer) == interface.name:
            return replace(port, config=replace(port.config, patch_peer=ports[interface.peer]))
        fault = f"No usable peer '{interface.peer}' exists in 'system' datapath."
        return replace(port, interfaces=(replace(interface, peer=None, fault=fault),))

    return tuple(replace(bridge, ports=tuple(map(wired, bridge.ports))) for bridge in bridges)
