"""The commands on the server's control socket (ovsdb-server(1), "Runtime Management Commands")."""

from __future__ import annotations

import logging
import os
import resource
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from jackfield.ovsdb.log import LogError
from jackfield.ovsdb.remote_config import ConfigError
from jackfield.ovsdb.remotes import Remotes
from jackfield.ovsdb.server import Server
from jackfield.ovsdb.storage import open_storage
from jackfield.ovsdb.target import TargetError
from jackfield.unixctl.commands import CommandError, CommandTable

_log = logging.getLogger("jackfield.ovsdb_server")

_UNKNOWN = "Failed to find the database."


class DatabaseCommands:
    """Those that any process may have that serves databases."""

    def __init__(self, server: Server, remotes: Remotes) -> None:
        self._server = server
        self._remotes = remotes

    def register(self, commands: CommandTable) -> None:
        """Add the commands to the table."""
        prefix = "ovsdb-server/"
        commands.add(prefix + "list-dbs", "", 0, 0, lambda _args: _lines(self._server.services))
        commands.add(prefix + "compact", "[DB]", 0, 1, self._compact, changes=True)
        commands.add(prefix + "get-db-storage-status", "DB", 1, 1, self._status)
        commands.add(prefix + "add-remote", "REMOTE", 1, 1, self._add_remote, changes=True)
        commands.add(prefix + "remove-remote", "REMOTE", 1, 1, self._remove_remote, changes=True)
        commands.add(prefix + "list-remotes", "", 0, 0, lambda _args: _lines(self._remotes.names))
        commands.add(prefix + "reconnect", "", 0, 0, self._reconnect, changes=True)
        commands.add(prefix + "sync-status", "", 0, 0, lambda _args: "state: active\n")

    async def _compact(self, args: Sequence[str]) -> str:
        if args and args[0].startswith("_"):
            raise CommandError("cannot compact built-in databases")
        names = [name for name in self._server.storages if not args or name == args[0]]
        if not names:
            raise CommandError("no database by that name")
        problems = []
        for name in names:
            _log.info("compacting %s database by user request", name)
            try:
                await self._server.compact(name)
            except LogError as error:
                problems.append(f"{name}: {error}")
        if problems:
            raise CommandError("\n".join(problems))
        return ""

    def _status(self, args: Sequence[str]) -> str:
        if args[0] not in self._server.services:
            raise CommandError(_UNKNOWN)
        storage = self._server.storages.get(args[0])
        fault = None if storage is None else storage.fault
        return f"status: {fault or 'ok'}"

    async def _add_remote(self, args: Sequence[str]) -> str:
        try:
            self._remotes.check(args[0])
        except (TargetError, ConfigError) as error:
            raise CommandError(str(error)) from error
        await self._remotes.set([*self._remotes.names, args[0]])
        return ""

    async def _remove_remote(self, args: Sequence[str]) -> str:
        if args[0] not in self._remotes.names:
            raise CommandError("no such remote")
        await self._remotes.set(name for name in self._remotes.names if name != args[0])
        return ""

    def _reconnect(self, _args: Sequence[str]) -> str:
        self._server.reconnect("by user request")
        return ""


class ServerCommands:
    """Those of a server that is a process of its own; `leave` ends it."""

    def __init__(self, server: Server, leave: Callable[[], None]) -> None:
        self._server = server
        self._leave = leave

    def register(self, commands: CommandTable) -> None:
        """Add the commands to the table."""
        commands.add("exit", "", 0, 0, self._exit, changes=True)
        commands.add("memory/show", "", 0, 0, self._memory)
        commands.add("ovsdb-server/add-db", "DB", 1, 1, self._add_db, changes=True)
        commands.add("ovsdb-server/remove-db", "DB", 1, 1, self._remove_db, changes=True)

    def _exit(self, _args: Sequence[str]) -> str:
        self._leave()
        return ""

    def _memory(self, _args: Sequence[str]) -> str:
        sizes = self._server.memory() | {
            "peak-resident-kB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        }
        return " ".join(f"{name}:{size}" for name, size in sorted(sizes.items()))

    def _add_db(self, args: Sequence[str]) -> str:
        try:
            open_database(self._server, Path(args[0]).absolute())
        except LogError as error:
            raise CommandError(str(error)) from error
        return ""

    async def _remove_db(self, args: Sequence[str]) -> str:
        name = args[0]
        if name.startswith("_"):
            raise CommandError("Cannot remove reserved database.")
        try:
            await self._server.remove_database(name)
        except KeyError as error:
            raise CommandError(_UNKNOWN) from error
        return ""


def open_database(server: Server, path: Path) -> None:
    """Open a database file and serve it. Raises LogError."""
    real = Path(os.path.realpath(path))
    # The lock on a file keeps other processes away, not this one.
    if any(storage.path == real for storage in server.storages.values()):
        raise LogError(f"{path}: failed to lock lockfile (it is served already)")
    storage = open_storage(path)
    try:
        server.add_storage(storage)
    except ValueError as error:
        storage.close()
        raise LogError(f"{path}: {error}") from error


def _lines(names: Iterable[str]) -> str:
    return "".join(f"{name}\n" for name in sorted(names))
