from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jackfield.ovsdb.errors import OvsdbError
from jackfield.ovsdb.log import LogError
from jackfield.ovsdb.operations import Execution
from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.storage import Storage, open_storage
from tests.ovsdb.world import SCHEMA_JSON, content, insert, mutate, named, schema, update


def stage(storage: Storage, *operations: Any) -> list[Any]:
    return Execution(storage.database, lambda _lock: False).run(list(operations), storage.stage)[0]


def reopened(path: Path) -> dict[str, Any]:
    storage = open_storage(path, schema())
    storage.close()
    return content(storage.database)


class Disk:
    """Stands for fdatasync: counts, waits until told, or fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.syncs = 0
        self.error: OSError | None = None
        self.go = threading.Event()
        self.go.set()
        self.thread: int | None = None
        monkeypatch.setattr("os.fdatasync", self._sync)

    def _sync(self, _fd: int) -> None:
        self.syncs += 1
        self.thread = threading.get_ident()
        self.go.wait(10)
        if self.error is not None:
            raise self.error


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_many_commits_share_one_wait_for_the_disk(tmp_path: Path, disk: Disk) -> None:
    storage = open_storage(tmp_path / "db", schema())
    stage(storage, insert("Root", name="a"))
    stage(storage, insert("Root", name="b"))
    stage(storage, update("Root", [], ratio=0.5))
    asyncio.run(storage.flush())
    assert disk.syncs == 1
    storage.close()
    assert reopened(tmp_path / "db") == content(storage.database)


def test_the_event_loop_goes_on_while_the_disk_is_slow(tmp_path: Path, disk: Disk) -> None:
    storage = open_storage(tmp_path / "db", schema())

    async def scenario() -> None:
        disk.go.clear()
        stage(storage, insert("Root", name="a"))
        flushing = asyncio.create_task(storage.flush())
        await asyncio.sleep(0)
        assert storage.busy
        disk.go.set()
        await flushing
        assert not storage.busy

    asyncio.run(scenario())
    assert disk.thread != threading.get_ident()
    storage.close()


def test_what_changes_nothing_that_lasts_waits_for_no_disk(tmp_path: Path, disk: Disk) -> None:
    storage = open_storage(tmp_path / "db", schema())
    stage(storage, insert("Root"))
    asyncio.run(storage.flush())
    stage(storage, update("Root", [], passing=1))
    asyncio.run(storage.flush())
    assert disk.syncs == 1
    storage.close()


def test_a_group_that_cannot_reach_the_disk_is_undone_as_a_whole(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "db"
    storage = open_storage(path, schema())
    stage(storage, insert("Root", "r", name="a", leaves=named("l")), insert("Leaf", "l", name="x"))
    asyncio.run(storage.flush())
    before, size = content(storage.database), path.stat().st_size
    rows = {name: dict(table.rows) for name, table in storage.database.tables.items()}
    references = {name: dict(table.references) for name, table in storage.database.tables.items()}
    disk.error = OSError(5, "Input/output error")
    stage(storage, update("Root", [], name="b", passing=4))
    stage(storage, update("Root", [], leaves=["set", []]), insert("Root", name="a"))
    stage(storage, update("Root", [["name", "==", "a"]], number=5))
    with pytest.raises(OvsdbError, match="Input/output error"):
        asyncio.run(storage.flush())
    assert content(storage.database) == before
    assert {name: table.rows for name, table in storage.database.tables.items()} == rows
    assert {name: table.references for name, table in storage.database.tables.items()} == references
    assert path.stat().st_size == size
    disk.error = None
    assert "error" not in stage(storage, insert("Root", name="b"))[-1]
    assert "error" in stage(storage, insert("Root", name="a"))[-1]
    asyncio.run(storage.flush())
    storage.close()
    assert reopened(path) == content(storage.database)
    assert [record.levelname for record in caplog.records if record.name == "ovsdb.log"] == ["ERROR"]


def test_a_flush_that_is_cancelled_has_still_happened(tmp_path: Path, disk: Disk) -> None:
    storage = open_storage(tmp_path / "db", schema())

    async def scenario() -> None:
        disk.go.clear()
        stage(storage, insert("Root", name="a"))
        flushing = asyncio.create_task(storage.flush())
        await asyncio.sleep(0)
        flushing.cancel()
        asyncio.get_running_loop().call_later(0.01, disk.go.set)
        with pytest.raises(asyncio.CancelledError):
            await flushing

    asyncio.run(scenario())
    stage(storage, mutate("Root", ["members", "insert", 1]))
    asyncio.run(storage.flush())
    storage.close()
    assert reopened(tmp_path / "db") == content(storage.database)


def test_a_transaction_that_finds_no_room_leaves_the_others_of_its_group_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "db"
    storage = open_storage(path, schema())
    stage(storage, insert("Root", name="a"))
    write, room = os.pwrite, [100]

    def short(fd: int, data: memoryview, offset: int) -> int:
        count = min(len(data), room[0])
        if not count:
            raise OSError(28, "No space left on device")
        room[0] -= count
        return write(fd, data[:count], offset)

    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", short)
        size = path.stat().st_size
        error = stage(storage, update("Root", [], name="b" * 1000))[-1]
        assert (error["error"], error["details"]) == (
            "I/O error",
            f"{path}: cannot write: No space left on device",
        )
        assert path.stat().st_size == size
        assert storage.fault is not None
    stage(storage, insert("Root", name="c"))
    asyncio.run(storage.flush())
    assert storage.fault is None
    storage.close()
    assert sorted(row["name"] for row in reopened(path)["Root"].values()) == ["a", "c"]


def test_nothing_is_written_behind_remains_that_could_not_be_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "db"
    storage = open_storage(path, schema())

    def fail(*_arguments: Any) -> int:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", fail)
        patch.setattr("os.ftruncate", fail)
        assert "error" in stage(storage, insert("Root", name="a"))[-1]
        path.write_bytes(path.read_bytes() + b"half a rec")
        patch.undo()
        patch.setattr("os.ftruncate", fail)
        assert "error" in stage(storage, insert("Root", name="b"))[-1]
    stage(storage, insert("Root", name="c"))
    asyncio.run(storage.flush())
    storage.close()
    assert [row["name"] for row in reopened(path)["Root"].values()] == ["c"]


@pytest.mark.parametrize("fault", ["os.fsync", "pathlib.Path.rename", "os.open"])
def test_a_compaction_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    path = tmp_path / "db"
    storage = open_storage(path, schema())
    stage(storage, insert("Root", name="a"))
    asyncio.run(storage.flush())
    data = path.read_bytes()

    def fail(*_arguments: Any) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(fault, fail)
        with pytest.raises(LogError, match="No space left on device"):
            asyncio.run(storage.compact())
    assert path.read_bytes() == data
    assert {child.name for child in tmp_path.iterdir()} == {"db", ".db.~lock~"}
    stage(storage, insert("Root", name="b"))
    asyncio.run(storage.flush())
    storage.close()
    assert len(reopened(path)["Root"]) == 2


SYSTEM_CALLS = ("os.open", "os.fchmod", "os.pwrite", "os.fsync", "os.close", "pathlib.Path.rename")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("survived", range(12))
def test_a_crash_at_any_step_of_a_compaction_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    path = tmp_path / "db"
    storage = open_storage(path, schema())
    for operations in (
        [insert("Root", name="a")],
        [insert("Root", name="b")],
        [update("Root", [], ratio=0.5)],
    ):
        Execution(storage.database, lambda _lock: False).run(operations, storage.write)
    child = os.fork()
    if not child:
        left = [survived]

        def crashing(call: Callable[..., Any]) -> Callable[..., Any]:
            def do(*arguments: Any) -> Any:
                if not left[0]:
                    os._exit(0)
                left[0] -= 1
                return call(*arguments)

            return do

        for name in SYSTEM_CALLS:
            owner, _, function = name.rpartition(".")
            monkeypatch.setattr(name, crashing(getattr(Path if owner == "pathlib.Path" else os, function)))
        storage.replace_database(storage.database)
        os._exit(1)
    crashed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert crashed == (survived < 10)
    storage.close()
    assert reopened(path) == content(storage.database)
    assert {child.name for child in tmp_path.iterdir()} == {"db", ".db.~lock~"}


def test_a_commit_waits_for_the_name_of_a_file_that_has_been_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = open_storage(tmp_path / "db", schema())
    error = OSError(5, "Input/output error")
    synced: list[Path] = []

    def sync(path: Path) -> None:
        synced.append(path)
        if len(synced) < 3:
            raise error

    monkeypatch.setattr("jackfield.ovsdb.log.sync_directory", sync)
    with pytest.raises(LogError, match="Input/output error"):
        asyncio.run(storage.compact())
    stage(storage, insert("Root", name="a"))
    with pytest.raises(OvsdbError, match="Input/output error"):
        asyncio.run(storage.flush())
    for name in ("b", "c"):
        stage(storage, insert("Root", name=name))
        asyncio.run(storage.flush())
    assert synced == [tmp_path] * 3
    storage.close()
    assert sorted(row["name"] for row in reopened(tmp_path / "db")["Root"].values()) == ["b", "c"]


def test_a_file_that_cannot_be_converted_is_refused_with_both_versions_and_left_alone(tmp_path: Path) -> None:
    newer = json.loads(json.dumps(SCHEMA_JSON)) | {"version": "2.0.0"}
    newer["tables"]["Root"]["columns"]["number"] = {"type": "integer"}
    path = tmp_path / "db"
    storage = open_storage(path, parse_schema(newer))
    stage(storage, insert("Root", name="a", number=1000))
    asyncio.run(storage.flush())
    storage.close()
    data = path.read_bytes()
    with pytest.raises(LogError, match=r"cannot be converted from schema version 2\.0\.0 to 1\.0\.0"):
        open_storage(path, schema())
    assert path.read_bytes() == data


def test_a_file_is_served_by_its_own_schema_if_none_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "db"
    open_storage(path, schema()).close()
    storage = open_storage(path)
    assert storage.database.schema.version == "1.0.0"
    storage.close()
    with pytest.raises(LogError, match="open failed"):
        open_storage(tmp_path / "nope")
    assert not (tmp_path / "nope").exists()
    (tmp_path / "empty").touch()
    with pytest.raises(LogError, match="holds no schema"):
        open_storage(tmp_path / "empty")
