"""Links that are asked for every so often (bond-detect-mode miimon), in a thread: the kernel may be busy."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from jackfield.net.mii import has_link


class Miimon:
    """Asks for links and tells each time what it found. Nothing runs while there is nothing to ask for."""

    def __init__(self, found: Callable[[int, bool], None]) -> None:
        """`found` is called with an interface number and whether it has a link."""
        self._found = found
        self._intervals: Mapping[int, float] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="miimon")
        self._control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    @property
    def watched(self) -> frozenset[int]:
        """The devices that are asked for."""
        return frozenset(self._intervals)

    def watch(self, intervals: Mapping[int, float]) -> None:
        """The devices to ask for, with their intervals in seconds, instead of those so far."""
        for ifindex, task in list(self._tasks.items()):
            if intervals.get(ifindex) != self._intervals.get(ifindex):
                task.cancel()
                del self._tasks[ifindex]
        self._intervals = dict(intervals)
        for ifindex, seconds in intervals.items():
            if ifindex not in self._tasks:
                self._tasks[ifindex] = asyncio.create_task(self._ask(ifindex, seconds))

    def close(self) -> None:
        """End."""
        self.watch({})
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._control.close()

    async def _ask(self, ifindex: int, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        while True:
            up = await loop.run_in_executor(self._thread, self._link, ifindex)
            self._found(ifindex, up)
            await asyncio.sleep(seconds)

    def _link(self, ifindex: int) -> bool:
        with contextlib.suppress(OSError):
            return has_link(self._control, socket.if_indextoname(ifindex))
        return False
