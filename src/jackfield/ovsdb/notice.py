"""Notifications that many sessions get alike: made and encoded once."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from jackfield.wire.stream import encode

Message = dict[str, Any]


class Notice:
    """A notification."""

    def __init__(self, method: str, params: list[Any]) -> None:
        self.message: Message = {"id": None, "method": method, "params": params}

    @cached_property
    def data(self) -> bytes:
        """The bytes of the message."""
        return encode(self.message)


Shared = dict[tuple[bytes, str], Notice | None]
"""What there is to tell of one transaction, by what a monitor shows and the id it has with the peer."""
