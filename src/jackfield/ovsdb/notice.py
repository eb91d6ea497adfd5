"""Notifications that many sessions get alike: made and encoded once."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from jackfield.wire.stream import encode

Message = dict[str, Any]


class News:
    """What monitors that show the same have to tell of one transaction: updates, empty if nothing."""

    def __init__(self, updates: dict[str, dict[str, Any]]) -> None:
        self.updates = updates
        self.notices: dict[str, Notice] = {}
        """Those that have been made, by the text of the id that the monitor has with the peer."""

    @cached_property
    def data(self) -> msgspec.Raw:
        """The updates, encoded."""
        return msgspec.Raw(encode(self.updates))


class Notice:
    """A notification: `about` is what comes before the news in its parameters."""

    def __init__(self, method: str, about: list[Any], news: News) -> None:
        self._method = method
        self._about = about
        self._news = news

    def _with(self, updates: Any) -> Message:
        return {"id": None, "method": self._method, "params": [*self._about, updates]}

    @property
    def message(self) -> Message:
        """The notification, not to be changed."""
        return self._with(self._news.updates)

    @cached_property
    def data(self) -> bytes:
        """The bytes of the notification."""
        return encode(self._with(self._news.data))


Shared = dict[bytes, News]
"""What there is to tell of one transaction, by the key of the monitors."""
