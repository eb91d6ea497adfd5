from __future__ import annotations

import asyncio
import itertools
import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.ovsdb import storage as storage_module
from jackfield.ovsdb.database import Database
from jackfield.ovsdb.log import LogError, LogFile, pack, unpack
from jackfield.ovsdb.operations import Execution
from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.storage import Storage, apply_record, open_storage, to_record
from tests.ovsdb.test_transactions import OPERATIONS
from tests.ovsdb.world import (
    SCHEMA_JSON,
    content,
    insert,
    mutate,
    named,
    run_for_changes,
    schema,
    select,
    update,
)

needs_ovsdb_tool = pytest.mark.skipif(
    shutil.which("ovsdb-tool") is None, reason="ovsdb-tool is not installed"
)


def commit(storage: Storage, *operations: Any) -> list[Any]:
    return Execution(storage.database, lambda _lock: False).run(list(operations), storage.write)[0]


def reopened(path: Path) -> dict[str, Any]:
    storage = open_storage(path, schema())
    storage.close()
    return content(storage.database)


def test_what_was_committed_is_there_again(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "db", schema())
    commit(
        storage,
        insert("Root", number=1, name="a", members=["set", [1, 2]], pairs=["map", [["a", 1], ["b", 2]]]),
    )
    commit(
        storage,
        mutate("Root", ["members", "insert", 3], ["pairs", "delete", ["set", ["a"]]], ["maybe", "insert", 4]),
    )
    commit(storage, update("Root", [], ratio=0.5, name='é\n"{'))
    storage.close()
    assert reopened(tmp_path / "db") == content(storage.database)


def test_ephemeral_columns_are_not_written(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "db", schema())
    commit(storage, insert("Root", passing=5))
    size = (tmp_path / "db").stat().st_size
    commit(storage, update("Root", [], passing=6))
    assert (tmp_path / "db").stat().st_size == size
    storage.close()
    (row,) = reopened(tmp_path / "db")["Root"].values()
    assert row["passing"] == 0


def test_a_file_cut_anywhere_gives_the_whole_records_before_the_cut() -> None:
    records = [{"n": n, "text": "x" * n} for n in range(4)]
    data = b"".join(map(pack, records))
    ends = [end for _, end in unpack(data)]
    for cut in range(len(data) + 1):
        found = [record for record, _ in unpack(data[:cut])]
        assert found == records[: sum(end <= cut for end in ends)]


@pytest.mark.parametrize(
    "tail", [b"OVSDB JSON 5 ", b"OVSDB JSON 99 " + b"0" * 40 + b"\n{}", b"\0" * 100, b"junk\n"]
)
def test_a_torn_tail_is_cut_off_with_a_warning(
    tmp_path: Path, tail: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "db"
    storage = open_storage(path, schema())
    commit(storage, insert("Root", name="a"))
    storage.close()
    good = path.read_bytes()
    path.write_bytes(good + tail)
    assert reopened(path) == content(storage.database)
    assert path.read_bytes() == good
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_damage_before_whole_records_keeps_a_copy(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "db"
    path.write_bytes(pack(SCHEMA_JSON) + pack({"Root": {}})[:-2] + b"\n" + pack({"Root": {}}))
    data = path.read_bytes()
    reopened(path)
    assert (tmp_path / "db.damaged").read_bytes() == data
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"hello", "not a standalone OVSDB database"),
        (b"OVSDB CLUSTER 3 " + b"0" * 40 + b"\n{}\n", "clustered"),
        (pack({"name": "Other", "tables": {}}), "holds database Other, not World"),
        (pack(5), "cannot load"),
        (pack(SCHEMA_JSON) + pack({"Nope": {}}), "No table named Nope"),
        (pack(SCHEMA_JSON) + pack({"Root": {"x": {}}}), "not a valid UUID"),
        (pack(SCHEMA_JSON) + pack(5), "object expected"),
    ],
)
def test_a_file_that_is_no_such_database_is_refused_and_left_alone(
    tmp_path: Path, data: bytes, why: str
) -> None:
    path = tmp_path / "db"
    path.write_bytes(data)
    with pytest.raises(LogError, match=why):
        open_storage(path, schema())
    assert path.read_bytes() == data


def test_no_directory_no_database(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="No such file or directory"):
        open_storage(tmp_path / "nowhere" / "db", schema())


def test_a_file_in_use_by_another_process_is_refused(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "db", schema())
    code = (
        "import sys; from pathlib import Path; from jackfield.ovsdb.log import LogFile, LogError\n"
        "try: LogFile(Path(sys.argv[1]))\n"
        "except LogError as error: print(error)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "db")], capture_output=True, text=True, check=True
    )
    storage.close()
    assert "in use by another process" in found.stdout


def test_a_grown_file_is_compacted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "COMPACT_BYTES", 1 << 13)
    path = tmp_path / "db"
    storage = open_storage(path, schema())
    path.chmod(0o600)
    commit(storage, insert("Root", name="x" * 100))
    sizes = []
    for number in range(200):
        commit(storage, update("Root", [], maybe=number))
        asyncio.run(storage.compact_if_grown())
        sizes.append(path.stat().st_size)
    assert max(sizes) < 1 << 14
    assert any(after < before for before, after in itertools.pairwise(sizes))
    assert path.stat().st_mode & 0o777 == 0o600
    storage.close()
    assert reopened(path) == content(storage.database)


