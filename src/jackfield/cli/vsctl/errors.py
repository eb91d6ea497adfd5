"""The one way a command of `vsctl` fails."""

from __future__ import annotations


class ControlError(Exception):
    """A sentence for the user; the tool prints it behind its name and ends with exit code 1."""


class ExitWith(Exception):
    """The tool ends at once, saying nothing (`br-exists`)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
