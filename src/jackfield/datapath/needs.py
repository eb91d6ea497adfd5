"""What Jackfield needs of a machine."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from jackfield.datapath import bpffs, objects
from jackfield.datapath.errors import Unsupported
from jackfield.datapath.libbpf import library
from jackfield.net.errors import NetworkError

KERNEL = (6, 1)
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21, "CAP_BPF": 39}


def missing() -> list[str]:
    """One sentence for each thing that is missing: what it is and how to get it. Empty: all is there."""
    found = [
        _kernel(os.uname().release),
        _capabilities(_effective_capabilities()),
        _library(),
        _bpffs(),
        _objects(objects.OBJECTS / objects.SWITCH),
        _iproute2(),
    ]
    return [sentence for sentence in found if sentence]


def _kernel(release: str) -> str:
    version = re.match(r"(\d+)\.(\d+)", release)
    if version and tuple(map(int, version.groups())) >= KERNEL:
        return ""
    wanted = ".".join(map(str, KERNEL))
    return f"Linux {release} is too old: boot a kernel of version {wanted} or later (Debian 12 has one)."


def _capabilities(effective: int) -> str:
    lacking = [name for name, bit in CAPABILITIES.items() if not effective >> bit & 1]
    return f"{', '.join(lacking)} lacking: run as root, or grant these capabilities." if lacking else ""


def _effective_capabilities() -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", status, re.MULTILINE)
    return int(found[1], 16) if found else 0


def _library() -> str:
    try:
        library()
    except Unsupported as error:
        return f"{error}: install it (apt install libbpf1, dnf install libbpf)."
    return ""


def _bpffs() -> str:
    try:
        bpffs.lasting()
    except NetworkError as error:
        return f"There is no bpf file system: {error}."
    return ""


def _objects(path: Path) -> str:
    try:
        if path.is_file():
            return ""
    except PermissionError:
        return ""  # who may not look there lacks the capabilities too, and is told so
    return f"The compiled programs are not at {path}: run scripts/compile, or install a released package."


def _iproute2() -> str:
    if shutil.which("ip", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"):
        return ""
    return "The command ip is not there: install iproute2 (apt install iproute2, dnf install iproute)."
