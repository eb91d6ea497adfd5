"""What one ABI version hands over to another, newer or older: names, learned addresses, counters, bonds.

Configuration is not: it is written from the database into maps of this version's own, while the programs of
the other one forward by theirs, undisturbed, until ours take their place at each device. State has to stay
one meanwhile, so the maps themselves pass over, as far as their layout is the same in both versions, down to
the names of the fields. What differs begins empty: addresses are learned anew.

Ids are in most of it, so nothing passes over without the names that say whose they are.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from jackfield.datapath import btf
from jackfield.datapath.bpffs import Folders
from jackfield.datapath.libbpf import Library, Object
from jackfield.net.errors import KernelError

NAMES = "jf_names"
TOGETHER = (
    (NAMES,),
    ("jf_fdb", "jf_fdb_log", "jf_fdb_log_at", "jf_bridge_state", "jf_port_state"),
    ("jf_counters",),
    ("jf_bonds", "jf_ways"),
    ("jf_bond_loads",),
    ("jf_lacp",),
    ("jf_guard_state",),
    ("jf_disabled",),
    ("jf_switch",),
)
"""Names first; maps of one line keep the same accounts and pass over together."""
FACTS = ("type", "key_size", "value_size", "max_entries", "map_flags")


def hand_over(library: Library, switch: Object, folders: Folders) -> tuple[str, ...]:
    """Pin here what another version pinned and this one can use: the names of those maps.

    `switch` is open and not yet loaded. Raises KernelError.
    """
    for other in sorted(folders.others(), key=lambda folder: -folder.stat().st_mtime):
        if taken := tuple(_Heir(library, switch, other / "maps", folders.maps).take()):
            return taken
    return ()


class _Heir:
    def __init__(self, library: Library, switch: Object, source: Path, target: Path) -> None:
        self._library = library
        self._handles = switch.maps()
        self._types = switch.btf()
        self._source = source
        self._target = target

    def take(self) -> Iterator[str]:
        for group in TOGETHER:
            missing = [name for name in group if not (self._target / name).exists()]
            with ExitStack() as stack:
                opened = ((name, self._open(name, stack)) for name in missing)
                maps = {name: fd for name, fd in opened if fd is not None and self._is_same(name, fd)}
                if len(maps) == len(missing):
                    for name, fd in maps.items():
                        self._library.pin(fd, self._target / name)
                        yield name
                elif NAMES in group:
                    return

    def _open(self, name: str, stack: ExitStack) -> int | None:
        try:
            fd = self._library.get_pinned(self._source / name)
        except KernelError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        stack.callback(os.close, fd)
        return fd

    def _is_same(self, name: str, fd: int) -> bool:
        info, handle = self._library.map_info(fd), self._handles[name]
        numbers = (info.type, info.key_size, info.value_size, info.max_entries, info.map_flags)
        if numbers != tuple(self._library.value(f"bpf_map__{fact}", handle) for fact in FACTS):
            return False
        types = self._library.map_btf(info)
        theirs = (info.btf_key_type_id, info.btf_value_type_id)
        ours = [self._library.value(f"bpf_map__btf_{which}_type_id", handle) for which in ("key", "value")]
        return bool(types) and [btf.layout(types, index) for index in theirs] == [
            btf.layout(self._types, index) for index in ours
        ]
