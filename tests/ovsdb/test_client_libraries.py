"""The Python libraries that programs manage OVS with, on our server and on OVS's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jackfield.switchd.schema import open_vswitch_schema

idl_module = pytest.importorskip("ovs.db.idl")
poller_module = pytest.importorskip("ovs.poller")
connection = pytest.importorskip("ovsdbapp.backend.ovs_idl.connection")
event_module = pytest.importorskip("ovsdbapp.backend.ovs_idl.event")
impl_idl = pytest.importorskip("ovsdbapp.schema.open_vswitch.impl_idl")

SECONDS = 10
NEVER_WAIT = 1 << 40  # a `cur_cfg` with which no client waits for a switch


class Follower:
    """An IDL of some tables, driven until something is true."""

    def __init__(self, remote: str, *tables: str, **conditions: Any) -> None:
        helper = idl_module.SchemaHelper(schema_json=open_vswitch_schema())
        for table in tables:
            helper.register_table(table)
        self.idl = idl_module.Idl(remote, helper)
        for table, condition in conditions.items():
            self.idl.cond_change(table, condition)

    def until(self, done: Any) -> None:
        for _ in range(2000):
            self.idl.run()
            if done():
                return
            poller = poller_module.Poller()
            self.idl.wait(poller)
            poller.timer_wait(1000)
            poller.block()
        raise AssertionError("it did not come to that")

    def names(self, table: str) -> set[str]:
        return {row.name for row in self.idl.tables[table].rows.values()}

    def commit(self, *changes: Any) -> Any:
        transaction = idl_module.Transaction(self.idl)
        for change in changes:
            change(transaction)
        return transaction.commit_block()

    def __enter__(self) -> Follower:
        self.until(self.idl.has_ever_connected)
        return self

    def __exit__(self, *_: object) -> None:
        self.idl.close()


def add_bridge(follower: Follower, name: str) -> Any:
    """A change for `commit`: a bridge that the switch refers to."""

    def change(transaction: Any) -> None:
        switches = list(follower.idl.tables["Open_vSwitch"].rows.values())
        switch = switches[0] if switches else transaction.insert(follower.idl.tables["Open_vSwitch"])
        bridge = transaction.insert(follower.idl.tables["Bridge"])
        bridge.name = name
        switch.bridges = [*(switch.bridges if switches else []), bridge]

    return change


def test_the_idl_makes_changes_and_follows_those_of_others(remote: str) -> None:
    tables = ("Open_vSwitch", "Bridge")
    with Follower(remote, *tables) as one, Follower(remote, *tables) as other:
        assert one.commit(add_bridge(one, "br0")) == idl_module.Transaction.SUCCESS
        other.until(lambda: other.names("Bridge") == {"br0"})
        assert other.commit(add_bridge(other, "br1")) == idl_module.Transaction.SUCCESS
        one.until(lambda: one.names("Bridge") == {"br0", "br1"})
        assert one.commit(add_bridge(one, "br1")) == idl_module.Transaction.ERROR
        (switch,) = one.idl.tables["Open_vSwitch"].rows.values()
        bridges = [bridge for bridge in switch.bridges if bridge.name == "br0"]
        assert one.commit(lambda _: setattr(switch, "bridges", bridges)) == idl_module.Transaction.SUCCESS
        other.until(lambda: other.names("Bridge") == {"br0"})


def test_the_idl_sees_the_rows_that_it_asks_for(remote: str) -> None:
    tables = ("Open_vSwitch", "Bridge")
    wanted = [["name", "==", "br1"]]
    with Follower(remote, *tables) as one, Follower(remote, *tables, Bridge=wanted) as other:
        for name in ("br0", "br1", "br2"):
            assert one.commit(add_bridge(one, name)) == idl_module.Transaction.SUCCESS
        other.until(lambda: other.names("Bridge") == {"br1"})
        other.idl.cond_change("Bridge", [["name", "==", "br0"], ["name", "==", "br2"]])
        other.until(lambda: other.names("Bridge") == {"br0", "br2"})


def test_a_change_that_was_overtaken_is_tried_again(remote: str) -> None:
    tables = ("Open_vSwitch", "Bridge")
    with Follower(remote, *tables) as one, Follower(remote, *tables) as other:
        assert one.commit(add_bridge(one, "br0")) == idl_module.Transaction.SUCCESS
        other.until(lambda: other.names("Bridge") == {"br0"})
        (switch,) = other.idl.tables["Open_vSwitch"].rows.values()
        late = idl_module.Transaction(other.idl)
        switch.verify("next_cfg")
        switch.next_cfg = switch.next_cfg + 10
        (same,) = one.idl.tables["Open_vSwitch"].rows.values()
        assert one.commit(lambda _: setattr(same, "next_cfg", 5)) == idl_module.Transaction.SUCCESS
        assert late.commit_block() == idl_module.Transaction.TRY_AGAIN
        other.until(lambda: switch.next_cfg == 5)


def test_the_idl_takes_turns_with_a_lock(remote: str) -> None:
    with Follower(remote, "Bridge") as one, Follower(remote, "Bridge") as other:
        one.idl.set_lock("turn")
        one.until(lambda: one.idl.has_lock)
        other.idl.set_lock("turn")
        other.until(lambda: other.idl.is_lock_contended)
        one.idl.close()
        other.until(lambda: other.idl.has_lock)


class EventfulIdl(connection.OvsdbIdl):  # type: ignore[misc]
    """An IDL that passes on what happens to rows, as Neutron's does."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.notify_handler = event_module.RowEventHandler()

    def notify(self, event: Any, row: Any, updates: Any = None) -> None:
        self.notify_handler.notify(event, row, updates)


