"""The control socket's server: JSON-RPC 1.0 over a Unix stream socket, as ovs-appctl(8) speaks it.

A request's method is a command, its parameters are strings; the reply's result or error is the text to show.
Requests of one connection are answered in turn, connections do not wait for each other.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from jackfield.unixctl.commands import CommandError, CommandTable
from jackfield.wire.address import address_of
from jackfield.wire.peer import Peer, one_line, peer_of
from jackfield.wire.stream import JsonStream, StreamError, encode

_log = logging.getLogger("jackfield.unixctl")

MAX_CONNECTIONS = 128
MAX_REQUEST_BYTES = 1 << 20
MAX_REQUEST_DEPTH = 16
WRITE_SECONDS = 10.0
_CHUNK = 1 << 16


class UnixctlServer:
    """Serves a CommandTable on one socket.

    When all connections are taken, the one that has been silent longest gives way, so that clients that
    connect and say nothing lock nobody out.
    """

    def __init__(self, commands: CommandTable, on_request: Callable[[], None] = lambda: None) -> None:
        """`on_request` is called once for each request."""
        self._commands = commands
        self._on_request = on_request
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self._idle: dict[asyncio.Task[None], None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, path: Path) -> None:
        """Serve at `path`, replacing a socket that an earlier process left. Raises OSError."""
        with suppress(FileNotFoundError):
            path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            # Before bind, so that the socket is never open to others, not even for a moment.
            os.fchmod(listener.fileno(), 0o770)
            with address_of(path) as address:
                listener.bind(address)
            self._server = await asyncio.start_unix_server(self._accept, sock=listener, limit=_CHUNK)
        except OSError:
            listener.close()
            raise
        self._path = path

    async def close(self) -> None:
        """Stop serving, end all connections and remove the socket."""
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._path is not None:
            with suppress(FileNotFoundError):
                self._path.unlink()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._tasks) >= MAX_CONNECTIONS:
            oldest = next(iter(self._idle), None)
            if oldest is None:
                writer.close()
                return
            oldest.cancel()
            self._idle.pop(oldest)
        self._tasks.add(task)
        try:
            await self._converse(task, reader, writer)
        except (OSError, StreamError, TimeoutError) as error:
            _log.info("control connection closed: %s", error)
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
            self._idle.pop(task, None)
            writer.close()

    async def _converse(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        stream = JsonStream(MAX_REQUEST_BYTES, MAX_REQUEST_DEPTH)
        peer = peer_of(writer.get_extra_info("socket"))
        while True:
            self._idle[task] = None
            data = await reader.read(_CHUNK)
            self._idle.pop(task, None)
            if not data:
                return
            for message in stream.feed(data):
                writer.write(encode(await self._answer(message, peer)))
                async with asyncio.timeout(WRITE_SECONDS):
                    await writer.drain()
                await asyncio.sleep(
                    0
                )  # a request each: whoever sends many at once lets others have their turn

    async def _answer(self, message: Any, peer: Peer | None) -> dict[str, Any]:
        match message:
            case {"method": str(method), "params": list(params), "id": request_id} if request_id is not None:
                pass
            case _:
                raise StreamError("not a request", [])
        self._on_request()
        _log.debug("received request %s%s, id=%s", method, params, request_id)
        if self._commands.changes(method):
            _log.info("%s asks for %s", peer or "somebody", one_line(" ".join([method, *map(str, params)])))
        try:
            result, error = _line_ended(await self._commands.run(method, params)), None
        except CommandError as refusal:
            result, error = None, _line_ended(str(refusal))
        except Exception as fault:
            _log.exception("command %s failed", method)
            result, error = None, _line_ended(f"{method} failed: {fault}")
        return {"id": request_id, "result": result, "error": error}


def _line_ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
