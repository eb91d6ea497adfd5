"""The network namespaces and the directory that the demonstration has for itself, made and taken away."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from demo.stage import Failed, Stage

# Stands for three hosts; the switch lives in the first, so that it never meets the machine's own devices.
NAMESPACES = {"host": "jft-demo-host", "red": "jft-demo-red", "blue": "jft-demo-blue"}
DIRECTORY = Path("/run/jft-demo")
PINS = Path("/sys/fs/bpf/jackfield")


def _ip(*argv: str) -> None:
    done = subprocess.run(["ip", *argv], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"ip {' '.join(argv)}: {done.stderr.strip()}")


def left_behind(stage: Stage, instance: str) -> list[str]:
    """What is left of the demonstration's switch: devices in its namespace, pinned programs and maps."""
    links = stage.run("host", "ip -o link show", shown=False).splitlines()
    devices = [line.split(":")[1].strip() for line in links if "link/loopback" not in line]
    pins = PINS / instance
    return [*devices, *([str(pins)] if pins.exists() else [])]


def clear(stage: Stage) -> None:
    """Takes away all that a demonstration makes, also one that was killed half way."""
    if Path("/run/netns", NAMESPACES["host"]).exists():
        if (DIRECTORY / "conf.db").exists() and not (DIRECTORY / "ovs-vswitchd.pid").exists():
            stage.run("host", "jackfield daemon --detach", shown=False, may_fail=True)
        stage.run("host", "jackfield stop --cleanup", shown=False, may_fail=True)
    for name in NAMESPACES.values():
        if Path("/run/netns", name).exists():
            _ip("netns", "del", name)
    shutil.rmtree(DIRECTORY, ignore_errors=True)


@contextlib.contextmanager
def place(stage: Stage) -> Iterator[None]:
    """The place for the time of the demonstration."""
    clear(stage)
    try:
        DIRECTORY.mkdir(parents=True)
        for name in NAMESPACES.values():
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        yield
    finally:
        clear(stage)
