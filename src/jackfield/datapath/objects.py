"""Load the compiled programs and the maps they share with Python."""

from __future__ import annotations

import errno
import logging
import os
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from jackfield.datapath.bpffs import Folders
from jackfield.datapath.errors import AbiMismatch
from jackfield.datapath.handover import hand_over
from jackfield.datapath.libbpf import Library, Object
from jackfield.datapath.maps import RawMap
from jackfield.net.errors import KernelError

LOG = logging.getLogger(__name__)
OBJECTS = Path(__file__).resolve().parent / "objects"
SWITCH = "switch.bpf.o"

# What has to outlive programs and processes: configuration, learned state, counters. The rest is scratch.
PINNED = frozenset(
    {
        "jf_ingress_low",
        "jf_ingress_high",
        "jf_ifaces",
        "jf_ports",
        "jf_port_vlans",
        "jf_guards",
        "jf_guard_state",
        "jf_bridges",
        "jf_bridge_flood",
        "jf_bridge_state",
        "jf_port_state",
        "jf_flood_lists",
        "jf_flood_cells",
        "jf_fdb",
        "jf_fdb_log",
        "jf_fdb_log_at",
        "jf_configured",
        "jf_address_changes",
        "jf_counters",
        "jf_drops",
        "jf_names",
        "jf_bonds",
        "jf_ways",
        "jf_bond_loads",
        "jf_lacp",
        "jf_upcalls",
        "jf_moves",
        "jf_storms",
        "jf_damped",
        "jf_watch",
        "jf_disabled",
        "jf_switch",
    }
)
INGRESS, FDB_CONTROL, BOND_CONTROL = "jf_ingress_frame", "jf_fdb_control", "jf_bond_control"
PROGRAMS = frozenset({INGRESS, FDB_CONTROL, BOND_CONTROL})
RECORD = "jf_record"
FDB = "jf_fdb"
RECORDED_FDB_ENTRIES = 16384
MONOTONIC_COARSE = 6  # CLOCK_MONOTONIC_COARSE of linux/time.h, whose resolution is the kernel's tick
SHARED = PINNED | {RECORD, "jf_recorder"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """File descriptors of what was loaded; whoever has this closes them."""

    ingress: int
    fdb_control: int
    bond_control: int
    maps: dict[str, RawMap]

    def close(self) -> None:
        os.close(self.ingress)
        os.close(self.fdb_control)
        os.close(self.bond_control)
        for opened in self.maps.values():
            opened.close()


def load(library: Library, path: Path, folders: Folders | None) -> Loaded:
    """Load an object file. With folders, maps pinned there are adopted and new ones are pinned; without, the
    program records and nothing outlives it.

    Raises KernelError, or AbiMismatch when a pinned map is of another layout.
    """
    with closing(Object(library, path)) as switch:
        handles = switch.maps()
        if missing := SHARED - handles.keys():
            raise AbiMismatch(f"{path} lacks {', '.join(sorted(missing))}: it is of another version")
        if folders is None:
            switch.set_constant("jf_recording", 1)
            # Walking the learning table takes as long as it is large, and a test walks it often.
            library.call("sizing a map", "bpf_map__set_max_entries", handles[FDB], RECORDED_FDB_ENTRIES)
            switch.set_constant("jf_tick_ns", 1)
        else:
            switch.set_constant("jf_tick_ns", round(time.clock_getres(MONOTONIC_COARSE) * 1e9))
            library.call("sizing a map", "bpf_map__set_max_entries", handles[RECORD], 1)
            for name in hand_over(library, switch, folders):
                LOG.info("%s passes over from another version of the switch", name)
            for name in PINNED:
                _check_pinned(library, handles[name], folders.maps / name)
                pin = os.fsencode(folders.maps / name)
                library.call(f"pinning {name}", "bpf_map__set_pin_path", handles[name], pin)
        switch.load()
        maps = {}
        for name in SHARED:
            fd = os.dup(library.call(f"opening map {name}", "bpf_map__fd", handles[name]))
            maps[name] = RawMap(library, name, fd)
        programs = switch.programs()
        if missing := PROGRAMS - programs.keys():
            raise AbiMismatch(f"{path} lacks {', '.join(sorted(missing))}: it is of another version")
        ingress, fdb, bond = (programs[name] for name in (INGRESS, FDB_CONTROL, BOND_CONTROL))
        return Loaded(os.dup(ingress), os.dup(fdb), os.dup(bond), maps)


def _check_pinned(library: Library, handle: int, path: Path) -> None:
    try:
        fd = library.get_pinned(path)
    except KernelError as error:
        if error.errno == errno.ENOENT:
            return
        raise
    try:
        info = library.map_info(fd)
    finally:
        os.close(fd)
    found = (info.type, info.key_size, info.value_size, info.max_entries)
    facts = ("type", "key_size", "value_size", "max_entries")
    wanted = tuple(library.value(f"bpf_map__{fact}", handle) for fact in facts)
    if found != wanted:
        raise AbiMismatch(
            f"{path} is of another build (type, key size, value size, entries are {found}, not {wanted}):"
            f" stop the daemon and `rm -r {path.parents[1]}`, which ends forwarding until it is started again"
        )
