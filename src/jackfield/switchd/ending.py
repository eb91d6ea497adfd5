"""A daemon that is to end does end, whatever hangs: what forwards goes on, and the next start finds it."""

from __future__ import annotations

import logging
import os
import threading

_log = logging.getLogger("jackfield.switchd")

ENDING_SECONDS = 15.0
"""Longer than anything takes that the end waits for, and shorter than a service manager's patience."""


def end_at_last(seconds: float) -> None:
    """End this process after so long, if it has not ended by then, be it for a stuck event loop or threads
    that are waited for."""
    timer = threading.Timer(seconds, _end, (seconds,))
    timer.daemon = True
    timer.start()


def _end(seconds: float) -> None:
    _log.error("still not at an end after %g s, exiting at once", seconds)
    logging.shutdown()
    os._exit(1)
