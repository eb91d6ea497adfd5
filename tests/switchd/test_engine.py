"""The cycle with a real database server and a stand-in for the kernel."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from jackfield.datapath.store import Datapath
from jackfield.net.errors import KernelError
from jackfield.net.monitor import LinkMonitor
from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.server import Server
from jackfield.ovsdb.storage import open_storage
from jackfield.reconcile.reconciler import Reconciler
from jackfield.switchd import identity
from jackfield.switchd.client import DatabaseClient
from jackfield.switchd.engine import DATABASE, Engine
from jackfield.switchd.schema import open_vswitch_schema
from jackfield.switchd.status import MONITORED
from jackfield.wire.replica import Change
from tests.switchd.stand_in import StandInDatapath, StandInMonitor, StandInReconciler


class Bench:
    """An engine on a bench, and a client that plays the user."""

    def __init__(self, remote: str) -> None:
        self.remote = remote
        self.reconciler = StandInReconciler()
        self.datapath = StandInDatapath()
        self.monitor = StandInMonitor()
        self.engine: Engine
        self.user: DatabaseClient
        self._changed = asyncio.Event()

    async def connect(self) -> None:
        self.user = await DatabaseClient.connect(
            self.remote, DATABASE, MONITORED, lambda _changes: self._changed.set()
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the database looks so."""
        async with asyncio.timeout(20):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    @property
    def root(self) -> Any:
        (row,) = self.user.tables["Open_vSwitch"].values()
        return row

    def row(self, table: str, name: str) -> Any:
        return next((row for row in self.user.tables[table].values() if row["name"] == name), None)

    async def add_bridge(self, name: str, *ports: str) -> None:
        """What `ovs-vsctl add-br NAME -- add-port …` sends, waiting for the switch as it does."""
        (root,) = map(str, self.user.tables["Open_vSwitch"])
        operations: list[Any] = []
        port_names = []
        for index, port in enumerate((name, *ports)):
            interface = {"name": port, "type": "internal"}
            operations += [
                {"op": "insert", "table": "Interface", "row": interface, "uuid-name": f"i{index}"},
                {
                    "op": "insert",
                    "table": "Port",
                    "row": {"name": port, "interfaces": ["named-uuid", f"i{index}"]},
                    "uuid-name": f"p{index}",
                },
            ]
            port_names.append(["named-uuid", f"p{index}"])
        where = [["_uuid", "==", ["uuid", root]]]
        operations += [
            {
                "op": "insert",
                "table": "Bridge",
                "row": {"name": name, "ports": ["set", port_names]},
                "uuid-name": "b",
            },
            {
                "op": "mutate",
                "table": "Open_vSwitch",
                "where": where,
                "mutations": [["bridges", "insert", ["set", [["named-uuid", "b"]]]], ["next_cfg", "+=", 1]],
            },
        ]
        await self.user.transact(operations)


def run(path: Path, experiment: Callable[[Bench], Awaitable[None]]) -> None:
    async def main() -> None:
        server = Server([open_storage(path / "conf.db", parse_schema(open_vswitch_schema()))])
        await server.listen_unix(path / "db.sock")
        bench = Bench(f"unix:{path}/db.sock")
        owner = ThreadPoolExecutor(1)
        bench.engine = Engine(
            bench.remote,
            cast(Datapath, bench.datapath),
            cast(Reconciler, bench.reconciler),
            cast(LinkMonitor, bench.monitor),
            identity.platform(),
            owner,
        )
        try:
            await bench.engine.start()
            await bench.connect()
            await experiment(bench)
            assert not bench.engine.failed.done()
        finally:
            bench.reconciler.gate.set()
            await bench.engine.stop()
            await bench.user.close()
            await server.close()
            bench.monitor.close()
            owner.shutdown()

    asyncio.run(main())


def test_a_fresh_database_gets_its_root_row_and_says_what_it_belongs_to(tmp_path: Path) -> None:
    async def experiment(bench: Bench) -> None:
        assert bench.root["ovs_version"].startswith("3.1.0-jackfield-")
        assert bench.root["db_version"] == "8.3.1"
        assert bench.root["iface_types"] == {"internal", "patch", "system"}
        assert bench.root["datapath_types"] == {"system"}
        assert bench.root["system_type"]
        assert bench.root["cur_cfg"] == bench.root["next_cfg"] == 0

    run(tmp_path, experiment)


def test_status_and_cur_cfg_come_in_one_transaction_after_the_kernel_is_configured(tmp_path: Path) -> None:
    async def experiment(bench: Bench) -> None:
        bench.reconciler.gate.clear()
        bench.reconciler.entered.clear()
        await bench.add_bridge("br0", "p1", "bad1")
        await asyncio.get_running_loop().run_in_executor(None, bench.reconciler.entered.wait)
        assert bench.root["cur_cfg"] == 0
        assert bench.row("Interface", "p1")["ofport"] is None
        bench.reconciler.gate.set()
        await bench.until(lambda: bool(bench.root["cur_cfg"] == 1))
        good, bad = bench.row("Interface", "p1"), bench.row("Interface", "bad1")
        assert good["ofport"] > 0
        assert (good["mtu"], good["link_resets"], good["error"]) == (1500, 0, None)
        assert good["statistics"]["rx_packets"] > 0
        assert (bad["ofport"], bad["mtu"], bad["statistics"]) == (-1, None, {})
        assert bad["error"] == "could not open network device bad1 (No such device)"
        assert bench.row("Bridge", "br0")["datapath_id"] == "0000020000000001"
        assert bench.row("Interface", "br0")["ofport"] == 65534

    run(tmp_path, experiment)


