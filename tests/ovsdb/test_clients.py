"""OVS's own clients, unmodified, against our server."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jackfield.ovsdb.schema import DatabaseSchema
from jackfield.switchd.schema import open_vswitch_schema
from tests.ovsdb.conftest import Served

pytestmark = pytest.mark.skipif(shutil.which("ovs-vsctl") is None, reason="OVS's tools are not installed")


def tool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=20, check=False)


def vsctl(served: Served, *arguments: str) -> str:
    found = tool("ovs-vsctl", f"--db={served.remote}", "--no-wait", *arguments)
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout


def client(served: Served, command: str, *arguments: str) -> str:
    found = tool("ovsdb-client", command, served.remote, *arguments)
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout


def test_ovs_vsctl_builds_and_takes_down_a_bridge(served: Served) -> None:
    vsctl(served, "init")
    vsctl(served, "add-br", "br0")
    vsctl(served, "add-port", "br0", "p1", "tag=5", "--", "set", "Interface", "p1", "type=internal")
    vsctl(served, "--may-exist", "add-br", "br0", "--", "add-bond", "br0", "bond0", "eth8", "eth9")
    assert vsctl(served, "list-ports", "br0").split() == ["bond0", "p1"]
    assert vsctl(served, "get", "Port", "p1", "tag").strip() == "5"
    vsctl(served, "set", "Bridge", "br0", "other_config:mac-aging-time=7", "external_ids:a=b")
    vsctl(served, "remove", "Bridge", "br0", "external_ids", "a")
    assert (
        vsctl(served, "get", "Bridge", "br0", "other_config", "external_ids") == '{mac-aging-time="7"}\n{}\n'
    )
    assert "type: internal" in vsctl(served, "show")
    vsctl(
        served,
        "--",
        "--id=@m",
        "create",
        "Mirror",
        "name=m",
        "select_all=true",
        "--",
        "set",
        "Bridge",
        "br0",
        "mirrors=@m",
    )
    vsctl(served, "del-br", "br0")
    assert vsctl(served, "list-br") == ""
    assert vsctl(served, "--columns=name", "list", "Interface") == ""
    assert vsctl(served, "--columns=name", "list", "Mirror") == ""


def test_ovs_vsctl_is_told_what_is_wrong(served: Served) -> None:
    vsctl(served, "add-br", "br0")
    found = tool("ovs-vsctl", f"--db={served.remote}", "--no-wait", "add-port", "br0", "p1", "tag=5000")
    assert found.returncode == 1
    assert "constraint violation: 5000 is not in the valid range 0 to 4095 (inclusive)" in found.stderr
    assert vsctl(served, "list-ports", "br0") == ""


def test_ovsdb_client_speaks_with_the_server(served: Served) -> None:
    assert client(served, "list-dbs").split() == ["Open_vSwitch", "_Server"]
    assert client(served, "get-schema-version", "Open_vSwitch").strip() == open_vswitch_schema()["version"]
    tables = client(served, "list-tables", "Open_vSwitch").split()
    assert set(open_vswitch_schema()["tables"]) < set(tables)
    insert = {"op": "insert", "table": "Open_vSwitch", "row": {"next_cfg": 7}}
    (result,) = json.loads(client(served, "transact", json.dumps(["Open_vSwitch", insert])))
    assert result["uuid"][0] == "uuid"
    assert "7" in client(served, "dump", "Open_vSwitch", "Open_vSwitch", "next_cfg")
    select = {"op": "select", "table": "Open_vSwitch", "where": [], "columns": ["next_cfg"]}
    found = client(served, "query", json.dumps(["Open_vSwitch", select]))
    assert json.loads(found) == [{"rows": [{"next_cfg": 7}]}]
    assert tool("ovsdb-client", "wait", served.remote, "Open_vSwitch", "connected").returncode == 0


def test_ovsdb_client_makes_a_backup_that_can_be_read(served: Served, tmp_path: Path) -> None:
    vsctl(served, "init", "--", "add-br", "br0")
    backup = tmp_path / "backup.db"
    backup.write_text(client(served, "backup", "Open_vSwitch"))
    query = ["Open_vSwitch", {"op": "select", "table": "Bridge", "where": [], "columns": ["name"]}]
    assert json.loads(tool("ovsdb-tool", "query", backup, json.dumps(query)).stdout) == [
        {"rows": [{"name": "br0"}]}
    ]


def test_what_ovs_vsctl_configured_survives_a_restart(tmp_path: Path, schema: DatabaseSchema) -> None:
    first = Served(tmp_path, schema)
    try:
        vsctl(first, "init", "--", "add-br", "br0", "--", "set", "Bridge", "br0", "datapath_id=1")
        before = vsctl(first, "show")
    finally:
        first.stop()
    second = Served(tmp_path, schema)
    try:
        assert vsctl(second, "show") == before
        assert vsctl(second, "get", "Bridge", "br0", "datapath_id").strip() == "[]"
    finally:
        second.stop()


def test_the_idl_of_ovs_follows_the_database(served: Served) -> None:
    idl_module = pytest.importorskip("ovs.db.idl")
    poller = pytest.importorskip("ovs.poller")
    helper = idl_module.SchemaHelper(schema_json=open_vswitch_schema())
    helper.register_all()
    idl = idl_module.Idl(served.remote, helper)

    def until(done: Any) -> None:
        for _ in range(1000):
            idl.run()
            if done():
                return
            waiter = poller.Poller()
            idl.wait(waiter)
            waiter.timer_wait(5000)
            waiter.block()
        raise AssertionError("the IDL did not get there")

    try:
        until(idl.has_ever_connected)
        vsctl(
            served,
            "init",
            "--",
            "add-br",
            "br0",
            "--",
            "add-br",
            "br1",
            "--",
            "set",
            "Port",
            "br0",
            "trunks=[1,2]",
        )
        until(lambda: len(idl.tables["Bridge"].rows) == 2)
        vsctl(served, "set", "Port", "br0", "trunks=[2,3]", "external_ids:a=b", "--", "del-br", "br1")
        until(lambda: len(idl.tables["Bridge"].rows) == 1)
        (port,) = idl.tables["Port"].rows.values()
        assert (port.trunks, port.external_ids) == ([2, 3], {"a": "b"})
        transaction = idl_module.Transaction(idl)
        port.verify("tag")
        port.tag = 9
        assert transaction.commit_block() == idl_module.Transaction.SUCCESS
        assert vsctl(served, "get", "Port", "br0", "tag").strip() == "9"
        until(lambda: port.tag == [9])
    finally:
        idl.close()
