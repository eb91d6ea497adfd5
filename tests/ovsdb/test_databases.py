"""Databases that come, go, and change their schema while they are served; commits that the disk refuses."""

from __future__ import annotations

import asyncio
import copy
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jackfield.ovsdb.convert import converted
from jackfield.ovsdb.database import Database
from jackfield.ovsdb.errors import OvsdbError
from jackfield.ovsdb.local import RequestError
from jackfield.ovsdb.log import LogError, LogFile
from jackfield.ovsdb.schema import DatabaseSchema, parse_schema
from jackfield.ovsdb.storage import open_storage
from tests.ovsdb.test_sessions import Peer, asynchronous, collect, expected_wait, serving
from tests.ovsdb.world import SCHEMA_JSON, content, insert, named, run, schema, select, update


def changed(change: Callable[[dict[str, Any]], None], version: str = "2.0.0") -> dict[str, Any]:
    """The schema with a change to its tables."""
    json = copy.deepcopy(SCHEMA_JSON)
    change(json["tables"])
    return json | {"version": version}


def without_maybe(tables: dict[str, Any]) -> None:
    del tables["Root"]["columns"]["maybe"]
    tables["Root"]["columns"]["added"] = {"type": {"key": "string", "min": 0}}
    del tables["Needy"]


def other(name: str) -> DatabaseSchema:
    return parse_schema(SCHEMA_JSON | {"name": name})


def test_rows_are_carried_over_to_another_schema() -> None:
    database = Database(schema())
    run(
        database,
        insert("Root", at=1, name="a", maybe=1, members=["set", [1, 2]], leaves=named("l")),
        insert("Leaf", "l", name="leaf"),
    )
    fresh = converted(database, parse_schema(changed(without_maybe)))
    before, after = content(database), content(fresh)
    assert after["Leaf"] == before["Leaf"]
    assert "Needy" not in after
    ((uuid, row),) = after["Root"].items()
    expected = before["Root"][uuid] | {"added": ["set", []]}
    del expected["maybe"]
    assert row == expected


def test_what_does_not_fit_another_schema_is_refused() -> None:
    def fewer_members(tables: dict[str, Any]) -> None:
        tables["Root"]["columns"]["members"]["type"]["max"] = 1

    database = Database(schema())
    run(database, insert("Root", members=["set", [1, 2]]))
    with pytest.raises(OvsdbError):
        converted(database, parse_schema(changed(fewer_members)))


@asynchronous
async def test_a_database_is_converted_while_it_is_served(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        aware, unaware = await Peer.connect(tmp_path), await Peer.connect(tmp_path)
        assert (await aware.ask("set_db_change_aware", True))["result"] == {}
        for peer in (aware, unaware):
            assert (await peer.ask("monitor", "World", "m", {"Root": {}}))["error"] is None
        wish = {"Database": {"columns": ["name", "schema"]}}
        assert (await aware.ask("monitor_cond", "_Server", "s", wish))["error"] is None
        unaware.send("transact", "World", expected_wait("never"), id_="parked")
        local = server.connect_local()
        await local.transact("World", insert("Root", name="a", maybe=1))
        assert (await aware.next())["method"] == (await unaware.next())["method"] == "update"

        new = changed(without_maybe)
        assert (await aware.ask("get_schema", "World"))["result"]["version"] == "1.0.0"
        aware.send("convert", "World", new)
        assert await aware.next() == {"id": None, "method": "monitor_canceled", "params": ["m"]}
        told = await aware.next()
        assert (told["method"], told["params"][0]) == ("update2", "s")
        ((_, row),) = told["params"][1]["Database"].items()
        assert '"version":"2.0.0"' in row["modify"]["schema"]
        assert (await aware.next())["result"] == {}
        assert await unaware.next() == {"id": "parked", "result": None, "error": "canceled"}
        assert await unaware.next() is None  # who is not aware connects anew
        assert (await aware.ask("get_schema", "World"))["result"]["version"] == "2.0.0"
        (result,) = (await aware.ask("transact", "World", select("Root", columns=["name", "added"])))[
            "result"
        ]
        assert result["rows"] == [{"name": "a", "added": ["set", []]}]
        (result,) = (await aware.ask("transact", "World", update("Root", [], added="x")))["result"]
        assert result == {"count": 1}
        for peer in (aware, unaware):
            await peer.close()
    storage = open_storage(tmp_path / "db")
    assert storage.database.schema.version == "2.0.0"
    assert [row["added"] for row in content(storage.database)["Root"].values()] == ["x"]
    storage.close()


@asynchronous
async def test_a_conversion_that_the_disk_refuses_changes_nothing(tmp_path: Path) -> None:
    def fail(file: LogFile, _records: object) -> None:
        raise LogError(f"{file.path}: cannot rewrite the database: No space left on device")

    async with serving(tmp_path) as server:
        local = server.connect_local()
        heard = collect(local)
        await local.request("monitor", "World", 1, {"Root": {"columns": ["name"]}})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LogFile, "replace", fail)
            with pytest.raises(RequestError, match="No space left"):
                await local.request("convert", "World", changed(without_maybe))
        assert (await local.request("get_schema", "World"))["version"] == "1.0.0"
        await local.transact("World", insert("Root", maybe=1))
        assert len(heard) == 1