def test_a_failed_write_undoes_the_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = open_storage(tmp_path / "db", schema())
    commit(storage, insert("Root", name="a"))
    before, data = content(storage.database), (tmp_path / "db").read_bytes()

    def fail(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fdatasync", fail)
        assert commit(storage, update("Root", [], name="b"))[-1]["error"] == "I/O error"
    assert content(storage.database) == before
    assert (tmp_path / "db").read_bytes() == data
    commit(storage, update("Root", [], name="c"))
    storage.close()
    assert reopened(tmp_path / "db") == content(storage.database)


def test_an_older_schema_is_converted_and_the_old_file_kept(tmp_path: Path) -> None:
    older = json.loads(json.dumps(SCHEMA_JSON)) | {"version": "0.9.0"}
    older["tables"]["Gone"] = {"isRoot": True, "columns": {"x": {"type": "string"}}}
    older["tables"]["Root"]["columns"]["gone"] = {"type": "string"}
    del older["tables"]["Root"]["columns"]["ratio"]
    path = tmp_path / "db"
    storage = open_storage(path, parse_schema(older))
    commit(storage, insert("Root", name="a", gone="x"), insert("Gone", x="y"))
    storage.close()
    old = path.read_bytes()
    (row,) = reopened(path)["Root"].values()
    assert (row["name"], row["ratio"]) == ("a", 0.0)
    assert (tmp_path / "db.backup0.9.0").read_bytes() == old
    reopened(path)


@settings(deadline=None, max_examples=150)
@given(st.lists(OPERATIONS, max_size=8))
def test_replaying_the_records_of_any_history_gives_the_same_rows(history: list[list[Any]]) -> None:
    database, replay = Database(schema()), Database(schema())
    for operations in history:
        _, changes = run_for_changes(database, *operations)
        record = to_record(changes, "comment", 0)
        if record is not None:
            apply_record(replay, json.loads(json.dumps(record)))
    assert content(replay) == content(database)


@needs_ovsdb_tool
def test_ovsdb_tool_reads_our_file(tmp_path: Path) -> None:
    path = tmp_path / "db"
    storage = open_storage(path, schema())
    commit(
        storage, insert("Root", name="a", members=["set", [1, 2]]), {"op": "comment", "comment": "the first"}
    )
    commit(storage, mutate("Root", ["members", "delete", 1], ["members", "insert", 3]))
    storage.close()

    def tool(*arguments: str) -> str:
        return subprocess.run(["ovsdb-tool", *arguments], capture_output=True, text=True, check=True).stdout

    assert tool("db-version", str(path)) == "1.0.0\n"
    assert "the first" in tool("show-log", "-mmm", str(path))
    query = ["World", select("Root", columns=["name", "members"])]
    assert json.loads(tool("query", str(path), json.dumps(query))) == [
        {"rows": [{"name": "a", "members": ["set", [2, 3]]}]}
    ]


@needs_ovsdb_tool
def test_we_read_the_files_of_ovsdb_tool(tmp_path: Path) -> None:
    path, file = tmp_path / "db", tmp_path / "schema"
    file.write_text(json.dumps(SCHEMA_JSON))
    subprocess.run(["ovsdb-tool", "create", path, file], check=True)
    for operation in (
        insert("Root", name="a", members=["set", [1, 2]]),
        mutate("Root", ["members", "delete", 1]),
    ):
        transaction = json.dumps(["World", operation])
        subprocess.run(["ovsdb-tool", "transact", path, transaction], check=True, capture_output=True)
    (row,) = reopened(path)["Root"].values()
    assert (row["name"], row["members"]) == ("a", 2)
    assert [child.name for child in tmp_path.iterdir() if "backup" in child.name] == []


def test_records_are_freed_once_loaded(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "db")
    assert file.records == []
    file.write({"a": 1})
    file.sync()
    file.settle()
    file.close()
    again = LogFile(tmp_path / "db")
    assert again.records == [{"a": 1}]
    again.close()


@needs_ovsdb_tool
def test_ovsdb_tool_rewrites_and_converts_our_file(tmp_path: Path) -> None:
    path, newer = tmp_path / "db", tmp_path / "newer"
    storage = open_storage(path, schema())
    for number in range(5):
        commit(
            storage, insert("Leaf", "l"), insert("Root", name=str(number), leaves=named("l")), select("Root")
        )
        commit(storage, {"op": "delete", "table": "Root", "where": [["name", "!=", str(number)]]})
    storage.close()

    def tool(*arguments: str | Path) -> str:
        command = ["ovsdb-tool", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert (tool("db-name", path), tool("db-is-standalone", path)) == ("World", "")
    tool("compact", path)
    assert reopened(path) == content(storage.database)
    json_schema = json.loads(json.dumps(SCHEMA_JSON)) | {"version": "1.1.0"}
    json_schema["tables"]["Root"]["columns"]["more"] = {"type": "string"}
    newer.write_text(json.dumps(json_schema))
    assert tool("needs-conversion", path, newer) == "yes"
    tool("convert", path, newer)
    storage = open_storage(path)
    assert storage.database.schema.version == "1.1.0"
    assert [row["name"] for row in content(storage.database)["Root"].values()] == ["4"]
    commit(storage, update("Root", [], more="x"))
    storage.close()
    assert tool("db-version", path) == "1.1.0"
