"""A database and its file: transactions as records, loading, conversion to a newer schema, compaction."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from jackfield.ovsdb.atoms import is_uuid
from jackfield.ovsdb.database import Change, Database, Table
from jackfield.ovsdb.errors import OvsdbError, syntax_error
from jackfield.ovsdb.log import LogError, LogFile, sync_directory, sync_file
from jackfield.ovsdb.schema import DatabaseSchema, parse_schema
from jackfield.ovsdb.transaction import Transaction, blank_row
from jackfield.ovsdb.worker import Worker

_log = logging.getLogger("ovsdb.storage")

COMPACT_BYTES = 1 << 20
"""Below this size a file is never compacted."""
COMPACT_FACTOR = 4
"""A file is compacted when it has grown to this many times its size after the last compaction."""


def to_record(changes: Iterable[Change], comment: str | None, date_ms: int) -> dict[str, Any] | None:
    """The record of a transaction, or None if nothing that lasts has changed.

    Columns of changed rows are written as differences, as the member `_is_diff` says.
    """
    tables: dict[str, Any] = {}
    for table, uuid, old, new in changes:
        row: dict[str, Any] | None = None
        if new is not None:
            row = {}
            before = table.schema.defaults if old is None else old
            for column in table.schema.lasting:
                datum, was = new[column.index], before[column.index]
                if datum is was or datum == was:
                    continue
                kind = column.type
                row[column.name] = kind.to_json(datum if old is None else kind.difference(was, datum))
            if old is not None and not row:
                continue
        tables.setdefault(table.schema.name, {})[uuid] = row
    if not tables:
        return None
    if comment is not None:
        tables["_comment"] = comment
    return tables | {"_is_diff": True, "_date": date_ms}


def apply_record(database: Database, record: Any, *, converting: bool = False) -> None:
    """Commit the transaction that a record holds; raises OvsdbError.

    When `converting`, tables and columns that the schema does not have are passed over.
    """
    if not isinstance(record, dict):
        raise syntax_error(record, "object expected")
    transaction = Transaction(database)
    is_diff = record.get("_is_diff") is True
    try:
        for name, rows in record.items():
            table = database.tables.get(name)
            if table is not None:
                if not isinstance(rows, dict):
                    raise syntax_error(rows, "object expected")
                for uuid, row in rows.items():
                    _apply_row(transaction, table, uuid, row, is_diff, converting)
            elif not converting and name not in ("_date", "_comment", "_is_diff"):
                raise syntax_error(record, f"No table named {name}.", "unknown table")
    except BaseException:
        transaction.abort()
        raise
    transaction.commit()


def undo(database: Database, changes: Iterable[Change]) -> None:
    """Make rows as they were before these changes, the last ones that were committed."""
    transaction = Transaction(database)
    for table, uuid, old, _new in changes:
        if old is None:
            transaction.delete(table, uuid)
        else:
            transaction.put(table, uuid, old)
    transaction.commit()
    for table, uuid, old, _new in changes:
        if old is not None:
            table.rows[uuid] = old  # with its old `_version`


def _apply_row(
    transaction: Transaction, table: Table, uuid: str, row: Any, is_diff: bool, converting: bool
) -> None:
    if not is_uuid(uuid):
        raise syntax_error(uuid, f'"{uuid}" is not a valid UUID')
    uuid = uuid.lower()
    old = table.rows.get(uuid)
    if row is None:
        if old is None:
            raise syntax_error(uuid, f"No row {uuid} to delete in table {table.schema.name}.")
        transaction.delete(table, uuid)
        return
    if not isinstance(row, dict):
        raise syntax_error(row, "row must be JSON object")
    fields = list(old or blank_row(table.schema, {}))
    for name, json in row.items():
        column = table.schema.columns.get(name)
        if column is None:
            if converting:
                continue
            raise syntax_error(row, f"No column {name} in table {table.schema.name}.", "unknown column")
        if old is not None and is_diff:
            difference = column.type.relaxed().parse(json)
            fields[column.index] = column.type.apply_difference(old[column.index], difference)
        else:
            fields[column.index] = column.type.parse(json)
    transaction.put(table, uuid, tuple(fields))


class Storage:
    """The file behind a database. `open_storage` makes one.

    Commits go to disk in groups, so that one wait for the disk serves many of them:

    1. run transactions with `stage` as their writer, as many as there are;
    2. `await flush()`, which leaves the event loop to others; while `busy`, run nothing on the database, also
       nothing that reads it, as what it shows may still be undone;
    3. when `flush` returns, all of them are on disk: tell monitors, send the replies. When it raises, all of
       them are undone in memory and in the file, and each gets that error.
    """

    def __init__(self, database: Database, file: LogFile) -> None:
        self.database = database
        self.busy = False
        self._file = file
        self._limit = 0
        self._set_limit()
        self._staged: list[list[Change]] = []
        self._worker = Worker(f"disk {file.path.name}")

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    @property
    def fault(self) -> str | None:
        """Why changes cannot be kept at present; None if they can, as far as is known."""
        return self._file.fault

    def stage(self, changes: list[Change], comment: str | None) -> None:
        """Take a transaction that `flush` is to make last.

        Raises OvsdbError if there is no room for it; earlier ones are not touched by that.
        """
        assert not self.busy
        record = to_record(changes, comment, int(time.time() * 1000))
        if record is not None:
            self._file.write(record)
        self._staged.append(changes)

    async def flush(self) -> None:
        """Wait until all that is staged is on disk. Raises OvsdbError, and it is all undone then."""
        assert not self.busy
        if self._file.size != self._file.durable:
            try:
                await self._in_thread(self._file.sync)
            except OSError as error:
                raise self._undo(error) from error
            except asyncio.CancelledError:
                self._settle()
                raise
        self._settle()

    async def _in_thread(self, work: Callable[[], None]) -> None:
        """Do what may take long, to its end also if this is cancelled meanwhile; raises what it raises."""
        self.busy = True
        try:
            await self._worker.do(work)
        finally:
            self.busy = False

    def _settle(self) -> None:
        self._file.settle()
        self._staged.clear()

    def write(self, changes: list[Change], comment: str | None) -> None:
        """Put one transaction on disk at once, without an event loop. Raises OvsdbError."""
        assert not self._staged
        self.stage(changes, comment)
        self._staged.clear()  # a caller who commits with this as writer undoes the changes itself
        try:
            self._file.sync()
        except OSError as error:
            raise self._file.take_back(error) from error
        self._file.settle()

    def _undo(self, error: OSError) -> OvsdbError:
        failure = self._file.take_back(error)
        for changes in reversed(self._staged):
            undo(self.database, changes)
        self._staged.clear()
        return failure

    @property
    def grown(self) -> bool:
        """Whether the file has become so large that it is worth compacting."""
        return self._file.size >= self._limit

    async def compact(self, comment: str | None = None) -> None:
        """Rewrite the file with the schema and one transaction, `busy` meanwhile.

        To be called when nothing is staged. Raises LogError, and the old file stays.
        """
        assert not self.busy and not self._staged
        await self._in_thread(lambda: self._rewrite(self.database, comment))

    async def compact_if_grown(self) -> None:
        """Compact if that is worth it; a failure is logged, and tried again when the file has grown more."""
        if self.grown:
            try:
                await self.compact("compacting database online")
            except LogError as error:
                _log.warning("%s", error)

    def compact_now_if_grown(self) -> None:
        """Compact without an event loop if that is worth it; a failure is logged."""
        if self.grown:
            try:
                self.replace_database(self.database, "compacting database online")
            except LogError as error:
                _log.warning("%s", error)

    def replace_database(self, database: Database, comment: str | None = None) -> None:
        """Have this file hold another database. Raises LogError, and it goes on with the old one."""
        assert not self.busy and not self._staged
        self._rewrite(database, comment)
        self.database = database

    def _rewrite(self, database: Database, comment: str | None) -> None:
        records: list[Any] = [database.schema.to_json()]
        rows = to_record(database.everything(), comment, int(time.time() * 1000))
        if rows is not None:
            records.append(rows)
        try:
            self._file.replace(records)
        except LogError:
            self._limit = self._file.size + COMPACT_BYTES
            raise
        self._set_limit()

    def _set_limit(self) -> None:
        self._limit = max(COMPACT_BYTES, COMPACT_FACTOR * self._file.size)

    def close(self) -> None:
        """Close the file."""
        self._worker.close()
        self._file.close()


def open_storage(path: Path, schema: DatabaseSchema | None = None) -> Storage:
    """Load the database file at `path`.

    With a `schema`, the file is made if there is none, and converted if it has another version of the schema;
    the file as it was is kept beside it then, its version in its name. Without one, the file's own schema
    holds. Raises LogError with what is wrong.
    """
    file = LogFile(path, create=schema is not None)
    try:
        return _load(file, schema)
    except OvsdbError as error:
        file.close()
        raise LogError(f"{file.path}: cannot load the database: {error}") from error
    except BaseException:
        file.close()
        raise


def _load(file: LogFile, schema: DatabaseSchema | None) -> Storage:
    if not file.records:
        if schema is None:
            raise LogError(f"{file.path}: the database file holds no schema")
        storage = Storage(Database(schema), file)
        storage.replace_database(storage.database)
        return storage
    found = parse_schema(file.records[0])
    schema = schema or found
    if found.name != schema.name:
        raise LogError(f"{file.path}: holds database {found.name}, not {schema.name}")
    converting = found.to_json()["tables"] != schema.to_json()["tables"]
    database = Database(schema)
    try:
        for record in file.records[1:]:
            apply_record(database, record, converting=converting)
    except OvsdbError as error:
        if converting:
            versions = f"from schema version {_version(found)} to {_version(schema)}"
            raise LogError(f"{file.path}: cannot be converted {versions}: {error}") from error
        raise
    file.records.clear()
    storage = Storage(database, file)
    if converting:
        _keep_old(file.path, found)
        storage.replace_database(database, "converted by schema version")
        _log.info("%s: converted from schema %s to %s", file.path, _version(found), _version(schema))
    else:
        storage.compact_now_if_grown()
    return storage


def _version(schema: DatabaseSchema) -> str:
    return schema.version or "(none)"


def _keep_old(path: Path, schema: DatabaseSchema) -> None:
    """Copy a file that is about to be converted, for good. Raises LogError."""
    backup = path.with_name(f"{path.name}.backup{schema.version or '-old'}")
    try:
        shutil.copy2(path, backup)
        sync_file(backup)
        sync_directory(path.parent)
    except OSError as error:
        raise LogError(f"{path}: cannot keep a copy as {backup}: {error.strerror}") from error
    _log.info("%s: the file as it was is kept as %s", path, backup)
