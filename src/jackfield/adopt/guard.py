"""The guard of a takeover: a process of its own that puts everything back unless it is told in time not to.

It waits for a word on a pipe. The end of the pipe means that the command was killed, the deadline that it
hangs: both put back, as the word "undo" does. Whoever asks, one process does it, once.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import syslog
import time
from pathlib import Path

from jackfield.adopt import record as records
from jackfield.adopt.host import Host
from jackfield.adopt.record import Record
from jackfield.adopt.restore import restore
from jackfield.adopt.wiring import TABLES, Wiring
from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.net.errors import NetworkError

READY, KEEP, UNDO, KEPT, UNDONE = "ready", "keep", "undo", "kept", "undone"
START_SECONDS = 120.0
UNDO_SECONDS = 120.0
SWITCH_ATTEMPTS = 5
ATTEMPT_SECONDS = 2.0

_GUARD_ENDED = "the guard ended without an answer; `jackfield release` of it puts back what has been done"


class Guard:
    """The command's end of the pipe to its guard."""

    def __init__(self, record: Record, seconds: float) -> None:
        """Start a guard, which writes the record down and waits for so many seconds. Raises Failure."""
        self._subject = record.subject
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jackfield.adopt.guard", str(seconds), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env=os.environ | {"OVS_RUNDIR": str(records.path_of(record.subject).parent)},
            text=True,
        )
        self._send(records.encode(record).decode())
        answer = self._answer(START_SECONDS)
        if answer != READY:
            self._process.kill()
            self._process.wait()
            raise Failure(answer or f"{record.subject}: the guard that would put things back does not start")

    def keep(self) -> None:
        """What was done stays. Raises Failure when the guard has put it back already."""
        answer = self._tell(KEEP)
        if answer == UNDONE:
            raise Failure(f"{self._subject}: it took too long, and everything has been put back")
        if answer != KEPT:
            raise Failure(answer or f"{self._subject}: {_GUARD_ENDED}")

    def undo(self) -> None:
        """Put everything back. Raises Failure with what could not be."""
        answer = self._tell(UNDO)
        if answer != UNDONE:
            raise Failure(answer or f"{self._subject}: {_GUARD_ENDED}")

    def _tell(self, word: str) -> str:
        self._send(word)
        answer = self._answer(UNDO_SECONDS)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(START_SECONDS)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        return answer

    def _send(self, line: str) -> None:
        stream = self._process.stdin
        assert stream is not None
        with contextlib.suppress(BrokenPipeError):
            stream.write(f"{line}\n")
            stream.flush()

    def _answer(self, seconds: float) -> str:
        stream = self._process.stdout
        assert stream is not None
        ready, _, _ = select.select([stream], [], [], seconds)
        return stream.readline().strip() if ready else ""


def finish(path: Path) -> Record | None:
    """Put back what a guard that was killed itself has left; None when there is nothing of the kind.

    Raises Failure, also when a guard is still on duty.
    """
    try:
        with records.held(path) as found:
            _put_back(found)
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        return None
    return found


def main(words: list[str]) -> int:
    """The guard's process: seconds to wait, process id of the command; its standard input is the pipe."""
    seconds, parent = float(words[0]), int(words[1])
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        command = os.pidfd_open(parent)
        record = records.decode(sys.stdin.readline().encode())
    except (ProcessLookupError, ValueError):
        return 1  # the command is dead, and has not begun
    try:
        with records.written(record) as path:
            _say(READY)
            return _decide(record, path, seconds, command)
    except Failure as failure:
        _say(str(failure))
        return 1


def _decide(record: Record, path: Path, seconds: float, command: int) -> int:
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    word = sys.stdin.readline().strip() if ready else ""
    if word == KEEP:
        path.unlink(missing_ok=True)
        _say(KEPT)
        return 0
    if not ready:
        # It must not go on while everything is put back.
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(command, signal.SIGKILL)
    return _undo(record, path, word != UNDO)


def _undo(record: Record, path: Path, unasked: bool) -> int:
    try:
        _put_back(record)
    except Failure as failure:
        syslog.syslog(syslog.LOG_ERR, f"jackfield: {failure}")
        _say(str(failure))
        return 1
    path.unlink(missing_ok=True)
    if unasked:
        syslog.syslog(syslog.LOG_WARNING, f"jackfield: {record.subject} was not kept on the switch")
    _say(UNDONE)
    return 0


def _put_back(record: Record) -> None:
    """Raises Failure when, after some attempts, something is still not as it was."""
    for attempt in range(SWITCH_ATTEMPTS):
        try:
            with Host() as host, Database.open(TABLES) as database:
                restore(host, record, Wiring(database))
            return
        except (Failure, NetworkError) as error:
            reason = str(error)
        if attempt + 1 < SWITCH_ATTEMPTS:
            # The switch may just be restarting; nothing tells when a socket is there that never was.
            time.sleep(ATTEMPT_SECONDS)
    raise Failure(
        f"{record.subject}: it could not be put back: {reason}; "
        f"`jackfield release {record.subject}` tries again"
    )


def _say(words: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
