from __future__ import annotations

import asyncio
import threading

import pytest

from jackfield.ovsdb.worker import Worker


def test_work_is_done_in_order_in_one_other_thread() -> None:
    done: list[tuple[int, int]] = []

    async def run() -> None:
        worker = Worker("test")
        await asyncio.gather(
            *(worker.do(lambda n=n: done.append((n, threading.get_ident()))) for n in range(5))
        )
        worker.close()

    asyncio.run(run())
    assert [number for number, _ in done] == list(range(5))
    assert len({thread for _, thread in done} - {threading.get_ident()}) == 1


def test_what_goes_wrong_is_raised_where_it_was_asked_for() -> None:
    def fail() -> None:
        raise OSError("no disk")

    async def run() -> None:
        worker = Worker("test")
        with pytest.raises(OSError, match="no disk"):
            await worker.do(fail)
        await worker.do(lambda: None)
        worker.close()

    asyncio.run(run())


@pytest.mark.parametrize("fails", [False, True])
def test_work_goes_on_to_its_end_though_nobody_waits_any_more(fails: bool) -> None:
    began, go, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        assert go.wait(10)
        ended.set()
        if fails:
            raise OSError("no disk")

    async def run() -> None:
        worker = Worker("test")
        task = asyncio.ensure_future(worker.do(work))
        while not began.is_set():
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go.set()
        with pytest.raises(OSError if fails else asyncio.CancelledError):
            await task
        assert ended.is_set()
        worker.close()

    asyncio.run(run())
