"""Errors as OVSDB reports them (RFC 7047 section 3.1 and ovsdb-server(7))."""

from __future__ import annotations

import json
from typing import Any


def to_text(value: Any) -> str:
    """JSON as error messages quote it: compact, members sorted."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


class OvsdbError(Exception):
    """An operation, a value or a schema is refused.

    `tag` is one of RFC 7047's error strings, `details` a sentence for people, `syntax` the JSON at fault.
    """

    def __init__(self, tag: str, details: str | None = None, syntax: str | None = None) -> None:
        super().__init__(f"{tag}: {details}" if details else tag)
        self.tag = tag
        self.details = details
        self.syntax = syntax

    def to_json(self) -> dict[str, str]:
        """The `<error>` object of a reply."""
        members = {"error": self.tag, "details": self.details, "syntax": self.syntax}
        return {name: text for name, text in members.items() if text is not None}


class Refused(Exception):
    """A request fails with a plain text as its error, as RFC 7047 has it for a few."""


def syntax_error(value: Any, details: str, tag: str = "syntax error") -> OvsdbError:
    """An error about a piece of JSON, which is quoted in it."""
    return OvsdbError(tag, details, to_text(value))


def violation(details: str) -> OvsdbError:
    """A value does not meet the constraints of its column or table."""
    return OvsdbError("constraint violation", details)
