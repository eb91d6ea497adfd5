"""The JSON-RPC layer as a peer meets it: bytes into a connection of a whole server, bytes out of it."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from fuzz.choices import Choices
from fuzz.integrity import check
from fuzz.operations import operations
from jackfield.ovsdb.connection import Connection
from jackfield.ovsdb.errors import to_text
from jackfield.ovsdb.server import Limits, Server
from jackfield.ovsdb.storage import open_storage
from jackfield.wire.stream import JsonStream, encode
from tests.ovsdb.world import SCHEMA_JSON, schema

MEMORY = "/dev/shm"  # files here are gone soon and need not be durable
LIMITS = Limits(message_bytes=1 << 14, message_depth=20, backlog_bytes=1 << 16)
PEERS = 2

_METHODS = (
    "transact",
    "transact",
    "monitor",
    "monitor_cond",
    "monitor_cond_since",
    "monitor_cond_change",
    "monitor_cancel",
    "cancel",
    "lock",
    "steal",
    "unlock",
    "echo",
    "list_dbs",
    "get_schema",
    "get_server_id",
    "set_db_change_aware",
    "convert",
    "dance",
)
_ZERO = "00000000-0000-0000-0000-000000000000"


class Transport(asyncio.Transport):
    """Keeps what is written; what is read comes from the fuzzer."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes for the peer."""
        assert not self.closed
        self.written += data

    def get_write_buffer_size(self) -> int:
        """As if the peer read all at once."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing piles up here."""

    def is_closing(self) -> bool:
        """Whether the connection is over."""
        return self.closed

    def close(self) -> None:
        """End the connection."""
        self.closed = True

    abort = close

    def pause_reading(self) -> None:
        """The fuzzer is not held back."""

    def resume_reading(self) -> None:
        """The fuzzer is not held back."""


class _Faults(logging.Handler):
    """Notes what the server calls its own fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text, and the traceback if there is one."""
        self.texts.append(logging.Formatter().format(record))


def _request(choices: Choices) -> Any:
    """A message, mostly a well-formed request."""
    if choices.rarely():
        return choices.json()
    method = choices.pick(_METHODS)
    id_ = choices.pick((1, 2, 3, "a", None, ["x"], {"y": 1}, 1.5, True))
    params: list[Any] = []
    match method:
        case "transact":
            params = ["_Server" if choices.rarely() else "World", *operations(choices)]
        case "monitor" | "monitor_cond" | "monitor_cond_since":
            params = ["World", choices.pick((1, "m")), _wishes(choices)]
            if method == "monitor_cond_since":
                params.append(_ZERO)
        case "monitor_cond_change":
            params = [choices.pick((1, "m")), choices.pick((1, "m", 2)), _wishes(choices)]
        case "cancel" | "monitor_cancel":
            params = [choices.pick((1, 2, 3, "a", "m"))]
        case "lock" | "steal" | "unlock":
            params = [choices.pick(("mine", "yours", 5))]
        case "get_schema":
            params = [choices.pick(("World", "_Server", "Nope"))]
        case "set_db_change_aware":
            params = [choices.pick((True, False, 1))]
        case "convert":
            params = ["World", choices.pick((SCHEMA_JSON, {"name": "World"}, 5))]
        case "echo":
            params = [choices.json()]
    if choices.rarely():
        params = params[:-1] if choices.below(2) else [*params, choices.json()]
    return {"method": method, "params": params, "id": id_}


def _wishes(choices: Choices) -> Any:
    if choices.rarely():
        return choices.json()
    wish: dict[str, Any] = {}
    if choices.below(2):
        wish["columns"] = [choices.pick(("name", "number", "leaves", "_uuid", "nope"))]
    if choices.below(2):
        wish["where"] = [choices.pick((["number", ">", 0], ["name", "==", "a"], True, False, 5))]
    if choices.below(4) == 3:
        wish["select"] = {
            choices.pick(("initial", "insert", "modify", "delete")): choices.pick((True, False, 5))
        }
    return {choices.pick(("Root", "Leaf", "Needy", "Nope")): [wish] if choices.below(2) else wish}


async def _converse(server: Server, data: bytes) -> None:
    choices = Choices(data)
    transports = [Transport() for _ in range(PEERS)]
    connections = [Connection(server, name=f"peer {number}") for number in range(PEERS)]
    for connection, transport in zip(connections, transports, strict=True):
        connection.connection_made(transport)
    asked: list[Counter[str]] = [Counter() for _ in range(PEERS)]
    orderly = [True] * PEERS
    while choices.left:
        peer = choices.below(PEERS)
        if transports[peer].closed:
            break
        message = _request(choices)
        sent = encode(message)
        if choices.rarely():
            sent = sent[choices.byte() :]
            orderly[peer] = False
        elif isinstance(message, dict) and message.get("id") is not None:
            asked[peer][to_text(message["id"])] += 1
        for part in (sent[:7], sent[7:]):
            if not transports[peer].closed:
                connections[peer].data_received(part)
        if choices.below(2):
            await _rest(server)
    await _rest(server)
    for peer, transport in enumerate(transports):
        replies = Counter(
            to_text(message["id"])
            for message in JsonStream().feed(bytes(transport.written))
            if "method" not in message
        )
        if orderly[peer]:
            assert replies <= asked[peer], (replies, asked[peer])
    local = server.connect_local()
    assert await local.request("echo", "alive") == ["alive"]
    await local.transact("World", {"op": "comment", "comment": "alive"})
    check(server.databases["World"])


async def _rest(server: Server) -> None:
    """Let the server do what it has to."""
    await asyncio.sleep(0)
    while any(service.unsettled for service in server.services.values()):
        await asyncio.sleep(0)
    await asyncio.sleep(0)


async def _serve(directory: Path, data: bytes) -> None:
    server = Server([open_storage(directory / "db", schema())], LIMITS)
    try:
        await asyncio.wait_for(_converse(server, data), 10)
    finally:
        await server.close()


def sessions(data: bytes) -> None:
    """Whatever peers send, the server logs no fault, answers nothing twice and goes on serving others."""
    faults = _Faults()
    logger = logging.getLogger("ovsdb")
    logger.addHandler(faults)
    try:
        with tempfile.TemporaryDirectory(prefix="jft-fuzz-", dir=MEMORY) as directory:
            asyncio.run(_serve(Path(directory), data))
    finally:
        logger.removeHandler(faults)
    assert not faults.texts, "\n".join(faults.texts)
