"""What a port is told to do about loops."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """`disable`: of a loop's ports this one may be disabled. After `recover_seconds` it is enabled again to
    see whether the loop is still there; None: only by hand."""

    disable: bool = False
    recover_seconds: int | None = None


REPORT_ONLY = LoopSettings()
