"""Reading attachments from the database, time and again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from jackfield.client.database import Database
from jackfield.containers.attachment import KEY, Wish, new_attachment
from jackfield.containers.records import Remembered, every
from jackfield.containers.targets import Target
from jackfield.wire.notation import Uuid

Rows = dict[Uuid, dict[str, Any]]


def database(bridges: Rows, ports: Rows, interfaces: Rows) -> Database:
    tables = {"Bridge": bridges, "Port": ports, "Interface": interfaces}
    return cast(Database, SimpleNamespace(tables=tables))


def bridge(name: str, *ports: str) -> dict[str, Any]:
    return {"name": name, "ports": frozenset(map(Uuid, ports)), "external_ids": {}}


def port(target: str, tag: int | None = None) -> dict[str, Any]:
    made = new_attachment(Target("netns", target, target), Wish("br0"))
    ids = {KEY: made.dump()}
    interfaces = frozenset({Uuid(f"interface of {target}")})
    return {
        "name": made.port,
        "tag": tag,
        "trunks": frozenset(),
        "external_ids": ids,
        "interfaces": interfaces,
    }


def test_what_is_remembered_of_attachments_is_what_is_there() -> None:
    bridges = {Uuid("0"): bridge("br0", "a", "b"), Uuid("1"): bridge("br1")}
    ports = {Uuid(name): port(name) for name in "ab"}
    interfaces = {Uuid(f"interface of {name}"): {"ifindex": 1, "options": {}} for name in "ab"}
    remembered: Remembered = {}

    def look() -> list[Any]:
        there = database(bridges, ports, interfaces)
        found = every(there, remembered)
        assert found == every(there)
        assert remembered.keys() == {each.port for each in found}
        return found

    before = look()
    assert all(one is other for one, other in zip(before, look(), strict=True))
    ports[Uuid("a")] = port("a", tag=7)
    assert [each.attachment.wish.tag for each in look()] == [7, None]
    interfaces[Uuid("interface of b")] = {"ifindex": 2, "options": {}}
    assert [each.interface["ifindex"] for each in look()] == [1, 2]
    bridges[Uuid("0")], bridges[Uuid("1")] = bridge("br0", "a"), bridge("br1", "b")
    assert [each.bridge for each in look()] == ["0", "1"]
    ports[Uuid("b")] = {**ports[Uuid("b")], "external_ids": {}}
    assert len(look()) == 1
    del ports[Uuid("a")], interfaces[Uuid("interface of a")]
    assert look() == []
