"""What may make an attachment's target stop, start or vanish, as one stream of tidings for one thread."""

from __future__ import annotations

import os
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from jackfield.client.errors import Failure
from jackfield.containers.dhcp import Lease
from jackfield.containers.engine import Engine
from jackfield.containers.lock import wait_until_free
from jackfield.containers.targets import Running, pidfd_of
from jackfield.net.monitor import MountMonitor

AGAIN_SECONDS = (0.25, 2.0)


@dataclass(frozen=True, slots=True)
class Tiding:
    """Something happened that may concern targets: those of `kind`, with `id` only that one. `said` is a
    sentence about an engine that cannot be followed."""

    kind: str = ""
    id: str = ""
    said: str = ""


class Watch:
    """Engines' events, the ends of processes, and mounts, by which namespaces get and lose their names.

    Belongs to one thread, but for the threads of its own that listen to engines.
    """

    def __init__(self) -> None:
        """Raises KernelError."""
        self._selector = selectors.DefaultSelector()
        self._mounts = MountMonitor()
        self._selector.register(self._mounts, selectors.EVENT_READ, self._mounted)
        self._heard: deque[Tiding] = deque()
        self._bell, self._ring = socket.socketpair()
        self._bell.setblocking(False)
        self._selector.register(self._bell, selectors.EVENT_READ, self._rung)
        self._engines: set[Engine] = set()
        self._processes: dict[str, tuple[int, int]] = {}
        self._renewed: deque[tuple[str, Lease]] = deque()
        self._claimed: set[str] = set()

    def also(self, fileno: int, action: Callable[[], None]) -> None:
        """Call `action` during `wait` when a descriptor is readable."""
        self._selector.register(fileno, selectors.EVENT_READ, action)

    def engine(self, engine: Engine) -> None:
        """Listen to an engine from now on."""
        if engine not in self._engines:
            self._engines.add(engine)
            threading.Thread(target=self._listen, args=(engine,), daemon=True, name=engine.path).start()

    def process(self, running: Running) -> bool:
        """Tell when the target's process ends; whether it is still there."""
        key = running.target.key
        if running.pid is None or self._processes.get(key, (0, 0))[0] == running.pid:
            return True
        self.forget(key)
        try:
            descriptor = pidfd_of(running)
        except ProcessLookupError:
            return False
        assert descriptor is not None
        self._processes[key] = (running.pid, descriptor)
        target = running.target
        self._selector.register(
            descriptor, selectors.EVENT_READ, lambda: self._ended(Tiding(target.kind, target.id), key)
        )
        return True

    def when_free(self, key: str) -> None:
        """Have `wait` return when no command works on the target with that key any more."""
        if key not in self._claimed:
            self._claimed.add(key)
            threading.Thread(target=self._await, args=(key,), daemon=True, name=key).start()

    def forget(self, key: str) -> None:
        """Follow the process of the target with that key no more."""
        _, descriptor = self._processes.pop(key, (0, -1))
        if descriptor >= 0:
            self._selector.unregister(descriptor)
            os.close(descriptor)

    def wait(self, seconds: float | None) -> list[Tiding]:
        """What has happened; waits until something has, at most so many seconds."""
        for key, _ in self._selector.select(seconds):
            key.data()
        heard = []
        while self._heard:
            heard.append(self._heard.popleft())
        return heard

    def renewed(self, port: str, lease: Lease) -> None:
        """Have `wait` return, and `leases` tell of a lease that was renewed. For other threads to call."""
        self._renewed.append((port, lease))
        self.wake()

    def wake(self) -> None:
        """Have `wait` return. For other threads to call."""
        self._ring.send(b"!")

    def leases(self) -> list[tuple[str, Lease]]:
        """The leases that were renewed since the last call, by port."""
        found = []
        while self._renewed:
            found.append(self._renewed.popleft())
        return found

    def _mounted(self) -> None:
        self._mounts.clear()
        self._heard.append(Tiding("netns"))

    def _rung(self) -> None:
        try:
            while self._bell.recv(4096):
                pass
        except BlockingIOError:
            return

    def _ended(self, tiding: Tiding, key: str) -> None:
        self.forget(key)
        self._heard.append(tiding)

    def _await(self, key: str) -> None:
        """Runs in a thread of its own."""
        with suppress(Failure):
            wait_until_free(key)
        self._claimed.discard(key)
        self.wake()

    def _listen(self, engine: Engine) -> None:
        """Runs in a thread of its own, for ever: an engine may be restarted."""
        shortest, longest = AGAIN_SECONDS
        pause = threading.Event()
        delay = shortest
        while True:
            said = f"{engine.label} has ended"
            try:
                for event, number in engine.events():
                    delay = shortest
                    self._tell(Tiding(engine.kind, "" if event == "connected" else number))
            except Failure as failure:
                said = str(failure)
            self._tell(Tiding("engine", engine.path, said))
            pause.wait(delay)
            delay = min(2 * delay, longest)

    def _tell(self, tiding: Tiding) -> None:
        self._heard.append(tiding)
        self.wake()
