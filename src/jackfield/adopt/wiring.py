"""What the switch has to know of a takeover: its bridge, the host's port, the cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jackfield.client import operations as op
from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.wire.notation import NamedUuid, Uuid, encode

TABLES = {
    "Bridge": ("name", "ports", "other_config", "external_ids"),
    "Port": ("name", "interfaces", "external_ids", "tag"),
    "Interface": ("name", "type", "error", "ofport"),
}
HOST_PORT, CARD, MADE, OLD_MAC = (
    *("jackfield-adopt-port", "jackfield-adopt-card"),
    *("jackfield-adopt-made", "jackfield-adopt-hwaddr"),
)
"""Keys in external_ids of a card's port: the port that the host's addresses are on, the card that had them,
what was made for it, and the MAC that the bridge was told to have before."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Adoption:
    """What the database says of a card that was adopted."""

    nics: tuple[str, ...]
    card: str
    nic_port: str
    bridge: str
    port: str
    made: tuple[str, ...]
    hwaddr: str | None


class Wiring:
    """The rows of bridges and ports that a takeover is about. Every method raises Failure."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def bridge(self, name: str) -> tuple[Uuid, Row] | None:
        """The bridge of that name."""
        return self._find("Bridge", name)

    def bridge_of(self, port: str) -> str | None:
        """The name of the bridge that has a port or interface of that name."""
        for _, bridge in self._rows("Bridge"):
            for _, row in self._ports(bridge):
                if row["name"] == port or port in self._interface_names(row):
                    return str(bridge["name"])
        return None

    def tag_of(self, port: str) -> int | None:
        """The VLAN of a port, None when it has none or is not there."""
        found = self._find("Port", port)
        return found[1]["tag"] if found else None

    def port_names(self, bridge: str) -> tuple[str, ...]:
        """The ports of a bridge, its own one among them."""
        found = self.bridge(bridge)
        return tuple(str(row["name"]) for _, row in self._ports(found[1])) if found else ()

    def adoption(self, nic: str) -> Adoption | None:
        """What is known of a card that was adopted; None when it was not."""
        for _, bridge in self._rows("Bridge"):
            for _, row in self._ports(bridge):
                names, notes = self._interface_names(row), row["external_ids"]
                if HOST_PORT in notes and (nic in names or nic == row["name"]):
                    made = tuple(notes.get(MADE, "").split())
                    return Adoption(
                        names,
                        notes.get(CARD, names[0]),
                        str(row["name"]),
                        str(bridge["name"]),
                        notes[HOST_PORT],
                        made,
                        notes.get(OLD_MAC),
                    )
        return None

    def adoptions(self) -> list[Adoption]:
        """All cards that were adopted."""
        ports = [row for _, bridge in self._rows("Bridge") for _, row in self._ports(bridge)]
        found = [
            self.adoption(self._interface_names(row)[0]) for row in ports if HOST_PORT in row["external_ids"]
        ]
        return [each for each in found if each is not None]

    def make_bridge(self, name: str, columns: op.Columns | None = None) -> None:
        """A bridge with its own port."""
        self._commit(op.add_bridge(self._database.root, name, columns))

    def make_port(self, bridge: str, name: str, port: op.Columns, interface: op.Columns) -> None:
        """A port with one interface, on a bridge that is there."""
        uuid, _ = self._need_bridge(bridge)
        self._commit(op.add_port(uuid, name, port=port, interface=interface))

    def set_mac(self, bridge: str, mac: str) -> None:
        """Have a bridge's own port bear a MAC; "" leaves it to the switch again."""
        uuid, _ = self._need_bridge(bridge)
        self._commit([op.set_keys("Bridge", uuid, "other_config", {"hwaddr": mac or None})])

    def set_interface(self, name: str, columns: op.Columns) -> None:
        """New values for columns of an Interface."""
        uuid, _ = self._need("Interface", name)
        self._commit([op.update("Interface", uuid, columns)])

    def set_port(self, name: str, columns: op.Columns) -> None:
        """New values for columns of a Port."""
        uuid, _ = self._need("Port", name)
        self._commit([op.update("Port", uuid, columns)])

    def connect(self, bridge: str, ports: Mapping[str, tuple[tuple[str, ...], op.Columns]]) -> None:
        """Put devices on a bridge, all at once: by port, its interfaces and its columns.

        Raises Failure also when the switch cannot take one of them.
        """
        uuid, _ = self._need_bridge(bridge)
        operations: list[op.Operation] = []
        made: list[NamedUuid] = []
        for number, (port, (devices, columns)) in enumerate(ports.items()):
            interfaces = [NamedUuid(f"interface_{number}_{each}") for each in range(len(devices))]
            operations += [
                op.insert("Interface", {"name": device}, mark)
                for device, mark in zip(devices, interfaces, strict=True)
            ]
            made.append(NamedUuid(f"port_{number}"))
            operations.append(
                op.insert("Port", {"name": port, "interfaces": interfaces, **columns}, made[-1])
            )
        self._commit([*operations, op.mutate("Bridge", uuid, ("ports", "insert", encode(made)))])
        self.require([device for devices, _ in ports.values() for device in devices])

    def require(self, interfaces: list[str]) -> None:
        """Raises Failure when the switch does not have one of these interfaces, in its own words."""
        for name in interfaces:
            _, row = self._need("Interface", name)
            if row["error"]:
                raise Failure(f"{name}: {row['error']}")

    def disconnect(
        self, bridge: str, ports: tuple[str, ...], made: tuple[str, ...], hwaddr: str | None
    ) -> bool:
        """Undo a takeover as far as it is there: take `ports` off the bridge, and what was made for them
        ("bridge", or "port:NAME") unless others use it by now. Whether the bridge is gone."""
        found = self.bridge(bridge)
        if found is None:
            return True
        uuid, row = found
        own = {each.removeprefix("port:") for each in made if each.startswith("port:")}
        left = [name for name in self.port_names(bridge) if name not in (*ports, *own, bridge)]
        if "bridge" in made and not left:
            self._commit([op.delete_bridge(self._database.root, uuid)])
            return True
        operations = [
            op.delete_port(uuid, port) for port, each in self._ports(row) if each["name"] in (*ports, *own)
        ]
        if hwaddr is not None:
            operations.append(op.set_keys("Bridge", uuid, "other_config", {"hwaddr": hwaddr or None}))
        if operations:
            self._commit(operations)
        return False

    def _commit(self, operations: list[op.Operation]) -> None:
        self._database.commit(operations)

    def _rows(self, table: str) -> list[tuple[Uuid, Row]]:
        return list(self._database.tables[table].items())

    def _find(self, table: str, name: str) -> tuple[Uuid, Row] | None:
        return next(((uuid, row) for uuid, row in self._rows(table) if row["name"] == name), None)

    def _need(self, table: str, name: str) -> tuple[Uuid, Row]:
        found = self._find(table, name)
        if found is None:
            raise Failure(f"{name}: the switch's table {table} has no such row any more")
        return found

    def _need_bridge(self, name: str) -> tuple[Uuid, Row]:
        found = self.bridge(name)
        if found is None:
            raise Failure(f"{name}: there is no such bridge any more")
        return found

    def _ports(self, bridge: Row) -> list[tuple[Uuid, Row]]:
        ports = self._database.tables["Port"]
        return [(uuid, ports[uuid]) for uuid in bridge["ports"] if uuid in ports]

    def _interface_names(self, port: Row) -> tuple[str, ...]:
        interfaces = self._database.tables["Interface"]
        return tuple(
            sorted(str(interfaces[uuid]["name"]) for uuid in port["interfaces"] if uuid in interfaces)
        )
