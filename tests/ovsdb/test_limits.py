"""Sessions that misbehave: what the server bears, and how the others fare."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
from pathlib import Path

import pytest

from jackfield.ovsdb.server import Limits, Server
from jackfield.wire.stream import encode
from tests.ovsdb.test_sessions import Peer, asynchronous, collect, expected_wait, serving
from tests.ovsdb.world import (
    insert,
    update,
)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"[]",
        b'{"id":1}',
        b'{"method":1,"params":[],"id":1}',
        b'{"method":"echo","params":[]}',
        b"[" * 5000,
    ],
)
def test_garbage_ends_its_own_session_only(
    tmp_path: Path, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with serving(tmp_path) as server:
            good, bad = await Peer.connect(tmp_path), await Peer.connect(tmp_path)
            bad.writer.write(encode({"method": "echo", "params": [], "id": 7}) + garbage)
            assert (await bad.next())["id"] == 7
            assert await bad.next() is None
            assert (await good.ask("echo"))["result"] == []
            assert len(server.sessions) == 1
            await good.close()
            await bad.close()

    caplog.set_level(logging.INFO, "ovsdb")
    asyncio.run(run())
    assert [(record.levelname, "connection closed" in record.message) for record in caplog.records] == [
        ("INFO", True)
    ]


@asynchronous
async def test_who_does_not_read_is_dropped_and_delays_nobody(tmp_path: Path) -> None:
    limits = Limits(backlog_bytes=1 << 18)
    async with serving(tmp_path, limits) as server:
        lazy = socket.socket(socket.AF_UNIX)
        lazy.connect(str(tmp_path / "sock"))
        lazy.sendall(encode({"method": "monitor", "params": ["World", 1, {"Root": {}}], "id": 1}))
        local = server.connect_local()
        await local.transact("World", insert("Root"))
        for number in range(200):
            await local.transact("World", update("Root", [], name=str(number) * 4096))
            await asyncio.sleep(0)
            if len(server.sessions) == 1:
                break
        assert len(server.sessions) == 1
        lazy.close()


@asynchronous
async def test_sessions_over_the_limit_are_refused_while_all_are_of_use(tmp_path: Path) -> None:
    async with serving(tmp_path, Limits(sessions=1)) as server:
        first, second = await Peer.connect(tmp_path), await Peer.connect(tmp_path)
        assert await first.next() is None  # it has done nothing yet
        assert (await second.ask("lock", "l"))["result"] == {"locked": True}
        third = await Peer.connect(tmp_path)
        assert await third.next() is None
        await second.close()
        while server.sessions:
            await asyncio.sleep(0)
        fourth = await Peer.connect(tmp_path)
        assert (await fourth.ask("echo"))["result"] == []
        for peer in (first, third, fourth):
            await peer.close()


@asynchronous
async def test_a_stale_socket_is_replaced_and_a_live_one_respected(tmp_path: Path) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "sock"))
    stale.close()
    async with serving(tmp_path) as server:
        mode = (tmp_path / "sock").stat().st_mode
        assert stat.S_IMODE(mode) & 0o007 == 0
        with pytest.raises(OSError, match="another server"):
            await server.listen_unix(tmp_path / "sock")
    assert not (tmp_path / "sock").exists()
    (tmp_path / "sock").write_text("precious")
    server = Server([])
    with pytest.raises(FileExistsError):
        await server.listen_unix(tmp_path / "sock")


@asynchronous
async def test_a_long_path_serves_as_well(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 100)
    directory.mkdir()
    handle = os.open(directory, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(f"/proc/self/fd/{handle}/sock")
    os.close(handle)
    server = Server([])
    await server.listen_unix(directory / "sock")
    assert (directory / "sock").is_socket()
    await server.close()
    assert not (directory / "sock").exists()


@asynchronous
async def test_one_session_cannot_hoard(tmp_path: Path) -> None:
    async with serving(tmp_path, Limits(things=2)) as server:
        peer = await Peer.connect(tmp_path)
        for name in ("a", "b"):
            assert (await peer.ask("lock", name))["error"] is None
            assert (await peer.ask("monitor", "World", name, {"Root": {}}))["error"] is None
            peer.send("transact", "World", expected_wait("never"), id_=name)
        for method, *params in (
            ("lock", "c"),
            ("monitor", "World", "c", {"Root": {}}),
            ("transact", "World", expected_wait("never")),
        ):
            assert (await peer.ask(method, *params))["error"]["error"] == "resources exhausted"
        assert server.memory() == {
            "cells": 2 * 10,
            "monitors": 2,
            "sessions": 1,
            "triggers": 2,
            "txn-history": 0,
        }
        await peer.close()


@asynchronous
async def test_unfinished_messages_of_all_together_are_limited(tmp_path: Path) -> None:
    async with serving(tmp_path, Limits(unfinished_bytes=100_000)) as server:
        first, second = await Peer.connect(tmp_path), await Peer.connect(tmp_path)
        start = b'{"id":1,"method":"echo","params":["' + b"x" * 60_000
        first.writer.write(start)
        while server.unfinished_bytes < len(start):
            await asyncio.sleep(0)
        second.writer.write(start)
        assert await second.next() is None
        first.writer.write(b'"]}')
        assert (await first.next())["id"] == 1
        assert server.unfinished_bytes == 0
        for peer in (first, second):
            await peer.close()


@asynchronous
async def test_monitors_that_show_the_same_are_told_the_same(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        sessions = [server.connect_local() for _ in range(4)]
        heard = [collect(session) for session in sessions]
        everything, some = {"Root": [{"columns": ["name"]}]}, [["number", "==", 1]]
        for session in sessions:
            assert await session.request("monitor_cond", "World", "id", everything) == {}
        for session in sessions[:3]:
            await session.request("monitor_cond_change", "id", "id", {"Root": [{"where": some}]})
        await sessions[0].request("monitor_cond_change", "id", "other", {"Root": [{"where": some}]})
        await sessions[0].transact("World", insert("Root", name="a", number=2))
        assert [len(each) for each in heard] == [0, 0, 0, 1]
        await sessions[0].transact("World", update("Root", [], number=1))
        assert [each[-1][1][0] for each in heard[:3]] == ["other", "id", "id"]
        assert heard[1] == heard[2]
        assert len(heard[3]) == 1