@pytest.mark.parametrize(
    ("params", "error"),
    [
        (["World"], "array expected"),
        (["Nope", SCHEMA_JSON], "unknown database"),
        (["World", {"name": "World"}], "tables"),
        (["World", SCHEMA_JSON | {"name": "Other"}], "does not match"),
        (["_Server", SCHEMA_JSON], "not allowed"),
    ],
)
def test_a_wrong_conversion_is_refused(tmp_path: Path, params: list[Any], error: str) -> None:
    async def attempt() -> None:
        async with serving(tmp_path) as server:
            with pytest.raises(RequestError) as caught:
                await server.connect_local().request("convert", *params)
            assert error in str(caught.value.error)

    asyncio.run(attempt())


@asynchronous
async def test_databases_are_added_and_removed_while_others_are_served(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        aware, unaware = await Peer.connect(tmp_path), await Peer.connect(tmp_path)
        await aware.ask("set_db_change_aware", True)
        await aware.ask("monitor", "_Server", "s", {"Database": {"columns": ["name"]}})
        await unaware.ask("echo")
        server.add_storage(open_storage(tmp_path / "more", other("More")))
        with pytest.raises(ValueError, match="duplicate"):
            server.add_storage(open_storage(tmp_path / "again", other("More")))
        assert await unaware.next() is None
        assert (await aware.next())["params"][0] == "s"
        assert (await aware.ask("list_dbs"))["result"] == ["World", "_Server", "More"]
        assert (await aware.ask("monitor", "More", "m", {"Root": {}}))["result"] == {}
        assert (await aware.ask("transact", "More", insert("Root")))["method"] == "update"
        await server.remove_database("More")
        seen = [await aware.next() for _ in range(3)]
        assert [each.get("method") for each in seen] == [None, "monitor_canceled", "update"]
        assert (await aware.ask("transact", "More"))["error"]["error"] == "unknown database"
        for name in ("More", "_Server"):
            with pytest.raises(KeyError):
                await server.remove_database(name)
        for peer in (aware, unaware):
            await peer.close()


@asynchronous
async def test_a_file_is_rewritten_on_request_while_clients_go_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        local = server.connect_local()
        await local.transact("World", insert("Root"))
        for number in range(50):
            await local.transact("World", update("Root", [], number=number % 5))
        size = (tmp_path / "db").stat().st_size
        compaction = asyncio.ensure_future(server.compact("World"))
        await local.transact("World", update("Root", [], name="meanwhile"))
        await compaction
        assert (tmp_path / "db").stat().st_size < size
    storage = open_storage(tmp_path / "db")
    assert [row["name"] for row in content(storage.database)["Root"].values()] == ["meanwhile"]
    storage.close()


@asynchronous
async def test_a_group_that_the_disk_refuses_fails_as_a_whole_and_leaves_no_trace(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        one, two, watcher = (server.connect_local() for _ in range(3))
        heard = collect(watcher)
        await one.transact("World", insert("Root", name="kept"))
        await watcher.request("monitor", "World", 1, {"Root": {"columns": ["name"]}})
        with pytest.MonkeyPatch.context() as patch:

            def fail(_file: LogFile) -> None:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

            patch.setattr(LogFile, "sync", fail)
            replies = await asyncio.gather(
                one.transact("World", insert("Root", name="lost")),
                two.transact("World", update("Root", [["name", "==", "lost"]], number=1)),
                two.transact("World", select("Root", columns=["name"])),
                two.transact("World", {"op": "abort"}, select("Root")),
            )
        assert [reply[-1] and reply[-1]["error"] for reply in replies] == ["I/O error"] * 3 + [None]
        assert replies[-1][0]["error"] == "aborted"
        (result,) = await two.transact("World", select("Root", columns=["name"]))
        assert result["rows"] == [{"name": "kept"}]
        assert heard == []
        await one.transact("World", insert("Root", name="next"))
        assert len(heard) == 1


@asynchronous
async def test_one_sync_serves_many_commits(tmp_path: Path) -> None:
    syncs = 0
    real = LogFile.sync

    def count(file: LogFile) -> None:
        nonlocal syncs
        syncs += 1
        real(file)

    async with serving(tmp_path) as server:
        sessions = [server.connect_local() for _ in range(50)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LogFile, "sync", count)
            await asyncio.gather(
                *(
                    each.transact("World", insert("Leaf"), insert("Root", number=1, name=str(n)))
                    for n, each in enumerate(sessions)
                )
            )
        assert 1 <= syncs < 25


@asynchronous
async def test_who_asks_nothing_of_the_disk_does_not_wait_for_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        gate = asyncio.Event()
        loop = asyncio.get_running_loop()
        real = LogFile.sync

        def slow(file: LogFile) -> None:
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(20)
            real(file)

        writer, reader = server.connect_local(), server.connect_local()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LogFile, "sync", slow)
            commit = asyncio.ensure_future(writer.transact("World", insert("Root", name="a")))
            await asyncio.sleep(0.02)
            assert await reader.request("echo", 1) == [1]
            assert (await reader.transact("_Server", select("Database")))[0]["rows"]
            look = asyncio.ensure_future(reader.transact("World", select("Root", columns=["name"])))
            await asyncio.sleep(0.02)
            assert not commit.done()
            assert not look.done()  # it must not see what may still be lost
            gate.set()
            assert "uuid" in (await commit)[0]
            assert (await look)[0]["rows"] == [{"name": "a"}]
