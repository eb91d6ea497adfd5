"""Telling the service manager now and then that the daemon is alive, as a whole (sd_watchdog_enabled(3))."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping


def watchdog_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    """How long the manager waits for a sign of life before it restarts us; None when it does not watch."""
    text = environment.get("WATCHDOG_USEC", "")
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid) or not text.isdecimal() or int(text) == 0:
        return None
    return int(text) / 1e6


async def give_signs(
    seconds: float, work: Callable[[], Awaitable[object]], notify: Callable[[str], None]
) -> None:
    """Notify three times in each period, each time after `work` was done by the thread that works on the
    kernel: a daemon whose sockets answer while its kernel work hangs is not alive."""
    while True:
        await work()
        notify("WATCHDOG=1")
        await asyncio.sleep(seconds / 3)
