"""Remotes: connection methods, TCP, connections of our own making, probes, and what databases say of them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from jackfield.ovsdb.local import LocalSession
from jackfield.ovsdb.remote_config import ConfigError
from jackfield.ovsdb.remotes import Remotes
from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.server import Limits, Server
from jackfield.ovsdb.storage import open_storage
from jackfield.ovsdb.target import Target, TargetError, parse_target
from jackfield.ovsdb.tls import TlsFiles
from jackfield.wire.stream import encode
from tests.ovsdb.test_sessions import Peer, asynchronous
from tests.ovsdb.world import delete, insert, select, update

RUN = Path("/run/x")

SCHEMA = {
    "name": "Managed",
    "version": "1.0.0",
    "tables": {
        "Root": {
            "isRoot": True,
            "columns": {
                "managers": {
                    "type": {"key": {"type": "uuid", "refTable": "Manager"}, "min": 0, "max": "unlimited"}
                },
                "targets": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
                "key_file": {"type": "string"},
                "number": {"type": "integer"},
            },
        },
        "Manager": {
            "indexes": [["target"]],
            "columns": {
                "target": {"type": "string"},
                "max_backoff": {"type": {"key": "integer", "min": 0}},
                "inactivity_probe": {"type": {"key": "integer", "min": 0}},
                "read_only": {"type": "boolean"},
                "role": {"type": "string"},
                "other_config": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
                "is_connected": {"type": "boolean", "ephemeral": True},
                "status": {
                    "type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"},
                    "ephemeral": True,
                },
            },
        },
    },
}
MANAGERS = "db:Managed,Root,managers"


class World:
    """A server with remotes, and a session of its own."""

    def __init__(self, directory: Path, server: Server, remotes: Remotes) -> None:
        self.directory = directory
        self.server = server
        self.remotes = remotes
        self.local: LocalSession = server.connect_local()

    async def until(self, look: Callable[[], Any]) -> Any:
        """Wait for something to be true."""
        while not (found := look()):
            await asyncio.sleep(0.005)
        return found

    async def manager(self, target: str, **columns: Any) -> str:
        """Describe a remote in the database; its row."""
        row = {"target": target} | columns
        managers = {"managers": ["set", [["named-uuid", "m"]]]}
        await self.local.transact("Managed", delete("Root"))
        results = await self.local.transact(
            "Managed", insert("Manager", "m", **row), insert("Root", **managers)
        )
        assert not any("error" in (result or {}) for result in results), results
        return str(results[0]["uuid"][1])

    async def row(self) -> dict[str, Any]:
        """The row of the only remote in the database."""
        (result,) = await self.local.transact("Managed", select("Manager"))
        (row,) = result["rows"]
        return row | {"status": dict(row["status"][1])}

    def port(self) -> int:
        """The port of the only listener."""
        (status,) = self.remotes.status().values()
        return status.bound_port


@asynccontextmanager
async def serving(
    directory: Path, limits: Limits | None = None, tls: TlsFiles | None = None
) -> AsyncIterator[World]:
    server = Server([open_storage(directory / "db", parse_schema(SCHEMA))], limits)
    remotes = Remotes(server, tls, directory)
    yield World(directory, server, remotes)
    await remotes.close()
    await server.close()


async def connect(port: int, host: str = "127.0.0.1") -> Peer:
    return Peer(*await asyncio.open_connection(host, port))


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("punix:db.sock", Target("", True, Path("/run/x/db.sock"))),
        ("unix:/a/b", Target("", False, Path("/a/b"))),
        ("ptcp:", Target("", True)),
        ("ptcp:0", Target("", True, port=0)),
        ("ptcp:6000:127.0.0.1", Target("", True, host="127.0.0.1", port=6000)),
        ("pssl:6000:[::1]", Target("", True, host="::1", port=6000, secure=True)),
        ("ptcp::[::1]", Target("", True, host="::1")),
        ("ptcp:[::1]", Target("", True, host="::1")),
        ("tcp:10.0.0.1", Target("", False, host="10.0.0.1")),
        ("tcp:[fe80::1]:7", Target("", False, host="fe80::1", port=7)),
        ("ssl:a.example:7", Target("", False, host="a.example", port=7, secure=True)),
    ],
)
def test_connection_methods_are_understood(text: str, target: Target) -> None:
    found = parse_target(text, RUN)
    expected = Target(text, target.passive, target.path, target.host, target.port, target.secure)
    assert found == expected


@pytest.mark.parametrize(
    "text", ["", "ptcp", "udp:1", "punix:", "unix:", "tcp:", "tcp::6640", "ptcp:x", "ptcp:65536", "tcp:a:x"]
)
def test_what_is_no_connection_method_is_refused(text: str) -> None:
    with pytest.raises(TargetError):
        parse_target(text, RUN)


@asynchronous
async def test_sessions_come_over_tcp_and_socket_files(tmp_path: Path) -> None:
    async with serving(tmp_path) as world:
        assert await world.remotes.set(["ptcp:0:127.0.0.1"]) == {}
        peer = await connect(world.port())
        assert (await peer.ask("list_dbs"))["result"] == ["Managed", "_Server"]
        (status,) = world.remotes.status().values()
        assert (status.connected, status.connections) == (True, 1)
        assert await world.remotes.set(["punix:s"]) == {}
        assert await peer.next() is None
        await peer.close()
        peer = Peer(*await asyncio.open_unix_connection(tmp_path / "s"))
        assert (await peer.ask("echo", 1))["result"] == [1]
        await peer.close()
        assert await world.remotes.set([]) == {}
        assert not (tmp_path / "s").exists()


@asynchronous
async def test_what_cannot_be_opened_is_said_once_and_tried_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as world:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            target = f"ptcp:{taken.getsockname()[1]}:127.0.0.1"
            problems = await world.remotes.set([target, "pssl:0", "nonsense:1", "db:No,Root,x"])
        assert problems == {
            target: f"{target}: listen failed: Address already in use",
            "pssl:0": "Private key must be configured to use SSL",
            "nonsense:1": '"nonsense:1" is not a connection method',
            "db:No,Root,x": '"db:No,Root,x": no database named No',
        }
        await world.until(lambda: target in world.remotes.status())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("db:Managed,Root", "invalid syntax"),
        ("db:Managed,Nope,x", "no table named Nope"),
        ("db:Managed,Root,x", 'table "Root" has no column "x"'),
        ("db:Managed,Root,number", 'type of table "Root" column "number" is not string'),
    ],
)
def test_a_wrong_place_in_a_database_is_refused(tmp_path: Path, name: str, text: str) -> None:
    async def run() -> None:
        async with serving(tmp_path) as world:
            with pytest.raises(ConfigError, match=text):
                world.remotes.check(name)

    asyncio.run(run())


@asynchronous
async def test_the_database_says_where_to_listen_and_learns_how_it_stands(tmp_path: Path) -> None:
    async with serving(tmp_path) as world:
        assert await world.remotes.set([MANAGERS]) == {}
        await world.manager("ptcp:0:127.0.0.1")
        await world.until(world.remotes.status)
        peers = [await connect(world.port()) for _ in range(2)]
        for peer in peers:
            assert (await peer.ask("echo"))["result"] == []
        while not (row := await world.row())["status"].get("n_connections"):
            await asyncio.sleep(0.005)
        assert row["is_connected"] is True
        assert row["status"] == {
            "bound_port": str(world.port()),
            "n_connections": "2",
            "sec_since_connect": "0",
            "sec_since_disconnect": "0",
        }
        for peer in peers:
            await peer.close()
        while (await world.row())["is_connected"]:
            await asyncio.sleep(0.005)
        await world.local.transact("Managed", delete("Root"))
        await world.until(lambda: not world.remotes.status())


@asynchronous
async def test_targets_may_be_plain_texts_in_a_column(tmp_path: Path) -> None:
    async with serving(tmp_path) as world:
        await world.remotes.set(["db:Managed,Root,targets"])
        await world.local.transact("Managed", insert("Root", targets=["set", ["punix:a", "punix:b"]]))
        await world.until(lambda: len(world.remotes.status()) == 2)
        await world.local.transact("Managed", update("Root", [], targets="punix:b"))
        await world.until(lambda: list(world.remotes.status()) == ["punix:b"])


@asynchronous
async def test_roles_are_refused_and_read_only_is_kept_to(tmp_path: Path) -> None:
    async with serving(tmp_path) as world:
        await world.remotes.set([MANAGERS])
        row = await world.manager("ptcp:0:127.0.0.1", role="switch")
        assert await world.remotes.set([MANAGERS]) == {
            "ptcp:0:127.0.0.1": 'ptcp:0:127.0.0.1: role "switch": access control by roles is not supported'
        }
        while not (await world.row())["status"]:
            await asyncio.sleep(0.005)
        assert (await world.row())["status"] == {
            "state": "BACKOFF",
            "last_error": 'ptcp:0:127.0.0.1: role "switch": access control by roles is not supported',
        }
        where = [["_uuid", "==", ["uuid", row]]]
        await world.local.transact("Managed", update("Manager", where, role="", read_only=True))
        await world.until(world.remotes.status)
        peer = await connect(world.port())
        reply = await peer.ask("transact", "Managed", insert("Root"))
        assert reply["result"][0]["error"] == "not allowed"
        assert (await peer.ask("transact", "Managed", select("Manager")))["result"][0]["rows"]
        assert "read only" in (await peer.ask("lock", "l"))["error"]
        assert (await peer.ask("convert", "Managed", SCHEMA))["error"]["error"] == "not allowed"
        await world.local.transact("Managed", update("Manager", where, read_only=False))
        while "error" in (await peer.ask("transact", "Managed", insert("Root")))["result"][0]:
            await asyncio.sleep(0.005)
        await peer.close()


class Callee:
    """A client who waits to be connected to."""

    def __init__(self) -> None:
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()

    async def listen(self) -> int:
        """Listen; the port."""
        self._server = await asyncio.start_server(self._met, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peers.put_nowait(Peer(reader, writer))

    async def close(self) -> None:
        self._server.close()
        await self._server.wait_closed()


@asynchronous
async def test_a_connection_of_our_own_is_made_again_when_it_is_lost(tmp_path: Path) -> None:
    async with serving(tmp_path) as world:
        callee = Callee()
        target = f"tcp:127.0.0.1:{await callee.listen()}"
        await world.remotes.set([MANAGERS])
        await world.manager(target)
        first = await callee.peers.get()
        assert (await first.ask("lock", "mine"))["result"] == {"locked": True}
        assert (await first.ask("lock", "other"))["result"] == {"locked": True}
        await world.until(lambda: world.remotes.status()[target].locks.get("held"))
        status = world.remotes.status()[target]
        assert (status.connected, status.state, status.connections) == (True, "ACTIVE", 1)
        assert status.to_map()["locks_held"] == "mine other"
        assert status.to_map()["sec_since_connect"] == "0"
        assert "sec_since_disconnect" not in status.to_map()
        while not (await world.row())["is_connected"]:
            await asyncio.sleep(0.005)
        await first.close()
        await world.until(lambda: world.remotes.status()[target].state == "BACKOFF")
        second = await callee.peers.get()
        assert (await second.ask("lock", "mine"))["result"] == {"locked": True}
        world.server.reconnect("by request")
        assert await second.next() is None
        third = await callee.peers.get()
        for peer in (second, third):
            await peer.close()
        await callee.close()


@asynchronous
async def test_a_failed_connection_says_why_and_waits_longer_each_time(tmp_path: Path) -> None:
    async with serving(tmp_path) as world:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            target = f"tcp:127.0.0.1:{closed.getsockname()[1]}"
            await world.remotes.set([target, "unix:nobody"])
            await world.until(lambda: all(each.last_error for each in world.remotes.status().values()))
            told = {name: each.to_map() for name, each in world.remotes.status().items()}
        assert told[target] == {"state": "BACKOFF", "last_error": "Connection refused"}
        assert told["unix:nobody"]["last_error"] == "No such file or directory"


@asynchronous
async def test_a_silent_peer_is_probed_and_then_dropped(tmp_path: Path) -> None:
    async with serving(tmp_path) as world:
        await world.remotes.set([MANAGERS])
        await world.manager("ptcp:0:127.0.0.1", inactivity_probe=1)  # as OVS, a second at least
        await world.until(world.remotes.status)
        alive, dead = await connect(world.port()), await connect(world.port())
        for _ in range(2):
            probe = await alive.next()
            assert probe == {"id": "echo", "method": "echo", "params": []}
            alive.writer.write(encode({"id": "echo", "result": [], "error": None}))
        assert (await dead.next())["method"] == "echo"
        assert await dead.next() is None
        assert (await alive.ask("echo", "still here", id_=5))["result"] == ["still here"]
        row = await world.row()
        await world.local.transact(
            "Managed", update("Manager", [["_uuid", "==", row["_uuid"]]], inactivity_probe=0)
        )
        await alive.close()
        await dead.close()
