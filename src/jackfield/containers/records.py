"""Attachments as the database has them: with the port while the target runs, with the bridge while not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.client.operations import Operation, set_keys
from jackfield.containers.attachment import ADDRESS_KEY, KEY, Attachment, plain, vlan_word
from jackfield.containers.targets import Running
from jackfield.net import netns
from jackfield.wire.notation import Atom, Shape, Uuid, Value, decode, encode
from jackfield.wire.replica import Row

TABLES = {
    "Bridge": ("name", "ports", "external_ids"),
    "Port": ("name", "tag", "trunks", "external_ids", "interfaces"),
    "Interface": ("name", "error", "options", "ifindex"),
}
"""What `every` needs to have been read."""
_MOST_LOADED = 4096


@dataclass(frozen=True)
class Known:
    """An attachment that is in the database: the row of its bridge, and of its port, None while it is parked
    with the bridge. `interface` is the row of the port's interface as far as TABLES has it."""

    attachment: Attachment
    bridge: Uuid
    port: Uuid | None
    interface: Mapping[str, Value]

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """What makes it worth another look when it changes: the port, and its device, which may be remade."""
        return (*self.attachment.key, self.port, self.interface.get("ifindex"))

    @cached_property
    def place(self) -> tuple[str, str]:
        """Its place among all: by bridge and port."""
        return self.attachment.wish.bridge, self.attachment.port


@dataclass(frozen=True, slots=True)
class Found:
    """What the database says about an attachment that is to be made: the bridge's row, the same attachment if
    there is one, and who has what it wants."""

    bridge: Uuid
    known: Known | None
    port_taken: bool
    holders: Mapping[str, str]


Remembered = dict[Uuid, tuple[Row, Uuid | None, Known]]
"""Attachments by port in their order, each with the row that it was read from and its interface's UUID; rows
are never changed in place."""


def every(database: Database, before: Remembered | None = None) -> list[Known]:
    """All attachments, by bridge and port. The database has been opened with TABLES.

    `before` is for those who ask time and again: what it has from the last call is not read anew, and it is
    brought up to date for the next one.
    """
    ports, interfaces, bridges = (database.tables[table] for table in ("Port", "Interface", "Bridge"))
    home = {port: uuid for uuid, bridge in bridges.items() for port in _uuids(bridge["ports"])}
    known = before or {}
    read: Remembered = {}
    for port in (*known, *(home.keys() - known.keys())):
        row, last = ports.get(port), known.get(port)
        if row is None or port not in home:
            continue
        if last is None or not _is_same(last, row, home[port], interfaces):
            last = _read(database, port, row, home[port])
        if last is not None:
            read[port] = last
    found = [each for _, _, each in read.values()]
    for uuid, bridge in bridges.items():
        texts = [text for key, text in _texts(bridge["external_ids"]).items() if _is_parked(key)]
        parked = [attachment for text in texts if (attachment := Attachment.load(text)) is not None]
        found += [Known(attachment, uuid, None, {}) for attachment in parked]
    if before is not None:
        before.clear()
        before.update(sorted(read.items(), key=lambda item: item[1][2].place))
    return sorted(found, key=lambda known: known.place)


def _is_same(
    last: tuple[Row, Uuid | None, Known], row: Row, bridge: Uuid, interfaces: Mapping[Uuid, Row]
) -> bool:
    """Whether nothing has changed of what an attachment was read from."""
    before, uuid, known = last
    same = uuid is not None and interfaces.get(uuid) is known.interface
    return same and before is row and known.bridge == bridge


def _read(database: Database, port: Uuid, row: Row, bridge: Uuid) -> tuple[Row, Uuid | None, Known] | None:
    """The attachment that a port is, if it is one."""
    attachment = attachment_of(row)
    if attachment is None:
        return None
    interfaces = database.tables["Interface"]
    at = next((uuid for uuid in _uuids(row["interfaces"]) if uuid in interfaces), None)
    return row, at, Known(attachment, bridge, port, interfaces[at] if at is not None else {})


def netns_id(known: Known) -> int | None:
    """The inode number of the namespace that an attachment's port was made in; None when that is not told."""
    inode = _texts(known.interface.get("options")).get("netns-id", "")
    return int(inode) if inode.isdecimal() else None


def is_in(known: Known, running: Running) -> bool:
    """Whether an attachment's port was made where its target runs now, as far as is told.

    The path counts as well as the inode number, which the next namespace gets as soon as one is gone.
    """
    path = _texts(known.interface.get("options")).get("netns", running.netns)
    return path == running.netns and netns_id(known) in (None, running.inode)


def is_alive(known: Known) -> bool:
    """Whether the namespace that an attachment's port was made in is still there."""
    path = _texts(known.interface.get("options")).get("netns")
    return path is None or netns.inode_of(path) == netns_id(known)


def last_seen(known: Known) -> Running | None:
    """Where an attachment's port was made, for when its target's engine cannot tell; None when the namespace
    is gone, or nothing is told of it."""
    path, inode = _texts(known.interface.get("options")).get("netns"), netns_id(known)
    if path is None or inode is None or netns.inode_of(path) != inode:
        return None
    return Running(known.attachment.target, path, inode, None)


