"""A thread for what may take long, such as waiting for a disk, used from an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread


class _Job:
    """Something to do, and the future of the loop that hears of its end."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self.future = self._loop.create_future()
        self.over = False

    def run(self) -> None:
        """Do it, in the thread."""
        error: BaseException | None = None
        try:
            self._work()
        except BaseException as caught:
            error = caught
        self._loop.call_soon_threadsafe(self._tell, error)

    def _tell(self, error: BaseException | None) -> None:
        self.over = True
        if self.future.done():
            return
        if error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(error)

    async def end(self) -> None:
        """Wait until it is done, also when this is cancelled; raises what it raised."""
        try:
            await self.future
        except asyncio.CancelledError:
            if not self.over:
                self.future = self._loop.create_future()
                await self.future
            raise


class Worker:
    """One thread, which does one thing after the other. Between a loop and a thread there is little else, as
    every durable commit goes this way.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None

    async def do(self, work: Callable[[], None]) -> None:
        """Have the thread do that to its end, also if this is cancelled meanwhile; raises what it raises."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        job = _Job(work)
        self._jobs.put(job)
        await job.end()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()

    def close(self) -> None:
        """End the thread when it has done what it has to do."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None
