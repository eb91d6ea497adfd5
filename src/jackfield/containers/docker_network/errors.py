"""What the driver tells Docker when it cannot do something."""

from __future__ import annotations


class Refusal(Exception):
    """A sentence that Docker shows to its user."""


class Malformed(Exception):
    """A request that is not one of the protocol; it is answered by an HTTP error."""
