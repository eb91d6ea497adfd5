"""Debian's kernels, unpacked in a cache; nothing of them is installed on this machine."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from vm.errors import VmError

SERIES = re.compile(r"\d+\.\d+")


@dataclass(frozen=True)
class Kernel:
    """A kernel's image and the folder that has its modules, `lib/modules/RELEASE` of the package."""

    release: str
    image: Path
    modules: Path


def cache_folder() -> Path:
    """Where kernels are kept: `$XDG_CACHE_HOME/jackfield/vm`, or below ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "jackfield" / "vm"


def kernel(series: str, *, newest: bool = False) -> Kernel:
    """The kernel of a series such as `6.12`: the cached one, else (or if `newest`) Debian's newest.

    Raises VmError if it is neither in the cache nor to be had from the package sources.
    """
    if not SERIES.fullmatch(series):
        raise VmError(f"{series!r} is no kernel series: give two numbers, such as 6.12")
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "lock"):
        known = _known(cache / series)
        if known is not None and not newest:
            return known
        package = _newest_package(series)
        if known is None or known.release != _release(package):
            _fetch(package, cache, cache / series)
        found = _known(cache / series)
    if found is None:
        raise VmError(f"the package {package} holds no kernel; remove {cache / series} and try again")
    return found


def _known(folder: Path) -> Kernel | None:
    images = sorted(folder.glob("boot/vmlinuz-*"))
    if not images:
        return None
    release = images[-1].name.removeprefix("vmlinuz-")
    base = next(
        (path for name in ("lib", "usr/lib") if (path := folder / name / "modules" / release).is_dir()), None
    )
    return None if base is None else Kernel(release, images[-1], base)


def _release(package: str) -> str:
    return package.removeprefix("linux-image-")


def _newest_package(series: str) -> str:
    pattern = rf"^linux-image-{re.escape(series)}\.[^ ]*-amd64$"

    def search() -> list[str]:
        listed = _run("apt-cache", "search", "--names-only", pattern).stdout
        names = [line.split()[0] for line in listed.splitlines()]
        return [name for name in names if not re.search(r"-(?:cloud|rt)-amd64$", name)]

    names = search()
    if not names:
        _run("apt-get", "-qq", "update", check=False)
        names = search()
    if not names:
        raise VmError(
            f"Debian's package sources on this machine have no kernel {series}: "
            "see `apt-cache search linux-image`"
        )
    return max(names, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])


def _fetch(package: str, cache: Path, target: Path) -> None:
    with TemporaryDirectory(dir=cache) as work:
        folder = Path(work)
        folder.chmod(0o755)  # apt's own user writes here
        _run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package, cwd=folder)
        archive = next(folder.glob("*.deb"), None)
        if archive is None:
            raise VmError(f"apt-get did not download {package}")
        unpacked = folder / "unpacked"
        _run("dpkg", "-x", str(archive), str(unpacked))
        base = unpacked / "usr" if (unpacked / "usr/lib/modules").is_dir() else unpacked
        _run("depmod", "--basedir", str(base), _release(package))
        shutil.rmtree(target, ignore_errors=True)
        unpacked.rename(target)


def _run(*argv: str, cwd: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise VmError(f"{argv[0]} is missing: kernels are fetched by Debian's own tools") from None
    if check and done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise VmError(f"`{' '.join(argv)}` failed: {reason[-1] if reason else f'exit {done.returncode}'}")
    return done


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
