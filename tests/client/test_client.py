"""The library of clients against a real switch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield.client import control
from jackfield.client.database import Database, inserted
from jackfield.client.errors import Conflict, Failure
from jackfield.client.operations import (
    add_bridge,
    add_port,
    delete_bridge,
    delete_port,
    set_keys,
    update,
    wait,
)
from jackfield.wire.notation import Uuid
from tests.e2e.switch import Switch, new_switch

TABLES = {"Bridge": ("name", "ports"), "Port": ("name", "tag", "external_ids"), "Interface": None}


@pytest.fixture(scope="module")
def switch() -> Iterator[Switch]:
    with new_switch() as switch:
        yield switch


@pytest.fixture
def database(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("OVS_RUNDIR", str(switch.daemon.rundir))
    with Database.open(TABLES) as database:
        yield database
        for uuid in list(database.tables["Bridge"]):
            database.commit([delete_bridge(database.root, uuid)])


def named(database: Database, table: str, name: str) -> Uuid:
    return next(uuid for uuid, row in database.tables[table].items() if row["name"] == name)


def test_a_commit_returns_when_the_kernel_is_configured(switch: Switch, database: Database) -> None:
    results = database.commit(add_bridge(database.root, "br0"))
    bridge = inserted(results[2])
    assert named(database, "Bridge", "br0") == bridge
    ports = [
        operation
        for name in ("p1", "p-2")
        for operation in add_port(bridge, name, port={"tag": 7}, interface={"type": "internal"})
    ]
    database.commit(ports)
    assert {"p1", "p-2"} <= switch.host.devices()
    assert database.tables["Interface"][named(database, "Interface", "p1")]["mac_in_use"]
    database.commit([delete_port(bridge, named(database, "Port", "p1"))])
    assert "p1" not in switch.host.devices()


def test_keys_of_a_map_come_and_go_without_the_others(database: Database) -> None:
    database.commit(add_bridge(database.root, "br0"))
    port = named(database, "Port", "br0")
    database.transact([set_keys("Port", port, "external_ids", {"a": "1", "b": "2"})])
    database.transact([set_keys("Port", port, "external_ids", {"a": "3", "b": None, "c": None})])
    assert database.tables["Port"][port]["external_ids"] == {"a": "3"}


def test_a_transaction_that_relied_on_what_has_changed_is_told_so(database: Database) -> None:
    database.commit(add_bridge(database.root, "br0"))
    port = named(database, "Port", "br0")
    change = [wait("Port", port, {"tag": None}), update("Port", port, {"tag": 5})]
    database.transact(change)
    with pytest.raises(Conflict):
        database.transact(change)
    with pytest.raises(Failure, match="the database refuses"):
        database.transact([update("Port", port, {"tag": 5000})])


def test_changes_of_others_are_waited_for(switch: Switch, database: Database) -> None:
    switch.vsctl("add-br", "br0")
    assert [change for change in database.refresh() if change.table == "Bridge"]
    assert database.refresh() == []
    switch.vsctl("--no-wait", "set", "Port", "br0", "tag=9")
    assert database.wait(time.monotonic() + 5)[0].table == "Port"
    with pytest.raises(TimeoutError):
        while True:
            database.wait(time.monotonic() + 0.1)


def test_changes_that_come_in_between_are_told_all_the_same(switch: Switch, database: Database) -> None:
    database.commit(add_bridge(database.root, "br0"))
    switch.vsctl("add-br", "br1")
    database.commit([])
    names = {change.new["name"] for change in database.refresh() if change.table == "Bridge" and change.new}
    assert names == {"br0", "br1"}
    assert database.refresh() == []


def test_what_was_asked_for_without_waiting_can_be_waited_for_later(database: Database) -> None:
    database.commit(add_bridge(database.root, "br0"), wait=False)
    row = database.tables["Open_vSwitch"][database.root]
    assert isinstance(row["next_cfg"], int)
    database.settle(row["next_cfg"])


@pytest.mark.usefixtures("database")
def test_the_daemon_answers_questions_and_refuses_with_a_sentence() -> None:
    assert control.ask("jackfield/status")["ready"] is True
    assert "fdb/show" in control.call("list-commands")
    with pytest.raises(Failure, match="is not a valid command"):
        control.call("no/such/thing")


def test_without_a_switch_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVS_RUNDIR", str(tmp_path))
    with pytest.raises(Failure, match="no switch is running in"):
        control.ask("jackfield/status")
    with pytest.raises(Failure, match="cannot be reached: No such file or directory"):
        Database.open()
