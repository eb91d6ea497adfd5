from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.ovsdb.database import Database
from jackfield.ovsdb.history import History
from jackfield.ovsdb.local import LocalSession, RequestError
from jackfield.ovsdb.monitor import parse_monitor
from jackfield.ovsdb.server import Limits, Server
from jackfield.ovsdb.storage import open_storage
from jackfield.wire.replica import Replica
from jackfield.wire.stream import JsonStream, encode
from tests.ovsdb.test_transactions import OPERATIONS
from tests.ovsdb.world import (
    SCHEMA_JSON,
    content,
    delete,
    insert,
    mutate,
    run_for_changes,
    schema,
    select,
    update,
)


def asynchronous(test: Callable[[Path], Coroutine[Any, Any, None]]) -> Callable[[Path], None]:
    """A test that runs in an event loop of its own."""

    def run(tmp_path: Path) -> None:
        asyncio.run(asyncio.wait_for(test(tmp_path), 30))

    run.__name__ = test.__name__
    return run


@asynccontextmanager
async def serving(directory: Path, limits: Limits | None = None) -> AsyncIterator[Server]:
    server = Server([open_storage(directory / "db", schema())], limits)
    await server.listen_unix(directory / "sock")
    yield server
    await server.close()


class Peer:
    """A client on the socket who sees every message."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self._reader = reader
        self._stream = JsonStream()
        self._messages: list[Any] = []

    @classmethod
    async def connect(cls, directory: Path) -> Peer:
        return cls(*await asyncio.open_unix_connection(directory / "sock"))

    def send(self, method: str, *params: Any, id_: Any = 1) -> None:
        self.writer.write(encode({"method": method, "params": list(params), "id": id_}))

    async def next(self) -> Any:
        """The next message, None at the end."""
        while not self._messages:
            data = await self._reader.read(1 << 16)
            if not data:
                return None
            self._messages += self._stream.feed(data)
        return self._messages.pop(0)

    async def ask(self, method: str, *params: Any, id_: Any = 1) -> Any:
        self.send(method, *params, id_=id_)
        return await self.next()

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


def collect(session: LocalSession) -> list[tuple[str, list[Any]]]:
    """The notifications that a session gets from now on."""
    received: list[tuple[str, list[Any]]] = []
    session.listen(lambda method, params: received.append((method, params)))
    return received


def expected_wait(name: str, **more: Any) -> dict[str, Any]:
    wait = {
        "op": "wait",
        "table": "Root",
        "where": [],
        "columns": ["name"],
        "until": "==",
        "rows": [{"name": name}],
    }
    return wait | more


@settings(deadline=None, max_examples=150)
@given(st.lists(OPERATIONS, max_size=8), st.sampled_from([1, 2]))
def test_a_replica_follows_any_history(history: list[list[Any]], version: int) -> None:
    database = Database(schema())
    replica = Replica(SCHEMA_JSON)
    monitor = parse_monitor(database, version, replica.requests())
    replica.feed(monitor.initial())
    for operations in history:
        _, changes = run_for_changes(database, *operations)
        replica.feed(monitor.updates(changes))
        fresh = Replica(SCHEMA_JSON)
        fresh.feed(parse_monitor(database, version, fresh.requests()).initial())
        assert replica.tables == fresh.tables
        assert {n: set(t) for n, t in replica.tables.items()} == {
            n: set(t) for n, t in content(database).items()
        }


@asynchronous
async def test_a_monitor_tells_of_changes_before_the_reply(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        local = server.connect_local()
        received = collect(local)
        assert (
            await local.request("monitor_cond", "World", "id", {"Root": [{"columns": ["name", "members"]}]})
            == {}
        )
        (result,) = await local.transact("World", insert("Root", name="a", members=["set", [1, 2]]))
        row = result["uuid"][1]
        await local.transact("World", mutate("Root", ["members", "insert", 3], ["maybe", "insert", 1]))
        await local.transact("World", update("Root", [], maybe=2))
        await local.transact("World", delete("Root"))
        assert received == [
            ("update2", ["id", {"Root": {row: {"insert": {"name": "a", "members": ["set", [1, 2]]}}}}]),
            ("update2", ["id", {"Root": {row: {"modify": {"members": 3}}}}]),
            ("update2", ["id", {"Root": {row: {"delete": None}}}]),
        ]
        await local.request("monitor_cancel", "id")
        await local.transact("World", insert("Root"))
        assert len(received) == 3


@asynchronous
async def test_rows_enter_and_leave_a_conditional_monitor(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        local = server.connect_local()
        received = collect(local)
        await local.transact("World", insert("Root", name="a", number=1), insert("Root", name="b", number=2))
        wish = {"columns": ["name"], "where": [["number", "==", 1]]}
        initial = await local.request("monitor_cond", "World", 1, {"Root": [wish]})
        assert [row["initial"] for row in initial["Root"].values()] == [{"name": "a"}]
        await local.transact("World", update("Root", [["name", "==", "a"]], number=3))
        await local.transact("World", update("Root", [["name", "==", "b"]], number=1))
        await local.request("monitor_cond_change", 1, 2, {"Root": [{"where": [["number", ">", 1]]}]})
        await local.request("monitor_cond_change", 2, 2, {"Root": [{"where": [["number", ">", 0]]}]})
        told = [
            (id_, sorted(kind for row in updates["Root"].values() for kind in row))
            for _, (id_, updates) in received
        ]
        assert told == [(1, ["delete"]), (1, ["insert"]), (2, ["delete", "insert"]), (2, ["insert"])]


@asynchronous
async def test_monitor_cond_since_tells_a_client_what_it_has_missed(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        local = server.connect_local()
        received = collect(local)
        wish, zero = {"Root": [{"columns": ["name"]}]}, "00000000-0000-0000-0000-000000000000"
        found, start, initial = await local.request("monitor_cond_since", "World", 1, wish, zero)
        assert (found, initial) == (False, {})
        for name in ("a", "b"):
            await local.transact("World", insert("Root", name=name))
        assert [method for method, _ in received] == ["update3", "update3"]
        ids = [params[1] for _, params in received]
        await local.transact("World", update("Root", [["name", "==", "a"]], name="c"))
        await local.transact("World", delete("Root", ["name", "==", "b"]))
        last = received[-1][1][1]
        a, b = (next(iter(params[2]["Root"])) for _, params in received[:2])
        missed = {
            start: {a: {"insert": {"name": "c"}}},
            ids[0]: {a: {"modify": {"name": "c"}}},
            ids[1]: {a: {"modify": {"name": "c"}}, b: {"delete": None}},
            last: None,
        }
        for number, (since, rows) in enumerate(missed.items()):
            reply = await local.request("monitor_cond_since", "World", f"m{number}", wish, since)
            assert reply == [True, last, {"Root": rows} if rows else {}]
        found, id_, initial = await local.request("monitor_cond_since", "World", "new", wish, zero)
        assert (found, id_, initial) == (False, last, {"Root": {a: {"initial": {"name": "c"}}}})


def test_a_history_forgets_what_is_old() -> None:
    database = Database(schema())
    for history in (History(transactions=3), History(changes=3)):
        ids = [history.last]
        for number in range(6):
            _, changes = run_for_changes(database, delete("Root"))
            _, changes = run_for_changes(database, insert("Root", name=str(number)))
            ids.append(history.add(changes))
        assert [history.since(id_) is not None for id_ in ids] == [False] * 3 + [True] * 4
        assert history.since(ids[-1]) == []


@asynchronous
async def test_a_wait_is_parked_until_the_database_satisfies_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        one, two, other = server.connect_local(), server.connect_local(), server.connect_local()
        first = asyncio.ensure_future(one.transact("World", expected_wait("a"), update("Root", [], name="b")))
        second = asyncio.ensure_future(
            two.transact("World", expected_wait("b", timeout=20_000), select("Root", columns=["name"]))
        )
        await asyncio.sleep(0)
        assert not first.done()
        assert not second.done()
        await other.transact("World", insert("Root", name="a"))
        assert await first == [{}, {"count": 1}]
        assert await second == [{}, {"rows": [{"name": "b"}]}]


@asynchronous
async def test_a_wait_fails_when_its_time_is_over(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        local = server.connect_local()
        for timeout in (0, 30):
            (result,) = await local.transact("World", expected_wait("never", timeout=timeout))
            assert result["error"] == "timed out"


@asynchronous
async def test_a_parked_transaction_can_be_cancelled(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        peer = await Peer.connect(tmp_path)
        peer.send("transact", "World", expected_wait("a"), id_="x")
        assert (await peer.ask("transact", "World", id_="x"))["error"]["details"].endswith(
            "duplicate request ID"
        )
        peer.send("cancel", "x", id_=None)
        assert await peer.next() == {"id": "x", "result": None, "error": "canceled"}
        await server.connect_local().transact("World", insert("Root", name="a"))
        assert (await peer.ask("echo", "still", "here", id_=2))["result"] == ["still", "here"]
        await peer.close()


@asynchronous
async def test_locks_are_handed_on_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        one, two, three = (server.connect_local() for _ in range(3))
        heard = [collect(session) for session in (one, two, three)]
        assert await one.request("lock", "l") == {"locked": True}
        assert await two.request("lock", "l") == {"locked": False}
        assert await one.transact("World", {"op": "assert", "lock": "l"}) == [{}]
        assert (await two.transact("World", {"op": "assert", "lock": "l"}))[0]["error"] == "not owner"
        assert await three.request("steal", "l") == {"locked": True}
        assert heard == [[("stolen", ["l"])], [], []]
        with pytest.raises(RequestError, match="unlock"):
            await one.request("lock", "l")
        three.close()
        assert heard[0] == [("stolen", ["l"]), ("locked", ["l"])]
        assert await one.request("unlock", "l") == {}
        assert heard[1] == [("locked", ["l"])]
        with pytest.raises(RequestError, match="without"):
            await one.request("unlock", "l")


@asynchronous
async def test_the_server_database_describes_what_is_served(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        local = server.connect_local()
        assert sorted(await local.request("list_dbs")) == ["World", "_Server"]
        columns = ["name", "model", "connected", "leader", "cid", "sid", "index"]
        (result,) = await local.transact(
            "_Server", select("Database", ["name", "==", "World"], columns=columns)
        )
        none: list[Any] = ["set", []]
        assert result["rows"] == [
            {"name": "World", "model": "standalone", "connected": True, "leader": True}
            | {"cid": none, "sid": none, "index": none}
        ]
        assert (await local.transact("_Server", delete("Database")))[0]["error"] == "not allowed"
        with pytest.raises(RequestError, match="unknown database Nope"):
            await local.request("get_schema", "Nope")
        with pytest.raises(RequestError, match="unknown method"):
            await local.request("dance")
