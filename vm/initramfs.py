"""The first files a guest sees: busybox, the modules that reach the shared root, and the script that does.

The archive is cpio's "newc" form: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import lzma
import stat
from collections.abc import Iterator
from pathlib import Path

from vm.errors import VmError
from vm.kernels import Kernel

NEEDED = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
"""Modules, if they are not built in."""


def initramfs(kernel: Kernel, busybox: Path, init: str) -> bytes:
    """The archive, with `init` as the script that the kernel starts.

    Raises VmError if the kernel has neither built in nor as a module what is needed.
    """
    entries: list[tuple[str, int, bytes]] = [
        (name, stat.S_IFDIR | 0o755, b"")
        for name in ("bin", "dev", "modules", "new", "proc", "shared", "sys")
    ]
    entries.append(("bin/busybox", stat.S_IFREG | 0o755, busybox.read_bytes()))
    entries.append(("init", stat.S_IFREG | 0o755, init.encode()))
    for number, module in enumerate(modules(kernel.modules, NEEDED)):
        entries.append((f"modules/{number:02}.ko", stat.S_IFREG | 0o644, _content(module)))
    return archive(entries)


def modules(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """The files of the modules and of all that they depend on, in the order of loading."""
    depends = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        depends[path] = rest.split()
    by_name = {_module_name(path): path for path in depends}
    builtin = {_module_name(path) for path in (folder / "modules.builtin").read_text().split()}
    ordered: dict[str, None] = {}
    for name in names:
        if name in builtin:
            continue
        if name not in by_name:
            raise VmError(f"the kernel in {folder} has no module {name}, without which it cannot share files")
        path = by_name[name]
        ordered.update(dict.fromkeys([*reversed(depends[path]), path]))
    return [folder / path for path in ordered]


def _module_name(path: str) -> str:
    return Path(path).name.partition(".")[0].replace("-", "_")


def _content(module: Path) -> bytes:
    data = module.read_bytes()
    if module.suffix == ".xz":
        return lzma.decompress(data)
    if module.suffix != ".ko":
        raise VmError(f"{module} is compressed in a way that is not known here")
    return data


def archive(entries: list[tuple[str, int, bytes]]) -> bytes:
    """A cpio archive of (name, mode, content)."""
    parts: list[bytes] = []
    for number, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")], start=1):
        parts.extend(_record(number, name, mode, content))
    return b"".join(parts)


def _record(number: int, name: str, mode: int, content: bytes) -> Iterator[bytes]:
    path = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    yield header.ljust(-(-len(header) // 4) * 4, b"\0")
    yield content.ljust(-(-len(content) // 4) * 4, b"\0")
