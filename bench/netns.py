"""Network namespaces for the time of a measurement, and work done inside them."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from jackfield.net import inside as entered
from jackfield.net.errors import KernelError

T = TypeVar("T")

COMMAND_SECONDS = 120.0


class BenchError(Exception):
    """Something that a measurement needs did not work: the message says what."""


def run(*argv: str, env: dict[str, str] | None = None, seconds: float = COMMAND_SECONDS) -> str:
    """Runs a command and returns what it printed. Raises BenchError when it fails or takes too long."""
    try:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{' '.join(argv[:8])}: not done within {seconds:.0f} s") from error
    if done.returncode:
        raise BenchError(f"{' '.join(argv[:8])}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def inside(namespace: str, *argv: str) -> tuple[str, ...]:
    """The command that runs a command in a namespace. It stays in the machine's mount namespace, whose bpffs
    holds what the switch pins.
    """
    return ("nsenter", f"--net=/run/netns/{namespace}", *argv)


def call_inside(namespace: str, function: Callable[[], T]) -> T:
    """Calls a function in a namespace, in a thread of its own; sockets made there stay there."""
    try:
        return entered.inside(f"/run/netns/{namespace}", function)
    except KernelError as error:
        raise BenchError(f"{namespace}: {error}") from error


@contextlib.contextmanager
def namespaces(*names: str) -> Iterator[None]:
    """Namespaces of these names, without what an earlier run may have left in them."""
    try:
        for name in names:
            if Path("/run/netns", name).exists():
                run("ip", "netns", "del", name)
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        yield
    finally:
        for name in names:
            if Path("/run/netns", name).exists():
                run("ip", "netns", "del", name)