def test_changes_during_a_pass_are_taken_up_by_one_more(tmp_path: Path) -> None:
    async def experiment(bench: Bench) -> None:
        bench.reconciler.gate.clear()
        bench.reconciler.entered.clear()
        await bench.add_bridge("br0")
        await asyncio.get_running_loop().run_in_executor(None, bench.reconciler.entered.wait)
        before = bench.reconciler.passes
        for number in range(1, 6):
            await bench.add_bridge(f"br{number}")
        bench.reconciler.gate.set()
        await bench.until(lambda: bool(bench.root["cur_cfg"] == 6))
        assert bench.reconciler.passes == before + 2

    run(tmp_path, experiment)


def test_cur_cfg_does_not_run_ahead_when_the_database_is_restored_during_a_pass(tmp_path: Path) -> None:
    async def experiment(bench: Bench) -> None:
        seen: list[tuple[int, int]] = []

        def note(changes: list[Change]) -> None:
            seen.extend((each.new["cur_cfg"], each.new["next_cfg"]) for each in changes if each.new)  # type: ignore[misc]

        columns = {"Open_vSwitch": ("cur_cfg", "next_cfg")}
        watcher = await DatabaseClient.connect(bench.remote, DATABASE, columns, note)
        await bench.add_bridge("br0")
        await bench.until(lambda: bool(bench.root["cur_cfg"] == 1))
        bench.reconciler.gate.clear()
        bench.reconciler.entered.clear()
        await bench.add_bridge("br1")
        await asyncio.get_running_loop().run_in_executor(None, bench.reconciler.entered.wait)
        restored = {
            "op": "update",
            "table": "Open_vSwitch",
            "where": [],
            "row": {"next_cfg": 1, "cur_cfg": 1},
        }
        await bench.user.transact([restored])
        before = bench.reconciler.passes
        bench.reconciler.gate.set()
        async with asyncio.timeout(20):
            while bench.reconciler.passes < before + 2:
                await asyncio.sleep(0.01)
        await bench.add_bridge("br2")
        await bench.until(lambda: bool(bench.root["cur_cfg"] == 2))
        assert (2, 2) in seen
        assert all(done <= asked for done, asked in seen)
        await watcher.close()

    run(tmp_path, experiment)


def test_statistics_are_kept_up_without_another_pass(tmp_path: Path) -> None:
    async def experiment(bench: Bench) -> None:
        await bench.add_bridge("br0")
        await bench.until(lambda: bool(bench.root["cur_cfg"] == 1))
        passes = bench.reconciler.passes
        bench.datapath.counters = lambda _ifaces=None: {}  # type: ignore[method-assign]
        await bench.until(lambda: bool(bench.row("Interface", "br0")["statistics"]["rx_packets"] == 0))
        assert bench.reconciler.passes == passes

    run(tmp_path, experiment)


def test_a_change_of_a_device_leads_to_a_pass(tmp_path: Path) -> None:
    async def experiment(bench: Bench) -> None:
        passes = bench.reconciler.passes
        bench.reconciler.entered.clear()
        bench.monitor.announce()
        entered = await asyncio.get_running_loop().run_in_executor(None, bench.reconciler.entered.wait, 20)
        assert entered
        await bench.engine.own(lambda: None)
        assert bench.reconciler.passes == passes + 1

    run(tmp_path, experiment)


def test_attachments_made_in_a_hurry_are_settled(tmp_path: Path) -> None:
    async def experiment(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, bench.reconciler.settled.wait, 20)

    run(tmp_path, experiment)


@pytest.mark.parametrize("fault", [KernelError("making a device", errno.ENOMEM), RuntimeError("a bug")])
def test_a_pass_that_fails_is_tried_again_and_cur_cfg_waits_for_it(
    tmp_path: Path, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def experiment(bench: Bench) -> None:
        bench.reconciler.fault = fault
        await bench.add_bridge("br0")
        async with asyncio.timeout(20):
            while not bench.engine.trouble:
                await asyncio.sleep(0.01)
        assert str(fault) in bench.engine.trouble
        await bench.until(lambda: bool(bench.root["cur_cfg"] == 1))
        assert bench.engine.trouble == ""
        assert bench.row("Interface", "br0")["ofport"] == 65534
        assert [record.levelname for record in caplog.records if record.name == "jackfield.bridge"].count(
            "ERROR"
        ) == 1

    run(tmp_path, experiment)


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    async def experiment(bench: Bench) -> None:
        await bench.add_bridge("br0")
        await bench.until(lambda: bool(bench.root["cur_cfg"] == 1))
        written = bench.engine.coverage.totals()["database_transact"]
        bench.reconciler.entered.clear()
        bench.monitor.announce()
        await asyncio.get_running_loop().run_in_executor(None, bench.reconciler.entered.wait, 20)
        await bench.engine.own(lambda: None)
        assert bench.engine.coverage.totals()["database_transact"] == written

    run(tmp_path, experiment)


def test_the_connection_to_the_database_is_made_again(tmp_path: Path) -> None:
    async def experiment(bench: Bench) -> None:
        client = bench.engine._client
        assert client is not None
        client._writer.close()
        await client.lost
        await bench.add_bridge("br0")
        await bench.until(lambda: bool(bench.root["cur_cfg"] == 1))

    run(tmp_path, experiment)


def test_cleanup_removes_everything(tmp_path: Path) -> None:
    async def experiment(bench: Bench) -> None:
        await bench.engine.stop(cleanup=True)
        assert bench.datapath.destroyed

    run(tmp_path, experiment)
