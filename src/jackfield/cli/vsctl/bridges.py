"""Bridges, ports and interfaces as the commands see them; fake (VLAN) bridges count as bridges."""

from __future__ import annotations

from collections.abc import Iterator

from jackfield.cli.vsctl.context import Command, Context, Needs
from jackfield.cli.vsctl.errors import ControlError
from jackfield.cli.vsctl.transaction import Record
from jackfield.wire.notation import Uuid

VLAN_MAX = 4095

_READ = {
    "Open_vSwitch": ("bridges",),
    "Bridge": ("name", "ports"),
    "Port": ("name", "fake_bridge", "tag", "interfaces"),
    "Interface": ("name",),
}


class Bridge:
    """A bridge. A fake one has a parent and a VLAN, and its row is its parent's."""

    def __init__(self, name: str, record: Record, parent: Bridge | None = None, vlan: int = 0) -> None:
        self.name = name
        self.record = record
        self.parent = parent
        self.vlan = vlan
        self.ports: dict[str, Port] = {}
        self.children: dict[int, Bridge] = {}


class Port:
    """A port and the bridge, fake or not, that it counts as belonging to."""

    def __init__(self, name: str, record: Record, bridge: Bridge) -> None:
        self.name = name
        self.record = record
        self.bridge = bridge
        self.interfaces: dict[str, Interface] = {}


class Interface:
    """An interface of a port."""

    def __init__(self, name: str, record: Record, port: Port) -> None:
        self.name = name
        self.record = record
        self.port = port


class Model:
    """The bridges, ports and interfaces of a transaction, by name."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.bridges: dict[str, Bridge] = {}
        self.ports: dict[str, Port] = {}
        self.interfaces: dict[str, Interface] = {}
        for record in self._referred(ctx.root, "bridges", "Bridge"):
            self._add_bridges(record)
        for bridge in [bridge for bridge in self.bridges.values() if bridge.parent is None]:
            for record in self._referred(bridge.record, "ports", "Port"):
                self._add_port(bridge, record)

    def add_port(self, bridge: Bridge, record: Record) -> Port:
        """Take in a port; one with the VLAN of a fake bridge belongs to that one."""
        tag = self._ctx.read(record, "tag")
        parent = bridge.parent or bridge
        owner = parent.children.get(tag, parent) if isinstance(tag, int) else parent
        name = str(self._ctx.read(record, "name"))
        port = owner.ports[name] = self.ports[name] = Port(name, record, owner)
        return port

    def add_interface(self, port: Port, record: Record) -> None:
        """Take in an interface."""
        name = str(self._ctx.read(record, "name"))
        port.interfaces[name] = self.interfaces[name] = Interface(name, record, port)

    def remove_port(self, port: Port) -> None:
        """Forget a port and its interfaces."""
        del port.bridge.ports[port.name], self.ports[port.name]
        for name in port.interfaces:
            del self.interfaces[name]

    def remove_bridge(self, bridge: Bridge) -> None:
        """Forget a bridge that has no ports any more."""
        del self.bridges[bridge.name]
        if bridge.parent is not None and bridge.parent.children.get(bridge.vlan) is bridge:
            del bridge.parent.children[bridge.vlan]

    def bridge(self, name: str) -> Bridge:
        """The bridge of that name; raises ControlError when there is none."""
        bridge = self.find_bridge(name)
        if bridge is None:
            raise ControlError(f"no bridge named {name}")
        return bridge

    def find_bridge(self, name: str) -> Bridge | None:
        """The bridge of that name, or None."""
        self._ctx.txn.verify(self._ctx.root, "bridges")
        return self.bridges.get(name)

    def real_bridge(self, name: str) -> Bridge:
        """The bridge of that name, which must not be a fake one; raises ControlError."""
        bridge = self.bridge(name)
        if bridge.parent is not None:
            raise ControlError(f"{name} is a fake bridge")
        return bridge

    def find_port(self, name: str) -> Port | None:
        """The port of that name unless it is a bridge's own, or None."""
        self.verify_ports()
        port = self.ports.get(name)
        return None if port is None or port.bridge.name == name else port

    def find_interface(self, name: str) -> Interface | None:
        """The interface of that name unless it is a bridge's own, or None."""
        self.verify_ports()
        interface = self.interfaces.get(name)
        return None if interface is None or interface.port.bridge.name == name else interface

    def verify_ports(self) -> None:
        """Let the commit fail softly if a bridge gains or loses ports meanwhile.

        Names are unique in the database, so nothing more is needed to keep two clients from adding one name.
        """
        self._ctx.txn.verify(self._ctx.root, "bridges")
        for bridge in self.bridges.values():
            if bridge.parent is None:
                self._ctx.txn.verify(bridge.record, "ports")

    def check_free(self, name: str, what: str) -> None:
        """Raise ControlError if a bridge, port or interface of that name exists."""
        self.verify_ports()
        if name in self.bridges:
            raise ControlError(f"{what} because a bridge named {name} already exists")
        if (port := self.ports.get(name)) is not None:
            raise ControlError(
                f"{what} because a port named {name} already exists on bridge {port.bridge.name}"
            )
        if (interface := self.interfaces.get(name)) is not None:
            raise ControlError(
                f"{what} because an interface named {name} already exists on bridge "
                f"{interface.port.bridge.name}"
            )

    def _referred(self, record: Record, column: str, table: str) -> Iterator[Record]:
        uuids = self._ctx.read(record, column)
        assert isinstance(uuids, frozenset)
        for uuid in sorted(uuids):
            assert isinstance(uuid, Uuid)
            found = self._ctx.txn.record(table, uuid)
            if found is not None:
                yield found

    def _add_bridges(self, record: Record) -> None:
        name = str(self._ctx.read(record, "name"))
        if name in self.bridges:
            self._ctx.warn(f"{name}: database contains duplicate bridge name")
            return
        bridge = self.bridges[name] = Bridge(name, record)
        for port in self._referred(record, "ports", "Port"):
            tag = self._ctx.read(port, "tag")
            fake = str(self._ctx.read(port, "name"))
            if not self._ctx.read(port, "fake_bridge") or not isinstance(tag, int) or fake in self.bridges:
                continue
            child = self.bridges[fake] = Bridge(fake, record, bridge, tag)
            other = bridge.children.setdefault(tag, child)
            if other is not child:
                self._ctx.warn(
                    f"{name}: bridge has multiple VLAN bridges ({fake} and {other.name}) "
                    f"for VLAN {tag}, but only one is allowed"
                )

    def _add_port(self, bridge: Bridge, record: Record) -> None:
        name = str(self._ctx.read(record, "name"))
        if (known := self.ports.get(name)) is not None:
            self._ctx.warn(f"{name}: port is in multiple bridges ({bridge.name} and {known.bridge.name})")
            return
        port = self.add_port(bridge, record)
        for interface in self._referred(record, "interfaces", "Interface"):
            self.add_interface(port, interface)


def model(ctx: Context) -> Model:
    """The model of the transaction as it is now, made when first asked for after a change."""
    if ctx.model is None:
        ctx.model = Model(ctx)
    return ctx.model


def drop_model(ctx: Context, table: str, column: str | None = None) -> None:
    """Let the model be made anew if it rests on that column, or on the table's rows when None."""
    if column in _READ.get(table, ()) or (column is None and table in _READ):
        ctx.model = None


def needs_model(needs: Needs, _: Command) -> None:
    """What the model reads, and what is reported of new interfaces."""
    for table, columns in _READ.items():
        needs.add(table, *columns)
    needs.add("Bridge", "controller", "fail_mode")
    needs.add("Interface", "ofport", "error")
