"""What can go wrong in this room beside a refused system call."""

from __future__ import annotations

from jackfield.net.errors import NetworkError


class AbiMismatch(NetworkError):
    """The kernel holds maps of another build's layout under our own version's name."""


class Unsupported(NetworkError):
    """This machine lacks something that Jackfield needs: see `needs`."""
