"""Looks at links where the data plane does not hear of them by itself.

When the kernel has told of any link, in whatever namespace, it tells of the next one, of a network card at
least, only a second later (net/core/link_watch.c), while a device's state can be read at all times.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from jackfield.net.errors import NetworkError
from jackfield.net.netdev import Devices

LOOK_SECONDS = 0.03


class Lookout:
    """Looks every so often, in a thread, as the kernel may be busy. Nothing runs while there is nothing to
    look at."""

    def __init__(self, found: Callable[[Mapping[int, bool]], None]) -> None:
        """`found` is called with interface numbers and whether each is up with a link. Raises KernelError."""
        self._found = found
        self._devices = Devices()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lookout")
        self._watched: frozenset[int] = frozenset()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def watch(self, watched: frozenset[int]) -> None:
        """The devices to look at, instead of those so far."""
        self._watched = watched
        if watched and self._task is None:
            self._task = asyncio.create_task(self._look())

    def told(self, ifindex: int) -> bool:
        """Whether the device is one of those, about which the kernel has told something: it is looked at now.

        What the kernel told may be older than what has been seen, and would be taken for the device's state.
        """
        if ifindex not in self._watched:
            return False
        self._news.set()
        return True

    def close(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._devices.close()

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while self._watched:
            self._news.clear()
            self._found(await loop.run_in_executor(self._thread, self._links, self._watched))
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()
        self._task = None

    def _links(self, watched: frozenset[int]) -> Mapping[int, bool]:
        seen: dict[int, bool] = {}
        for ifindex in watched:
            try:
                link = self._devices.get_link(ifindex)
            except NetworkError:
                continue  # told of by the kernel, or seen at the next look
            seen[ifindex] = link is not None and link.up and link.carrier
        return seen
