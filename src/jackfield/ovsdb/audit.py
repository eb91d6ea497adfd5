"""What a client has changed, in words for the log."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable

from jackfield.ovsdb.database import Change
from jackfield.wire.peer import one_line

_log = logging.getLogger("ovsdb.audit")


def note(who: str, database: str, changes: Iterable[Change], comments: Iterable[str]) -> None:
    """Log that `who` has made these changes, with what was said about them.

    Columns that are not kept on disk, such as statistics, are not worth a line.
    """
    if _log.isEnabledFor(logging.INFO) and (words := describe(changes)):
        said = "".join(f" ({one_line(comment)})" for comment in comments)
        _log.info("%s changed %s: %s%s", who, database, words, said)


def describe(changes: Iterable[Change]) -> str:
    """Rows that are new, changed or gone, counted by table: `Port: 1 new, 2 changed; …`; empty for none."""
    tables: dict[str, Counter[str]] = {}
    for change in changes:
        kind = _kind(change)
        if kind:
            tables.setdefault(change.table.schema.name, Counter())[kind] += 1
    return "; ".join(
        f"{table}: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        for table, kinds in tables.items()
    )


def _kind(change: Change) -> str:
    old, new = change.old, change.new
    if old is None:
        return "new"
    if new is None:
        return "gone"
    kept = (column for column in change.table.schema.own_columns if column.persistent)
    return "changed" if any(old[column.index] != new[column.index] for column in kept) else ""
