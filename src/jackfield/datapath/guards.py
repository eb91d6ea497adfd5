"""Protections of ports in the data plane: what is asked for, and what came of it.

Any thread may use a GuardTable.
"""

from __future__ import annotations

from jackfield.datapath import _abi
from jackfield.datapath.maps import Table


class GuardTable:
    """Protections by port id. Raises KernelError when the kernel refuses."""

    def __init__(self, records: Table[int, _abi.Guard], states: Table[int, _abi.GuardState]) -> None:
        self._records = records
        self._states = states

    def get(self, port: int) -> _abi.Guard | None:
        """The protections of a port, or None if it has none."""
        return self._records.get(port)

    def items(self) -> list[tuple[int, _abi.Guard]]:
        """All that is there."""
        return self._records.items()

    def set(self, port: int, guard: _abi.Guard) -> None:
        """Protect a port, or change how."""
        self._records.set(port, guard)

    def delete(self, port: int) -> None:
        """Protect a port no longer, and forget what came of it. No error when it was not protected."""
        self._records.delete(port)
        self._states.delete(port)

    def states(self) -> dict[int, _abi.GuardState]:
        """What came of it, by port id; ports without protections are among them if they offended against
        those of others."""
        return dict(self._states.items())
