"""A place of the laboratory's own for network namespaces, and work inside one.

The process gets a mount namespace in which /run/netns is empty, so that the hosts of an experiment have plain
names, meet no namespace of the machine, and are gone when the process is, however it ends.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import TypeVar

from jackfield.lab.errors import LabError

T = TypeVar("T")

NETNS = Path("/run/netns")
_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_MS_REC, _MS_SLAVE = 0x4000, 1 << 19
COMMAND_SECONDS = 60.0

# IPv6 is off, so that nothing is on a cable that the experiment did not send.
_QUIET = "; ".join(f"echo 1 > /proc/sys/net/ipv6/conf/{name}/disable_ipv6" for name in ("all", "default"))


def seclude() -> None:
    """Give this process its own, empty /run/netns. Mounts made outside later are seen, none is passed on.

    Raises LabError, for example without root's powers.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def must(what: str, result: int) -> None:
        if result != 0:
            raise LabError(f"{what}: {os.strerror(ctypes.get_errno())}; the lab needs root")

    must("a mount namespace of its own", libc.unshare(_CLONE_NEWNS))
    must("mounts of its own", libc.mount(None, b"/", None, _MS_REC | _MS_SLAVE, None))
    NETNS.mkdir(parents=True, exist_ok=True)
    must("an empty /run/netns", libc.mount(b"lab", os.fsencode(NETNS), b"tmpfs", 0, b"mode=755"))


def add(name: str) -> None:
    """A network namespace of that name, with its loopback up and without IPv6."""
    ip("netns", "add", name)
    ip("-n", name, "link", "set", "lo", "up")
    if Path("/proc/sys/net/ipv6").is_dir():
        quiet(*inside(NETNS / name, "sh", "-c", _QUIET))


def delete(name: str) -> None:
    """Take a namespace away, if it is there."""
    if (NETNS / name).exists():
        ip("netns", "del", name)


def inside(netns: Path, *argv: str) -> tuple[str, ...]:
    """The command that runs a command in a namespace. Unlike `ip netns exec` it keeps /sys, and so bpffs."""
    return ("nsenter", f"--net={netns}", *argv)


def ip(*argv: str) -> str:
    """ip(8), which the story does not show. Raises LabError when it fails."""
    return quiet("ip", *argv)


def quiet(*argv: str, environment: dict[str, str] | None = None, seconds: float = COMMAND_SECONDS) -> str:
    """Run a command that the story does not show; returns what it printed. Raises LabError if it fails."""
    line = " ".join(argv)
    try:
        done = subprocess.run(
            argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{line}: not done within {seconds:.0f} s") from error
    except OSError as error:
        raise LabError(f"{line}: {error.strerror}") from error
    if done.returncode:
        raise LabError(f"{line}: {done.stderr.strip() or done.stdout.strip() or f'exit {done.returncode}'}")
    return done.stdout


def is_installed(program: str) -> bool:
    """Whether a program can be run."""
    return shutil.which(program) is not None
