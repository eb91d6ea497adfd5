"""All remotes of a server: opened, changed and closed as the command line and the databases say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jackfield.ovsdb.active import ActiveRemote
from jackfield.ovsdb.database import Change, Database
from jackfield.ovsdb.listener import Listener
from jackfield.ovsdb.local import RequestError
from jackfield.ovsdb.remote import Remote, Status
from jackfield.ovsdb.remote_config import (
    DB,
    ConfigError,
    Options,
    Place,
    find_place,
    find_remotes,
    find_text,
    referred_rows,
)
from jackfield.ovsdb.target import TargetError, parse_target
from jackfield.ovsdb.tls import Tls, TlsError, TlsFiles

if TYPE_CHECKING:
    from jackfield.ovsdb.server import Server

_log = logging.getLogger("ovsdb.remotes")

STATUS_SECONDS = 2.5
"""How often the rows of connections that we make are brought up to date, as they count seconds."""
RETRY_SECONDS = 1.0
MAX_RETRY_SECONDS = 8.0


class Remotes:
    """The remotes of a server.

    `names` are connection methods, or `db:DATABASE,TABLE,COLUMN` for those that a database holds, which are
    followed as it changes; the rows that describe them get their status. The paths of `tls` may be such names
    too. `rundir` is where socket files without an absolute path are.
    """

    def __init__(self, server: Server, tls: TlsFiles | None = None, rundir: Path = Path()) -> None:
        self.names: list[str] = []
        self.tls_files = tls or TlsFiles()
        self._server = server
        self._rundir = rundir
        self._tls = Tls()
        self._remotes: dict[str, Remote] = {}
        self._problems: dict[str, str] = {}
        self._watched: set[tuple[str, str]] = set()
        self._lock = asyncio.Lock()
        self._stale = asyncio.Event()
        self._restless = asyncio.Event()
        self._retry = RETRY_SECONDS
        self._local = server.connect_local()
        server.watchers.append(self._changed)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._follow()), loop.create_task(self._report())]

    # What its owner calls.

    async def set(self, names: Iterable[str]) -> dict[str, str]:
        """Use these remotes and no others; returns what is wrong with some, by name or target.

        What fails now is tried again later, unless it is no connection method at all.
        """
        self.names = list(dict.fromkeys(names))
        await self._reconcile()
        return dict(self._problems)

    def check(self, name: str) -> None:
        """Raises TargetError or ConfigError if `name` can be no remote."""
        if name.startswith(DB):
            find_remotes(name, self._server.databases)
        else:
            parse_target(name, self._rundir)

    async def set_tls(self, files: TlsFiles) -> None:
        """Use these files for TLS from the next connection on."""
        self.tls_files = files
        await self._reconcile()

    def status(self) -> dict[str, Status]:
        """How the remotes stand that are in use, by target."""
        return {target: remote.status() for target, remote in self._remotes.items()}

    async def close(self) -> None:
        """Give up all remotes."""
        if self._changed in self._server.watchers:
            self._server.watchers.remove(self._changed)
        async with self._lock:  # so that no remote is being opened or closed
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for remote in self._remotes.values():
                await remote.close()
            self._remotes.clear()
        self._local.close()

    # Following the databases.

    def _changed(self, database: Database, changes: list[Change]) -> None:
        if database.read_only or any((database.name, c.table.schema.name) in self._watched for c in changes):
            self._stale.set()

    async def _follow(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._retry if self._problems else None):
                    await self._stale.wait()
                self._retry = RETRY_SECONDS
            except TimeoutError:
                self._retry = min(2 * self._retry, MAX_RETRY_SECONDS)
            self._stale.clear()
            await self._reconcile()

    async def _reconcile(self) -> None:
        async with self._lock:
            problems: dict[str, str] = {}
            wanted = self._wanted(problems)
            self._configure_tls(problems)
            for text in [text for text in self._remotes if not self._stays(text, wanted.get(text))]:
                if text not in wanted:
                    _log.info("%s: remote deconfigured", text)
                await self._remotes.pop(text).close()
            for text, options in wanted.items():
                remote = self._remotes.get(text)
                if remote is not None:
                    remote.configure(options)
                    continue
                try:
                    self._remotes[text] = self._open(text, options)
                except (TargetError, TlsError) as error:
                    problems[text] = str(error)
                except OSError as error:
                    problems[text] = f"{text}: listen failed: {error.strerror or error}"
            for name, problem in problems.items():
                if self._problems.get(name) != problem:
                    _log.warning("%s", problem)
            self._problems = problems
            self._watched = set(self._sources())
        self._restless.set()

    def _stays(self, text: str, options: Options | None) -> bool:
        """Whether a remote is kept; what its packets are marked with cannot be changed in use."""
        return options is not None and options.dscp == self._remotes[text].options.dscp

    def _wanted(self, problems: dict[str, str]) -> dict[str, Options]:
        wanted: dict[str, Options] = {}
        for name in self.names:
            if not name.startswith(DB):
                wanted.setdefault(name, Options())
                continue
            try:
                wanted |= find_remotes(name, self._server.databases)
            except ConfigError as error:
                problems[name] = str(error)
        for text, options in list(wanted.items()):
            if options.role:
                del wanted[text]
                problems[text] = f'{text}: role "{options.role}": access control by roles is not supported'
        return wanted

    def _configure_tls(self, problems: dict[str, str]) -> None:
        files = self.tls_files
        try:
            names = (files.private_key, files.certificate, files.ca_cert)
            key, certificate, ca_cert = (find_text(name, self._server.databases) for name in names)
        except ConfigError as error:
            problems["TLS"] = str(error)
        else:
            self._tls.files = replace(files, private_key=key, certificate=certificate, ca_cert=ca_cert)

    def _open(self, text: str, options: Options) -> Remote:
        target = parse_target(text, self._rundir)
        kind: Callable[..., Remote] = Listener if target.passive else ActiveRemote
        return kind(self._server, target, options, self._tls, self._restless.set)

    def _sources(self) -> Iterable[tuple[str, str]]:
        """The tables that decide on remotes and TLS, by database and name."""
        files = self.tls_files
        for name in (*self.names, files.private_key, files.certificate, files.ca_cert):
            place = self._place(name)
            if place is not None:
                yield place.database.name, place.table.schema.name
                if place.refers_to is not None:
                    yield place.database.name, place.refers_to.schema.name

    def _place(self, name: str) -> Place | None:
        if not name.startswith(DB):
            return None
        try:
            return find_place(name, self._server.databases)
        except ConfigError:
            return None

    # Status rows.

    async def _report(self) -> None:
        """Write how the remotes stand to their rows whenever that changes, and while it counts seconds."""
        while True:
            counting = any(isinstance(remote, ActiveRemote) for remote in self._remotes.values())
            try:
                async with asyncio.timeout(STATUS_SECONDS if counting else None):
                    await self._restless.wait()
            except TimeoutError:
                pass
            self._restless.clear()
            for name, operations in self._status_updates().items():
                try:
                    results = await self._local.transact(name, *operations)
                except RequestError as error:
                    _log.info("%s: status of remotes not written: %s", name, error)
                    continue
                for result in results:
                    if isinstance(result, dict) and "error" in result:
                        _log.info("%s: status of remotes not written: %s", name, result)

    def _status_of(self, target: str) -> Status:
        if target in self._remotes:
            return self._remotes[target].status()
        problem = self._problems.get(target, "")
        return Status(state="BACKOFF", since_connect=None, since_disconnect=None, last_error=problem)

    def _status_updates(self) -> dict[str, list[Any]]:
        """The operations that bring the rows of remotes up to date, by database."""
        updates: dict[str, list[Any]] = {}
        for place in filter(None, map(self._place, self.names)):
            table = place.refers_to
            if table is None or not {"target", "is_connected", "status"} <= table.schema.columns.keys():
                continue
            columns = table.schema.columns
            for uuid, fields in referred_rows(place):
                status = self._status_of(str(fields[columns["target"].index][0]))
                row = {
                    "is_connected": status.connected,
                    "status": ["map", [list(pair) for pair in sorted(status.to_map().items())]],
                }
                if any(columns[c].type.parse(v) != fields[columns[c].index] for c, v in row.items()):
                    updates.setdefault(place.database.name, []).append(
                        {
                            "op": "update",
                            "table": table.schema.name,
                            "where": [["_uuid", "==", ["uuid", uuid]]],
                            "row": row,
                        }
                    )
        return updates
