"""What the programs tell the control plane, handed to whom it concerns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from jackfield.datapath._abi import Upcall, UpcallKind
from jackfield.net.monitor import LinkChange, Resync
from jackfield.reconcile.outcome import Outcome
from jackfield.switchd.status import Update

Handler = Callable[[Sequence[Upcall]], None]


class Ring(Protocol):
    """Where upcalls come from."""

    def fileno(self) -> int: ...
    def read(self) -> list[Upcall]: ...


class UpcallReader:
    """The one reader of the ring. It is a follower of the engine's only to end with it."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._handlers: dict[int, Handler] = {}
        self._closed = False
        asyncio.get_running_loop().add_reader(ring.fileno(), self._heard)

    def tell(self, handler: Handler, *kinds: UpcallKind) -> None:
        """Have `handler` hear of upcalls of these kinds, in the event loop."""
        self._handlers.update(dict.fromkeys(map(int, kinds), handler))

    def _heard(self) -> None:
        by_handler: dict[Handler, list[Upcall]] = {}
        for upcall in self._ring.read():
            handler = self._handlers.get(upcall.kind)
            if handler is not None:
                by_handler.setdefault(handler, []).append(upcall)
        for handler, upcalls in by_handler.items():
            handler(upcalls)

    def outcome(self, _outcome: Outcome) -> Iterable[Update]:
        """Nothing follows from it."""
        return ()

    def links(self, _changes: Sequence[LinkChange | Resync]) -> None:
        """Nothing follows from it."""

    def close(self) -> None:
        """Hear no more."""
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().remove_reader(self._ring.fileno())