def look(database: Database, wanted: Attachment) -> Found:
    """What matters for an attachment, asked for by name so that it costs the same among thousands. Raises
    Failure when there is no such bridge."""
    wish = wanted.wish
    ids = {"container_id": wanted.interface_ids()["container_id"], "container_iface": wish.ifname}
    bridges, ports, interfaces, *holders = database.transact(
        [
            _select("Bridge", [], "_uuid", "name", "external_ids"),
            _select("Port", [["name", "==", wanted.port]], "_uuid"),
            _select("Interface", [["external_ids", "includes", encode(ids)]], "_uuid"),
            *(_select("Port", [["external_ids", "includes", encode(pair)]], "name", "external_ids")
              for pair in _address_keys(wanted)),
        ]
    )  # fmt: skip
    rows = {_decoded(row["name"]): row for row in bridges["rows"]}
    if wish.bridge not in rows:
        raise Failure(f"there is no bridge {wish.bridge}; `jackfield vsctl add-br {wish.bridge}` makes one")
    parked = [
        Known(attachment, _uuid(row), None, {})
        for row in rows.values()
        for key, text in _texts(decode(row["external_ids"], Shape.MAP)).items()
        if _is_parked(key) and (attachment := Attachment.load(text)) is not None
    ]
    same = [known for known in parked if known.attachment.key == wanted.key]
    same += _of_interfaces(database, [_uuid(row) for row in interfaces["rows"]], rows, wanted)
    return Found(
        bridge=_uuid(rows[wish.bridge]),
        known=same[0] if same else None,
        port_taken=bool(ports["rows"]),
        holders=dict(_holders(wanted, holders, parked)),
    )


def park(known: Known) -> list[Operation]:
    """Keep the attachment with its bridge."""
    attachment = known.attachment
    return [set_keys("Bridge", known.bridge, "external_ids", {attachment.parked_key: attachment.dump()})]


def unpark(known: Known) -> list[Operation]:
    """The opposite of `park`."""
    return [set_keys("Bridge", known.bridge, "external_ids", {known.attachment.parked_key: None})]


def _of_interfaces(
    database: Database, uuids: Sequence[Uuid], bridges: Mapping[Any, Any], wanted: Attachment
) -> list[Known]:
    found = []
    for uuid in uuids:
        (answer,) = database.transact(
            [
                _select(
                    "Port",
                    [["interfaces", "includes", encode(uuid)]],
                    "_uuid",
                    "tag",
                    "trunks",
                    "external_ids",
                )
            ]
        )
        for row in answer["rows"]:
            shapes = {"tag": Shape.OPTIONAL, "trunks": Shape.SET, "external_ids": Shape.MAP}
            attachment = attachment_of({key: decode(row[key], shape) for key, shape in shapes.items()})
            if attachment is not None and attachment.key == wanted.key and attachment.wish.bridge in bridges:
                found.append(Known(attachment, _uuid(bridges[attachment.wish.bridge]), _uuid(row), {}))
    return found


def _holders(wanted: Attachment, ports: Sequence[Any], parked: Sequence[Known]) -> list[tuple[str, str]]:
    """Which wanted addresses another attachment of the bridge and VLAN has already, and whose it is."""
    others = [known.attachment for known in parked]
    for answer in ports:
        for row in answer["rows"]:
            attachment = Attachment.load(_texts(decode(row["external_ids"], Shape.MAP)).get(KEY, ""))
            others += [attachment] if attachment is not None else []
    mine = {plain(address) for address in wanted.wish.static}
    return [
        (plain(address), f"{other.target.name} ({other.wish.ifname})")
        for other in others
        if other.key != wanted.key
        and other.wish.bridge == wanted.wish.bridge
        and vlan_word(other.wish) == vlan_word(wanted.wish)
        for address in other.wish.static
        if plain(address) in mine
    ]


def _address_keys(wanted: Attachment) -> list[dict[str, str]]:
    return [{ADDRESS_KEY + plain(address): vlan_word(wanted.wish)} for address in wanted.wish.static]


def attachment_of(row: Row) -> Attachment | None:
    """The attachment that a Port row tells of, with the VLANs that the port has."""
    ids, tag, trunks = row["external_ids"], row["tag"], row["trunks"]
    text = ids.get(KEY) if isinstance(ids, dict) else None
    if not isinstance(text, str):
        return None
    return _loaded(
        text, tag if isinstance(tag, int) else None, trunks if isinstance(trunks, frozenset) else frozenset()
    )


@lru_cache(maxsize=_MOST_LOADED)
def _loaded(text: str, tag: int | None, trunks: frozenset[Atom]) -> Attachment | None:
    """From a record and VLANs. The agent reads all of them again at each change of one."""
    attachment = Attachment.load(text)
    if attachment is None:
        return None
    return attachment.with_vlans(tag, (number for number in trunks if isinstance(number, int)))


def _is_parked(key: str) -> bool:
    return key.startswith(f"{KEY}:")


def _select(table: str, where: list[Any], *columns: str) -> Operation:
    return {"op": "select", "table": table, "where": where, "columns": list(columns)}


def _uuid(row: Mapping[str, Any]) -> Uuid:
    return Uuid(str(decode(row["_uuid"], Shape.SCALAR)))


def _uuids(value: Value) -> list[Uuid]:
    return [each for each in value if isinstance(each, Uuid)] if isinstance(value, frozenset) else []


def _decoded(json: Any) -> Value:
    return decode(json, Shape.SCALAR)


def _texts(value: Value) -> dict[str, str]:
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}