@pytest.fixture
def api(remote: str) -> Iterator[Any]:
    """ovsdbapp's programming interface; `cur_cfg` is so high that it waits for no switch."""
    with Follower(remote, "Open_vSwitch") as first:
        first.commit(lambda t: setattr(t.insert(first.idl.tables["Open_vSwitch"]), "cur_cfg", NEVER_WAIT))
    link = connection.Connection(EventfulIdl.from_server(remote, "Open_vSwitch"), timeout=SECONDS)
    # The connection is kept in the class, and each test needs one of its own.
    yield type("Api", (impl_idl.OvsdbIdl,), {})(link)
    link.stop(SECONDS)
    link.idl.close()


def test_ovsdbapp_builds_and_takes_down_a_switch(api: Any) -> None:
    with api.transaction(check_error=True) as transaction:
        transaction.add(api.add_br("br0", datapath_type="system"))
        transaction.add(api.add_port("br0", "p1"))
        transaction.add(api.db_set("Interface", "p1", ("type", "internal"), ("external_ids", {"a": "b"})))
        transaction.add(api.db_set("Port", "p1", ("tag", 5)))
    assert api.list_br().execute(check_error=True) == ["br0"]
    assert api.list_ports("br0").execute(check_error=True) == ["p1"]
    assert api.port_to_br("p1").execute(check_error=True) == "br0"
    assert api.db_get("Port", "p1", "tag").execute(check_error=True) == 5
    assert api.db_get("Interface", "p1", "external_ids").execute(check_error=True) == {"a": "b"}
    api.set_controller("br0", ["tcp:127.0.0.1:6653"]).execute(check_error=True)
    assert api.get_controller("br0").execute(check_error=True) == ["tcp:127.0.0.1:6653"]
    found = api.db_find("Port", ("tag", "=", 5), columns=["name"]).execute(check_error=True)
    assert found == [{"name": "p1"}]
    api.db_clear("Port", "p1", "tag").execute(check_error=True)
    assert api.db_get("Port", "p1", "tag").execute(check_error=True) == []
    api.del_port("p1").execute(check_error=True)
    api.del_br("br0").execute(check_error=True)
    assert api.db_list("Interface").execute(check_error=True) == []


def test_ovsdbapp_is_told_what_is_wrong(api: Any) -> None:
    with pytest.raises(RuntimeError, match="contain 2 rows"):
        api.db_create("Open_vSwitch").execute(check_error=True)
    assert len(api.db_list("Open_vSwitch").execute(check_error=True)) == 1


def test_ovsdbapp_hears_of_events(api: Any) -> None:
    class Added(event_module.WaitEvent):  # type: ignore[misc]
        event_name = "Added"

        def __init__(self) -> None:
            super().__init__((self.ROW_CREATE,), "Bridge", (("name", "=", "br0"),), timeout=SECONDS)

    added = Added()
    api.idl.notify_handler.watch_event(added)
    api.add_br("br0").execute(check_error=True)
    assert added.wait()
