"""What ends an experiment before its end."""

from __future__ import annotations

from jackfield.client.errors import Failure


class LabError(Failure):
    """A command or a part of the laboratory failed: the message says which, and what it said."""
