"""Talking to the running daemon over its control socket: commands, questions that it answers in JSON, and
asking it to stop."""

from __future__ import annotations

import errno
import json
import os
import select
import time
from typing import Any

from jackfield.client.errors import Failure
from jackfield.client.target import TargetError, control_socket, rundir, running_pid
from jackfield.wire import unixctl
from jackfield.wire.blocking import ConnectionFailed

__all__ = ["ask", "call", "rundir", "stop"]

ANSWER_SECONDS = 30.0


def ask(command: str, *words: str) -> Any:
    """The daemon's answer to a control command that speaks JSON; raises Failure."""
    text = call(command, *words)
    try:
        return json.loads(text)
    except ValueError as error:
        raise Failure(f"the daemon's answer to {command} is not JSON") from error


def call(command: str, *words: str) -> str:
    """The daemon's answer to a control command, as text; raises Failure."""
    try:
        return unixctl.call(_socket(), command, words, time.monotonic() + ANSWER_SECONDS)
    except unixctl.CommandRefused as error:
        raise Failure(str(error).strip()) from error
    except TimeoutError as error:
        raise Failure(f"the daemon has not answered within {ANSWER_SECONDS:g} seconds") from error
    except ConnectionFailed as error:
        raise Failure(f"the daemon does not answer: {error.strerror}") from error


def stop(cleanup: bool, seconds: float) -> None:
    """Ask the daemon to end and wait until it is gone; raises Failure."""
    pid = _pid()
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        deadline = time.monotonic() + seconds
        call("exit", *(["--cleanup"] if cleanup else []))
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise Failure(f"the daemon (pid {pid}) has not ended within {seconds:g} seconds")
    finally:
        os.close(descriptor)


def _socket() -> str:
    try:
        return control_socket()
    except TargetError as error:
        raise _unreachable(error) from error


def _pid() -> int:
    try:
        return running_pid()
    except TargetError as error:
        raise _unreachable(error) from error


def _unreachable(error: TargetError) -> Failure:
    if error.errno in (errno.ENOENT, errno.ESRCH):
        return Failure(f"no switch is running in {rundir()}; `jackfield daemon --detach` starts one")
    return Failure(f"{error.filename}: {error.strerror}")
