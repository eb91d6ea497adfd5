"""Errors as a container runtime is told of them (CNI specification, section 5, "Error")."""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Code(IntEnum):
    """The specification's codes; from 100 on they are the plugin's own."""

    INCOMPATIBLE_VERSION = 1
    UNSUPPORTED_FIELD = 2
    UNKNOWN_CONTAINER = 3
    INVALID_ENVIRONMENT = 4
    INPUT_OUTPUT = 5
    DECODING = 6
    INVALID_CONFIGURATION = 7
    TRY_AGAIN = 11
    NOT_AVAILABLE = 50
    REFUSED = 100  # by the switch or the kernel
    NOT_AS_EXPECTED = 101  # CHECK found a difference


class CniError(Exception):
    """The command failed; `str()` is the sentence for the user. `code` may be one of a delegated plugin."""

    def __init__(self, code: int, message: str, details: str = "") -> None:
        self.code = int(code)
        self.message = message
        self.details = details
        super().__init__(message)

    def answer(self, version: str) -> dict[str, Any]:
        """The JSON object for the runtime."""
        answer: dict[str, Any] = {"cniVersion": version, "code": self.code, "msg": self.message}
        return answer | {"details": self.details} if self.details else answer
