"""Many connections, floods and peers that are slow: nobody is kept out or starved."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from jackfield.ovsdb.connection import Connection
from jackfield.ovsdb.server import Limits
from jackfield.wire.stream import JsonStream, encode
from tests.ovsdb.test_remotes import MANAGERS, Callee, World, serving
from tests.ovsdb.test_sessions import Peer, asynchronous
from tests.ovsdb.world import insert, select, update


@asynchronous
async def test_a_thousand_idle_connections_keep_nobody_out(tmp_path: Path) -> None:
    async with serving(tmp_path, Limits(sessions=50)) as world:
        await world.remotes.set(["punix:s"])
        useful = Peer(*await asyncio.open_unix_connection(tmp_path / "s"))
        assert (await useful.ask("monitor", "Managed", 1, {"Root": {}}))["error"] is None
        idle: list[socket.socket] = []
        for _ in range(300):
            each = socket.socket(socket.AF_UNIX)
            each.setblocking(False)
            await asyncio.get_running_loop().sock_connect(each, str(tmp_path / "s"))
            with contextlib.suppress(OSError):  # it may have been sent away already
                each.send(b'{"method":"half a mess')
            idle.append(each)
        late = Peer(*await asyncio.open_unix_connection(tmp_path / "s"))
        assert (await late.ask("transact", "Managed", insert("Root")))["error"] is None
        assert (await useful.next())["method"] == "update"
        assert len(world.server.sessions) <= 50
        for each in idle:
            each.close()
        await useful.close()
        await late.close()


@asynchronous
async def test_a_flood_of_one_client_does_not_starve_another(tmp_path: Path) -> None:
    async with serving(tmp_path) as world:
        await world.remotes.set(["punix:s"])
        flood = Peer(*await asyncio.open_unix_connection(tmp_path / "s"))
        quiet = Peer(*await asyncio.open_unix_connection(tmp_path / "s"))
        for number in range(2000):
            flood.send("transact", "Managed", insert("Root", number=number), id_=number)
        first = await flood.next()
        assert first["id"] == 0
        await quiet.ask("transact", "Managed", insert("Root", number=-1))
        (result,) = (await quiet.ask("transact", "Managed", select("Root", columns=["number"])))["result"]
        assert len(result["rows"]) < 1000
        for number in range(1, 2000):
            assert (await flood.next())["id"] == number
        await flood.close()
        await quiet.close()


def test_a_stream_of_messages_is_worked_off_also_when_its_sender_has_left(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as world:
            await world.remotes.set(["punix:s"])
            sender = socket.socket(socket.AF_UNIX)
            sender.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sender, str(tmp_path / "s"))
            requests = [
                {"method": "transact", "params": ["Managed", insert("Root")], "id": n} for n in range(100)
            ]
            await loop.sock_sendall(sender, b"".join(map(encode, requests)))
            sender.shutdown(socket.SHUT_WR)
            stream, replies = JsonStream(), []
            while data := await loop.sock_recv(sender, 1 << 16):
                replies += stream.feed(data)
            assert [reply["id"] for reply in replies] == list(range(100))
            assert len(world.server.databases["Managed"].tables["Root"].rows) == 100
            sender.close()

    asyncio.run(run())


@asynchronous
async def test_who_still_reads_is_not_taken_for_dead(tmp_path: Path) -> None:
    async with serving(tmp_path) as world:
        await world.remotes.set([MANAGERS])
        await world.manager("ptcp:0:127.0.0.1", inactivity_probe=1000)
        await world.until(world.remotes.status)
        loop = asyncio.get_running_loop()
        with socket.socket() as slow, socket.socket() as stuck:
            for each in (slow, stuck):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
                each.setblocking(False)
                await loop.sock_connect(each, ("127.0.0.1", world.port()))
                await loop.sock_sendall(
                    each, encode({"method": "echo", "params": ["x" * (12 << 20)], "id": 1})
                )
            await world.until(lambda: world.server.memory()["sessions"] == 2)
            got = 0
            while world.server.memory()["sessions"] == 2:
                got += len(await loop.sock_recv(slow, 1 << 14))
                await asyncio.sleep(0.01)
            assert got < 12 << 20
            while got < 12 << 20:
                got += len(await loop.sock_recv(slow, 1 << 20))


@asynchronous
async def test_nothing_is_accepted_for_a_while_when_there_are_no_descriptors(tmp_path: Path) -> None:
    async with serving(tmp_path) as world:
        await world.remotes.set(["punix:s"])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("jackfield.ovsdb.listener.PAUSE_SECONDS", 0.01)
            refusals = iter([OSError(errno.EMFILE, os.strerror(errno.EMFILE))])
            real = socket.socket.accept

            def accept(sock: socket.socket) -> Any:
                for error in refusals:
                    raise error
                return real(sock)

            patch.setattr(socket.socket, "accept", accept)
            peer = Peer(*await asyncio.open_unix_connection(tmp_path / "s"))
            assert (await peer.ask("echo"))["result"] == []
            await peer.close()


def dscp(world: World) -> int:
    """How the packets of the only connection are marked."""
    (connection,) = (peer for peer in world.server.sessions.values() if isinstance(peer, Connection))
    assert connection._transport is not None
    sock = connection._transport.get_extra_info("socket")
    return int(sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS)) >> 2


@asynchronous
async def test_packets_are_marked_as_the_database_says(tmp_path: Path) -> None:
    async with serving(tmp_path) as world:
        await world.remotes.set([MANAGERS])
        callee = Callee()
        target = f"tcp:127.0.0.1:{await callee.listen()}"
        row = await world.manager(target, other_config=["map", [["dscp", "10"]]])
        first = await callee.peers.get()
        await world.until(lambda: world.remotes.status()[target].connected)
        assert dscp(world) == 10
        await world.local.transact(
            "Managed", update("Manager", [["_uuid", "==", ["uuid", row]]], other_config=["map", []])
        )
        assert await first.next() is None  # what is in use cannot be changed
        second = await callee.peers.get()
        await world.until(lambda: world.remotes.status()[target].connected)
        assert dscp(world) == 48
        for peer in (first, second):
            await peer.close()
        await callee.close()
