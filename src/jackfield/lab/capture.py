"""tcpdump on a device for a while: what it printed, and the packets in a file."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from jackfield.lab.errors import LabError

START_SECONDS = 30.0
QUIET_SECONDS = 0.4  # nothing more is printed for so long: all that came has been seen
LONGEST_SECONDS = 10.0


class Listener:
    """A tcpdump that runs. `line` is its command line, `lines` what it has printed when it has ended."""

    def __init__(self, argv: tuple[str, ...], environment: Mapping[str, str], line: str, file: Path) -> None:
        """Start it and wait until it listens. Raises LabError when it does not."""
        self.line, self.file = line, file
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            argv,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._process.stderr is not None
        said = b""
        try:
            while b"listening on" not in said:
                part = _read(self._process.stderr.fileno(), START_SECONDS)
                if not part:
                    raise LabError(f"{line}: {said.decode(errors='replace').strip() or 'does not listen'}")
                said += part
        except BaseException:
            self.kill()
            raise

    def finish(self, expected: int = 0) -> None:
        """Take in what it prints until it is quiet, and until `expected` lines have come; then end it."""
        assert self._process.stdout is not None
        descriptor, text = self._process.stdout.fileno(), b""
        end = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < end:
            part = _read(descriptor, QUIET_SECONDS)
            text += part
            if not part and (self._process.poll() is not None or text.count(b"\n") >= expected):
                break
        self._process.send_signal(signal.SIGINT)
        try:
            rest, _ = self._process.communicate(timeout=START_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise LabError(f"{self.line}: does not end") from error
        self.lines = (text + rest).decode(errors="replace").splitlines()

    def kill(self) -> None:
        """End it at once, whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


def _read(descriptor: int, seconds: float) -> bytes:
    ready, _, _ = select.select([descriptor], [], [], seconds)
    return os.read(descriptor, 1 << 16) if ready else b""
