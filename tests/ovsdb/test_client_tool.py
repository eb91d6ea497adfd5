"""Every command of `ovsdb-client`, with the same results from our server and from OVS's own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jackfield.ovsdb.datum import type_to_json
from jackfield.ovsdb.schema import DatabaseSchema, parse_schema
from jackfield.switchd.schema import open_vswitch_schema

pytestmark = pytest.mark.skipif(shutil.which("ovsdb-server") is None, reason="OVS's tools are not installed")

DATABASE = "Open_vSwitch"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ZERO = "00000000-0000-0000-0000-000000000000"
BRIDGE = [
    {"op": "insert", "table": DATABASE, "row": {"bridges": ["named-uuid", "b"], "next_cfg": 7}},
    {"op": "insert", "table": "Bridge", "uuid-name": "b", "row": {"name": "br0"}},
]


def client(*argv: str | Path, stdin: Path = Path("/dev/null"), code: int = 0) -> str:
    argv = ("ovsdb-client", "-vconsole:off", *argv)
    with stdin.open() as file:
        found = subprocess.run(argv, stdin=file, capture_output=True, text=True, timeout=20, check=False)
    assert found.returncode == code, found.stderr
    return found.stdout + found.stderr


def transact(remote: str, *operations: Any) -> list[Any]:
    results: list[Any] = json.loads(client("transact", remote, json.dumps([DATABASE, *operations])))
    assert not any(result and "error" in result for result in results), results
    return results


def rename(remote: str, mode: str) -> None:
    transact(remote, {"op": "update", "table": "Bridge", "where": [], "row": {"fail_mode": mode}})


class Follower:
    """A command of `ovsdb-client` that goes on until it is stopped; `line` is what it prints next."""

    def __init__(self, *argv: str) -> None:
        argv = ("stdbuf", "-oL", "ovsdb-client", "-vconsole:off", *argv)
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def line(self) -> str:
        assert self.process.stdout is not None
        return " ".join(UUID.sub("UUID", self.process.stdout.readline()).split())

    def hears(self, *wanted: str) -> bool:
        """Whether lines that end so come, in this order, before the command ends or a test takes too long."""
        for text in wanted:
            while not (line := self.line()).endswith(text):
                if not line and self.process.poll() is not None:
                    return False
        return True

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


def newer_schema() -> dict[str, Any]:
    """A schema that has lost a column and won another."""
    schema: dict[str, Any] = json.loads(json.dumps(open_vswitch_schema()))
    schema["version"] = "99.0.0"
    del schema["tables"]["Bridge"]["columns"]["fail_mode"]
    schema["tables"]["Bridge"]["columns"]["colour"] = {"type": "string"}
    return schema


def test_what_is_there_is_listed(remote: str, schema: DatabaseSchema) -> None:
    assert client("list-dbs", remote) == f"{DATABASE}\n_Server\n"
    found = parse_schema(json.loads(client("get-schema", remote, DATABASE)))
    assert found.to_json() == schema.to_json()
    assert client("get-schema-version", remote, DATABASE).strip() == open_vswitch_schema()["version"]
    assert client("get-schema-cksum", remote, DATABASE).strip() == open_vswitch_schema().get("cksum", "")
    assert set(open_vswitch_schema()["tables"]) < set(client("list-tables", remote, DATABASE).split())
    columns = client("--format=json", "list-columns", remote, DATABASE, "Bridge")
    listed = dict(json.loads(columns)["data"])
    assert listed == {c.name: type_to_json(c.type) for c in schema.tables["Bridge"].by_index}


def test_rows_are_changed_queried_and_dumped(remote: str) -> None:
    transact(remote, *BRIDGE)
    query = json.dumps([DATABASE, {"op": "select", "table": "Bridge", "where": [], "columns": ["name"]}])
    assert json.loads(client("query", remote, query)) == [{"rows": [{"name": "br0"}]}]
    dump = client("dump", remote, DATABASE, "Bridge", "name", "flood_vlans", "other_config")
    assert dump.splitlines()[1:] == [
        "flood_vlans name other_config",
        "----------- ---- ------------",
        "[]          br0  {}",
    ]
    whole = client("--format=json", "dump", remote, DATABASE)
    captions = [json.loads(line)["caption"] for line in whole.splitlines() if line]
    assert captions == [f"{name} table" for name in sorted(open_vswitch_schema()["tables"])]
    refused = [DATABASE, {"op": "insert", "table": "Bridge", "row": {"name": 5}}]
    assert '"error":"syntax error"' in client("transact", remote, json.dumps(refused))
    deletion = json.dumps([DATABASE, {"op": "delete", "table": "Bridge", "where": []}])
    client("query", remote, deletion)
    assert json.loads(client("query", remote, query)) == [{"rows": [{"name": "br0"}]}]


def test_monitors_tell_what_happens(remote: str) -> None:
    transact(remote, *BRIDGE)
    with Follower("monitor", remote, DATABASE, "Bridge", "name,fail_mode") as monitor:
        assert monitor.hears("row action name fail_mode", "UUID initial br0 []")
        rename(remote, "secure")
        assert monitor.hears("UUID old []", "new br0 secure")
        transact(remote, *({"op": "delete", "table": table, "where": []} for table in (DATABASE, "Bridge")))
        assert monitor.hears("UUID delete br0 secure")
        transact(remote, *BRIDGE)
        assert monitor.hears("UUID insert br0 []")


def test_a_monitor_of_everything_starts_with_everything(remote: str) -> None:
    transact(remote, *BRIDGE)
    with Follower("--format=csv", "monitor", remote, DATABASE, "ALL") as monitor:
        for table in ("Bridge", DATABASE):
            assert monitor.hears(table)
            assert monitor.line().startswith("row,action,")
            assert monitor.line().startswith("UUID,initial,")


def test_conditional_monitors_tell_of_the_rows_they_want(remote: str) -> None:
    transact(remote, *BRIDGE)
    rename(remote, "standalone")
    wish = ('[["fail_mode","==","standalone"]]', "Bridge", "name,fail_mode")
    with (
        Follower("monitor-cond", remote, DATABASE, *wish) as plain,
        Follower("monitor-cond-since", remote, DATABASE, ZERO, *wish) as since,
    ):
        assert since.line() == "found: false, last_id: UUID"
        for follower in (plain, since):
            assert follower.hears("UUID initial br0 standalone")
        rename(remote, "secure")
        rename(remote, "standalone")
        for follower in (plain, since):
            assert follower.hears("UUID delete", "UUID insert br0 standalone")


def test_locks_are_given_stolen_and_given_back(remote: str) -> None:
    with Follower("lock", remote, "door") as first:
        assert first.line() == '{"locked":true}'
        with Follower("steal", remote, "door") as thief:
            assert thief.line() == '{"locked":true}'
            assert first.hears("stolen", '["door"]')
        assert first.hears("locked", '["door"]')
        with Follower("lock", remote, "door") as second:
            assert second.line() == '{"locked":false}'
            first.process.terminate()
            assert second.hears("locked", '["door"]')


def test_a_backup_is_restored(remote: str, tmp_path: Path) -> None:
    transact(remote, *BRIDGE)
    saved, nonsense = tmp_path / "saved", tmp_path / "nonsense"
    saved.write_text(client("backup", remote, DATABASE))
    nonsense.write_text("nonsense")
    assert subprocess.run(["ovsdb-tool", "db-name", saved], capture_output=True, check=True).stdout
    before = UUID.sub("UUID", client("dump", remote, DATABASE))
    delete = [{"op": "delete", "table": table, "where": []} for table in (DATABASE, "Bridge")]
    transact(remote, *delete)
    client("restore", remote, DATABASE, stdin=saved)
    assert UUID.sub("UUID", client("dump", remote, DATABASE)) == before
    assert "unexpected file format" in client("restore", remote, DATABASE, stdin=nonsense, code=1)
    assert UUID.sub("UUID", client("dump", remote, DATABASE)) == before


def test_a_database_is_converted(remote: str, tmp_path: Path) -> None:
    transact(remote, *BRIDGE)
    same, newer = tmp_path / "same", tmp_path / "newer"
    same.write_text(json.dumps(open_vswitch_schema()))
    newer.write_text(json.dumps(newer_schema()))
    assert client("needs-conversion", remote, same) == "no\n"
    assert client("needs-conversion", remote, newer) == "yes\n"
    with Follower("monitor", remote, DATABASE, "Bridge", "name") as monitor:
        assert monitor.hears("UUID initial br0")
        client("convert", remote, newer)
        assert monitor.hears("Open_vSwitch database was removed")
    assert client("needs-conversion", remote, newer) == "no\n"
    assert client("get-schema-version", remote, DATABASE) == "99.0.0\n"
    assert client("dump", remote, DATABASE, "Bridge", "name", "colour").split()[-2:] == ['""', "br0"]
    assert "has no column fail_mode" in client("dump", remote, DATABASE, "Bridge", "fail_mode", code=1)


def test_one_can_wait_for_a_database(remote: str) -> None:
    for database, state in ((DATABASE, "added"), (DATABASE, "connected"), ("Nope", "removed")):
        client("wait", remote, database, state)
    with Follower("wait", remote, "Nope", "added") as waiting, pytest.raises(subprocess.TimeoutExpired):
        waiting.process.wait(0.2)
