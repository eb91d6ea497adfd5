"""The bpf file system and an instance's folders on it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jackfield.net.errors import KernelError

MOUNT_POINT = Path("/sys/fs/bpf")
FOLDER = "jackfield"
BPF_FS_MAGIC = 0xCAFE4A11


def is_mounted(path: Path = MOUNT_POINT) -> bool:
    """Whether `path` is on a bpf file system (statfs(2))."""
    # struct statfs begins with the type as a long; the rest is smaller than this on every architecture.
    buffer = ctypes.create_string_buffer(256)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.statfs(os.fsencode(path), buffer) != 0:
        return False
    return ctypes.c_long.from_buffer(buffer).value & 0xFFFFFFFF == BPF_FS_MAGIC


def mount(path: Path = MOUNT_POINT) -> None:
    """Mount a bpf file system unless there is one. Raises KernelError."""
    if is_mounted(path):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"bpf", os.fsencode(path), b"bpf", ctypes.c_ulong(0), b"mode=0700") != 0:
        raise KernelError(
            f"mounting the bpf file system on {path}", ctypes.get_errno(), f"mount -t bpf bpf {path}"
        )


def lasting() -> Path:
    """A bpf file system that outlives this process, mounted if need be. Raises KernelError.

    `ip netns exec` gives its command a mount namespace of its own with an empty /sys, and what is pinned
    there goes away with the command. Its caller has the file system that stays.
    """
    outside = _outside()
    if outside is None or _is_same(MOUNT_POINT, outside):
        mount()
        return MOUNT_POINT
    return outside


def _outside() -> Path | None:
    """The bpf file system of the nearest process, of those we descend from, with other mounts than ours."""
    for pid in (1, *_ancestors()):
        try:
            if Path(f"/proc/{pid}/ns/mnt").readlink() == Path("/proc/self/ns/mnt").readlink():
                continue
            path = Path(f"/proc/{pid}/root{MOUNT_POINT}")
            if not is_mounted(path):
                _mount_for(pid)
            if is_mounted(path):
                # Held open for good: the process that shows the way may end before this one.
                return Path(f"/proc/self/fd/{os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)}")
        except OSError:
            continue  # a process that may not be looked into, or is gone
    return None


def _ancestors() -> Iterator[int]:
    pid = os.getppid()
    while pid > 1:
        yield pid
        # proc_pid_stat(5): the parent is the second field behind the name, which is in parentheses.
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return


def _is_same(one: Path, other: Path) -> bool:
    return is_mounted(one) and one.stat().st_dev == other.stat().st_dev


def _mount_for(pid: int) -> None:
    nsenter = shutil.which("nsenter")
    if nsenter is not None:
        command = [nsenter, "-t", str(pid), "-m", "mount", "-t", "bpf", "bpf", str(MOUNT_POINT)]
        subprocess.run(command, check=False, capture_output=True)


@dataclass(frozen=True, slots=True)
class Folders:
    """Where an instance's objects are pinned."""

    instance: Path
    version: Path

    @classmethod
    def of(cls, root: Path, instance: str, abi_version: int) -> Folders:
        return cls(root / instance, root / instance / f"v{abi_version}")

    @property
    def maps(self) -> Path:
        return self.version / "maps"

    @property
    def programs(self) -> Path:
        return self.version / "programs"

    @property
    def links(self) -> Path:
        return self.version / "links"

    def make(self) -> None:
        """Raises KernelError."""
        for folder in (self.maps, self.programs, self.links):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise KernelError(f"making {folder}", error.errno or 0) from None

    def others(self) -> tuple[Path, ...]:
        """The folders of other ABI versions of this instance."""
        if not self.instance.is_dir():
            return ()
        return tuple(sorted(path for path in self.instance.iterdir() if path != self.version))

    def remove_if_empty(self) -> None:
        """Undo `make` where nothing was pinned."""
        below = (self.maps, self.programs, self.links, self.version)
        for folder in (*below, self.instance, self.instance.parent):
            with contextlib.suppress(OSError):
                folder.rmdir()


def remove_tree(folder: Path) -> None:
    """Unpin all that is below. A link goes before the program it runs, which no order makes matter."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    folder.rmdir()
