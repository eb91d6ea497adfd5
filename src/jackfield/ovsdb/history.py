"""The last transactions of a database by their ids, for clients that come back (`monitor_cond_since`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from jackfield.ovsdb.atoms import new_uuid
from jackfield.ovsdb.database import Change, Fields, Table

MAX_TRANSACTIONS = 1000
MAX_CHANGES = 20_000
"""How much is remembered: so many transactions, of so many changed rows together."""


class History:
    """What has been committed, newest last, as far back as is remembered."""

    def __init__(self, transactions: int = MAX_TRANSACTIONS, changes: int = MAX_CHANGES) -> None:
        self.last = new_uuid()
        """The id of the last transaction, or one that stands for the state at the start."""
        self._max_transactions = transactions
        self._max_changes = changes
        self._oldest = self.last
        self._entries: deque[tuple[str, list[Change]]] = deque()
        self._size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, changes: list[Change]) -> str:
        """Note a transaction and return its id."""
        self.last = new_uuid()
        self._entries.append((self.last, changes))
        self._size += len(changes)
        while len(self._entries) > self._max_transactions or self._size > self._max_changes:
            self._oldest, forgotten = self._entries.popleft()
            self._size -= len(forgotten)
        return self.last

    def since(self, id_: str) -> list[Change] | None:
        """What has changed since that transaction, a change a row; None if it is not remembered."""
        if id_ == self._oldest:
            return merge(change for _, changes in self._entries for change in changes)
        later: list[list[Change]] = []
        for found, changes in reversed(self._entries):
            if found == id_:
                return merge(change for part in reversed(later) for change in part)
            later.append(changes)
        return None


def merge(changes: Iterable[Change]) -> list[Change]:
    """Changes one after the other as one change a row; rows that came and went are left out."""
    rows: dict[tuple[Table, str], tuple[Fields | None, Fields | None]] = {}
    for table, uuid, old, new in changes:
        first, _ = rows.get((table, uuid), (old, None))
        rows[table, uuid] = first, new
    return [
        Change(table, uuid, old, new)
        for (table, uuid), (old, new) in rows.items()
        if old is not None or new is not None
    ]
