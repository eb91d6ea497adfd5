"""Looking at links, of which the kernel may tell what is not so any more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from jackfield.switchd.bonds import lookout
from tests.patience import PATIENCE

LOOPBACK, OTHER = 1, 4711


def test_a_device_that_the_kernel_tells_of_is_looked_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "LOOK_SECONDS", 3600.0)
    found: asyncio.Queue[Mapping[int, bool]] = asyncio.Queue()

    async def look() -> None:
        opened = lookout.Lookout(found.put_nowait)
        try:
            assert not opened.told(LOOPBACK)
            opened.watch(frozenset({LOOPBACK}))
            async with asyncio.timeout(10 * PATIENCE):
                first = await found.get()
                assert opened.told(LOOPBACK) and not opened.told(OTHER)
                assert await found.get() == first
            assert first.keys() == {LOOPBACK}
        finally:
            opened.close()

    asyncio.run(look())
