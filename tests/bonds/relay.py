"""A cable between a tap device and another one: what the one sends is received by the other's far end."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.netlab import Machine, Tap


@contextmanager
def relayed(machine: Machine, cable: Tap) -> Iterator[None]:
    """Carry frames both ways, for a while."""
    ended, end = os.pipe()

    def carry() -> None:
        while True:
            ready = select.select([machine, cable, ended], [], [])[0]
            if ended in ready:
                return
            if machine in ready:
                cable.send(machine.receive())
            if cable in ready:
                for frame in cable.drain():
                    machine.send(frame)

    thread = threading.Thread(target=carry)
    thread.start()
    try:
        yield
    finally:
        os.close(end)
        thread.join()
        os.close(ended)
