"""The control socket: ovs-appctl's protocol, and clients that misbehave."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from jackfield.unixctl import server as unixctl
from jackfield.unixctl.commands import CommandError, CommandTable
from jackfield.unixctl.server import UnixctlServer


def table() -> CommandTable:
    def fail(_args: object) -> str:
        raise CommandError("no such bridge")

    def crash(_args: object) -> str:
        raise RuntimeError("boom")

    async def slow(_args: object) -> str:
        await asyncio.Event().wait()
        return ""

    commands = CommandTable("jackfield 1")
    commands.add("echo", "[word]...", 0, 2, lambda args: " ".join(args))
    commands.add("fail", "", 0, 0, fail)
    commands.add("crash", None, 0, 0, crash)
    commands.add("slow", None, 0, 0, slow)
    commands.add("one", "word", 1, 1, lambda args: args[0])
    return commands


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, method: str, *params: object) -> Any:
        self.writer.write(json.dumps({"id": 1, "method": method, "params": params}).encode())
        return await self.reply()

    async def reply(self) -> Any:
        data = b""
        while True:
            piece = await self.reader.read(1 << 16)
            if not piece:
                return None
            data += piece
            try:
                return json.loads(data)
            except ValueError:
                continue


def serve(
    path: Path,
    talk: Callable[[Callable[[], Awaitable[Client]]], Awaitable[None]],
    commands: CommandTable | None = None,
) -> None:
    async def session() -> None:
        server = UnixctlServer(commands or table())
        await server.listen(path)
        clients: list[Client] = []

        async def connect() -> Client:
            clients.append(Client(*await asyncio.open_unix_connection(path)))
            return clients[-1]

        try:
            await talk(connect)
        finally:
            for client in clients:
                client.writer.close()
            await server.close()
        assert not path.exists()

    asyncio.run(session())


@pytest.mark.parametrize(
    ("method", "params", "result", "error"),
    [
        ("version", [], "jackfield 1\n", None),
        ("echo", [], "", None),
        ("echo", ["a", "b"], "a b\n", None),
        ("echo", ["a\n"], "a\n", None),
        ("echo", ["a", "b", "c"], None, '"echo" command takes at most 2 arguments\n'),
        ("one", [], None, '"one" command requires at least 1 arguments\n'),
        ("one", [1], None, '"one" command has non-string argument\n'),
        ("fail", [], None, "no such bridge\n"),
        ("crash", [], None, "crash failed: boom\n"),
        (
            "nope",
            [],
            None,
            '"nope" is not a valid command (use "list-commands" to see a list of valid commands)\n',
        ),
    ],
)
def test_a_command_is_answered(
    tmp_path: Path, method: str, params: list[object], result: str | None, error: str | None
) -> None:
    async def talk(connect: Callable[[], Awaitable[Client]]) -> None:
        reply = await (await connect()).ask(method, *params)
        assert reply == {"id": 1, "result": result, "error": error}

    serve(tmp_path / "ctl", talk)


def test_the_commands_are_listed_in_order_without_hidden_ones() -> None:
    assert table().listing() == (
        "The available commands are:\n"
        "  echo                    [word]...\n"
        "  fail                    \n"
        "  list-commands           \n"
        "  one                     word\n"
        "  version                 \n"
    )


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.0\r\n\r\n", b"{" * 100, b'{"method":"echo"}', b"[1,2]", b"\xff"]
)
def test_garbage_ends_its_own_connection_only(tmp_path: Path, garbage: bytes) -> None:
    async def talk(connect: Callable[[], Awaitable[Client]]) -> None:
        good, bad = await connect(), await connect()
        bad.writer.write(garbage)
        assert await bad.reply() is None
        assert (await good.ask("echo", "x"))["result"] == "x\n"

    serve(tmp_path / "ctl", talk)


def test_an_endless_request_ends_its_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unixctl, "MAX_REQUEST_BYTES", 1000)

    async def talk(connect: Callable[[], Awaitable[Client]]) -> None:
        bad = await connect()
        bad.writer.write(b'{"method":"' + b"x" * 5000)
        assert await bad.reply() is None

    serve(tmp_path / "ctl", talk)


def test_a_slow_command_and_silent_clients_delay_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unixctl, "MAX_CONNECTIONS", 4)

    async def talk(connect: Callable[[], Awaitable[Client]]) -> None:
        slow = await connect()
        slow.writer.write(b'{"id":1,"method":"slow","params":[]}')
        silent = [await connect() for _ in range(10)]
        assert (await (await connect()).ask("echo", "x"))["result"] == "x\n"
        assert await silent[0].reply() is None
        assert not slow.reader.at_eof()

    serve(tmp_path / "ctl", talk)


def test_who_sends_many_commands_at_once_lets_others_have_their_turn(tmp_path: Path) -> None:
    served: list[str] = []
    commands = table()
    commands.add("note", None, 1, 1, lambda args: served.append(args[0]) or "")

    async def talk(connect: Callable[[], Awaitable[Client]]) -> None:
        greedy, modest = await connect(), await connect()
        request = json.dumps({"id": 1, "method": "note", "params": ["greedy"]}).encode()
        greedy.writer.write(request * 1000)
        await modest.ask("note", "modest")

    serve(tmp_path / "ctl", talk, commands)
    assert served.index("modest") < 500


def test_a_socket_left_behind_is_replaced_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "ctl"
    path.touch()

    async def talk(_connect: Callable[[], Awaitable[Client]]) -> None:
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert not mode & 0o007

    serve(path, talk)
