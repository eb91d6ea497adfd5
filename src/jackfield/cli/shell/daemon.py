"""Talking to the running daemon: questions that it answers in JSON, and asking it to stop."""

from __future__ import annotations

import errno
import os
import select
import time
from typing import Any

import msgspec

from jackfield.cli.environment import rundir
from jackfield.cli.target import TargetError, control_socket, running_pid
from jackfield.wire import unixctl
from jackfield.wire.blocking import ConnectionFailed

ANSWER_SECONDS = 30.0


class Failure(Exception):
    """A sentence for the user; the command ends with exit code 1."""


def ask(command: str, *words: str) -> Any:
    """The daemon's answer to a control command that speaks JSON; raises Failure."""
    text = _call(command, *words)
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Failure(f"the daemon's answer to {command} is not JSON") from error


def stop(cleanup: bool, seconds: float) -> None:
    """Ask the daemon to end and wait until it is gone; raises Failure."""
    pid = _pid()
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        deadline = time.monotonic() + seconds
        _call("exit", *(["--cleanup"] if cleanup else []))
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise Failure(f"the daemon (pid {pid}) has not ended within {seconds:g} seconds")
    finally:
        os.close(descriptor)


def _call(command: str, *words: str) -> str:
    try:
        return unixctl.call(_socket(), command, words, time.monotonic() + ANSWER_SECONDS)
    except unixctl.CommandRefused as error:
        raise Failure(str(error).strip()) from error
    except TimeoutError as error:
        raise Failure(f"the daemon has not answered within {ANSWER_SECONDS:g} seconds") from error
    except ConnectionFailed as error:
        raise Failure(f"the daemon does not answer: {error.strerror}") from error


def _socket() -> str:
    try:
        return control_socket()
    except TargetError as error:
        raise _absent(error) from error


def _pid() -> int:
    try:
        return running_pid()
    except TargetError as error:
        raise _absent(error) from error


def _absent(error: TargetError) -> Failure:
    if error.errno in (errno.ENOENT, errno.ESRCH):
        return Failure(f"no switch is running in {rundir()}; `jackfield daemon --detach` starts one")
    return Failure(f"{error.filename}: {error.strerror}")
