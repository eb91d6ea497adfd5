"""What somebody took away from the bpf file system is put back: else forwarding would end with the daemon."""

from __future__ import annotations

from pathlib import Path

from jackfield.datapath.bpffs import Folders
from jackfield.datapath.libbpf import Library
from jackfield.datapath.objects import PINNED, Loaded


def pins(loaded: Loaded, folders: Folders) -> dict[Path, int]:
    """Maps and programs that are to be pinned, by their places."""
    found = {folders.maps / name: loaded.maps[name].fd for name in sorted(PINNED)}
    found[folders.programs / "ingress"] = loaded.ingress
    found[folders.programs / "fdb_control"] = loaded.fdb_control
    found[folders.programs / "bond_control"] = loaded.bond_control
    return found


def repair(library: Library, wanted: dict[Path, int]) -> tuple[str, ...]:
    """Pin again, by its place, what is not pinned any more; says what that was. Raises KernelError."""
    missing = {path: fd for path, fd in wanted.items() if not path.exists()}
    for path, fd in missing.items():
        library.pin(fd, path)
    return tuple(f"pin {path.parent.name}/{path.name} again" for path in missing)
