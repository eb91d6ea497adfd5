"""Targets of the database: the stream of messages, transactions, the file on disk, schemas."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from fuzz.choices import Choices, decoded
from fuzz.integrity import check
from fuzz.operations import operations
from fuzz.sessions import MEMORY
from jackfield.ovsdb.database import Change, Database
from jackfield.ovsdb.errors import OvsdbError
from jackfield.ovsdb.log import LogError, pack
from jackfield.ovsdb.monitor import parse_monitor
from jackfield.ovsdb.operations import Execution, Parked
from jackfield.ovsdb.schema import parse_schema
from jackfield.ovsdb.storage import apply_record, open_storage, to_record
from jackfield.wire.replica import Replica
from jackfield.wire.stream import JsonStream, StreamError, encode
from tests.ovsdb.world import SCHEMA_JSON, content, schema


def _stream_all(pieces: list[bytes]) -> tuple[list[Any], bool]:
    stream, messages = JsonStream(1 << 12, 20), []
    try:
        for piece in pieces:
            messages += stream.feed(piece)
    except StreamError as error:
        return messages + error.messages, True
    return messages, False


def stream(data: bytes) -> None:
    """JSON-RPC's splitter finds the same messages and the same fault however the bytes arrive."""
    choices = Choices(data)
    step = 1 + choices.byte()
    body = choices.rest()
    whole = _stream_all([body])
    assert _stream_all([body[at : at + step] for at in range(0, len(body), step)]) == whole
    for message in whole[0]:
        assert isinstance(message, dict)
        assert decoded(encode(message)) == message


def transactions(data: bytes) -> None:
    """A transaction happens whole or not at all, keeps the schema's promises, and its record repeats it."""
    database, copy = Database(schema()), Database(schema())
    replicas = {version: Replica(SCHEMA_JSON) for version in (1, 2)}
    monitors = {v: parse_monitor(database, v, replica.requests()) for v, replica in replicas.items()}
    choices = Choices(data)
    while choices.left:
        before = content(database)
        request = operations(choices)
        record: list[Any] = []

        def write(changes: list[Change], comment: str | None, record: list[Any] = record) -> None:
            record.append(to_record(changes, comment, 0))

        try:
            results, changes = Execution(database, lambda lock: lock == "mine").run(request, write)
        except Parked:
            assert content(database) == before
            continue
        encode(results)
        failed = [index for index, result in enumerate(results) if result and "error" in result]
        assert len(failed) <= 1
        if failed:
            assert content(database) == before
            assert not changes
        assert len(results) == len(request) + (failed == [len(request)])
        check(database)
        for version, replica in replicas.items():
            replica.feed(decoded(encode(monitors[version].updates(changes))))
        for written in filter(None, record):
            apply_record(copy, decoded(encode(written)))
        assert _lasting(copy) == _lasting(database)
        fresh = Replica(SCHEMA_JSON)
        fresh.feed(decoded(encode(parse_monitor(database, 2, fresh.requests()).initial())))
        assert replicas[1].tables == replicas[2].tables == fresh.tables


def _lasting(database: Database) -> dict[str, dict[str, dict[str, Any]]]:
    return {
        name: {uuid: {c: v for c, v in row.items() if c != "passing"} for uuid, row in rows.items()}
        for name, rows in content(database).items()
    }


def log(data: bytes) -> None:
    """A database file is refused in words, or loaded, and what was loaded is what is loaded again."""
    with tempfile.TemporaryDirectory(prefix="jft-fuzz-", dir=MEMORY) as directory:
        _log_file(Path(directory) / "log", data)


def _log_file(path: Path, data: bytes) -> None:
    choices = Choices(data)
    if choices.below(2):
        # Checksums that are right let the fuzzer reach what is behind them.
        lines = choices.rest().split(b"\n")
        records = [pack(SCHEMA_JSON), *(pack(record) for record in map(decoded, lines) if record is not None)]
        path.write_bytes(b"".join(records))
    else:
        path.write_bytes(pack(SCHEMA_JSON) + choices.rest() if choices.below(2) else choices.rest())
    try:
        first = open_storage(path, schema())
    except LogError as error:
        assert str(error)
        return
    check(first.database)
    loaded = content(first.database)
    first.close()
    second = open_storage(path, schema())
    assert content(second.database) == loaded
    second.close()


def schemas(data: bytes) -> None:
    """A schema is refused in words, or read, and what it says of itself reads as the same schema."""
    json = decoded(data)
    try:
        found = parse_schema(json)
    except OvsdbError as error:
        encode(error.to_json())
        return
    again = parse_schema(decoded(encode(found.to_json())))
    assert again.to_json() == found.to_json()
