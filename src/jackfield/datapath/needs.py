"""What Jackfield needs of a machine."""

from __future__ import annotations


def missing() -> list[str]:
    """One sentence for each thing that is missing: what it is and how to get it. Empty: all is there."""
