"""What a client tells its user when something cannot be done."""

from __future__ import annotations


class Failure(Exception):
    """A sentence for the user; the command ends with exit code 1."""


class Conflict(Failure):
    """Somebody else changed what a transaction relied on: read again, decide again."""
