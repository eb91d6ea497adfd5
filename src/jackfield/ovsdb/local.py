"""Sessions inside the server's own process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jackfield.ovsdb.notice import Message, Notice
from jackfield.ovsdb.session import Session

if TYPE_CHECKING:
    from jackfield.ovsdb.server import Server

_log = logging.getLogger("ovsdb.session")

Listener = Callable[[str, list[Any]], None]


class RequestError(Exception):
    """The server refused a request; `error` is the reply's `error` member."""

    def __init__(self, method: str, error: Any) -> None:
        details = error.get("details", error.get("error")) if isinstance(error, dict) else error
        super().__init__(f"{method}: {details}")
        self.error = error


class LocalSession:
    """A client of the server, who speaks the protocol that sockets carry, without the socket.

    Messages are passed as they are: what is sent or received must not be changed afterwards.
    """

    def __init__(self, server: Server) -> None:
        self.session = Session(server, "local", self._receive, expendable=False, end=self._ended)
        self._server = server
        self._last_id = 0
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._listener: Listener | None = None

    def listen(self, listener: Listener) -> None:
        """Call `listener(method, params)` for every notification, at once and in order.

        It is called from within the transaction's commit, so it must only take note.
        """
        self._listener = listener

    async def request(self, method: str, *params: Any) -> Any:
        """Send a request and return the reply's result. Raises RequestError."""
        self._last_id += 1
        id_ = self._last_id
        reply = self._replies[id_] = asyncio.get_running_loop().create_future()
        try:
            self.session.receive({"method": method, "params": list(params), "id": id_})
            result, error = await reply
        except asyncio.CancelledError:
            self.session.receive({"method": "cancel", "params": [id_], "id": None})
            raise
        finally:
            self._replies.pop(id_, None)
        if error is not None:
            raise RequestError(method, error)
        return result

    async def transact(self, database: str, *operations: Any) -> list[Any]:
        """Run a transaction; the results are as in its reply, errors among them. Raises RequestError."""
        result: list[Any] = await self.request("transact", database, *operations)
        return result

    def _receive(self, message: Message | Notice) -> None:
        if isinstance(message, Notice):
            message = message.message
        if message["id"] is None:
            if self._listener is not None:
                self._listener(message["method"], message["params"])
            return
        reply = self._replies.get(message["id"])
        if reply is not None and not reply.done():
            reply.set_result((message["result"], message["error"]))

    def _ended(self, _why: str | None) -> None:
        self.close()

    def drop(self, why: str) -> None:
        """End the session, as it has gone wrong."""
        _log.error("local session ended: %s", why)
        self.close()

    def disconnect(self, why: str) -> None:
        """Nothing to do: who is in this process learns of changes without connecting anew."""

    def close(self) -> None:
        """End the session; requests that still wait are cancelled."""
        self._server.end(self.session)
        for reply in self._replies.values():
            reply.cancel()
