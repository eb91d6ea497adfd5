"""The programs that have a bond leave a member without carrier at once, whether or not a process hears of it.

They hang on functions of the kernel, by trampolines, and so need a kernel with BTF of its own and with
CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS, as distributions build it. Without, the control plane does it.
"""

from __future__ import annotations

import logging
import os
from contextlib import closing
from pathlib import Path

from jackfield.datapath.bpffs import Folders
from jackfield.datapath.libbpf import Library, Object
from jackfield.net.errors import KernelError

LOG = logging.getLogger(__name__)
OBJECT = "carrier.bpf.o"
SHARED = frozenset(
    {"jf_ingress_low", "jf_ingress_high", "jf_ports", "jf_bonds", "jf_ways", "jf_configured", "jf_upcalls"}
)
NAMESPACE = Path("/proc/thread-self/ns/net")


def attach(library: Library, path: Path, folders: Folders) -> dict[Path, int]:
    """Have the kernel run them, in the place of those that may run already, for devices in this thread's
    network namespace. The links by where they are pinned, for the caller to close; none if the kernel
    cannot."""
    links: dict[Path, int] = {}
    try:
        with closing(Object(library, path)) as carrier:
            handles = carrier.maps()
            for name in handles.keys() & SHARED:
                pin = os.fsencode(folders.maps / name)
                library.call(f"pinning {name}", "bpf_map__set_pin_path", handles[name], pin)
            carrier.set_constant("jf_namespace", NAMESPACE.stat().st_ino)
            carrier.load()
            for name, program in carrier.programs().items():
                link = library.call(f"attaching {name}", "bpf_raw_tracepoint_open", None, program)
                links[folders.programs / name] = link
                library.pin(link, folders.programs / name)
    except KernelError as error:
        LOG.info("links of bond members are watched by the daemon alone: %s", error)
        for link in links.values():
            os.close(link)
        return {}
    return links
