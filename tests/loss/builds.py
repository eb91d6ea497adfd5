"""Other builds of the switch: copies of this source tree with something changed, compiled."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ABI = "bpf/abi.h"


@dataclass(frozen=True)
class Edit:
    """A change of a file: what a regular expression finds there for the first time is replaced."""

    file: str
    pattern: str
    replacement: str


@dataclass(frozen=True)
class Build:
    """A build that is not this one. `edits` make the difference."""

    name: str
    edits: tuple[Edit, ...]

    def make(self, folder: Path) -> Path:
        """Copy, change and compile; the place to import it from."""
        tree = folder / self.name.replace(" ", "-")
        skip = shutil.ignore_patterns("__pycache__", "objects")
        for part in ("bpf", "scripts", "src"):
            shutil.copytree(ROOT / part, tree / part, ignore=skip)
        (tree / ".venv").symlink_to(ROOT / ".venv")
        for edit in self.edits:
            path = tree / edit.file
            text, count = re.subn(edit.pattern, edit.replacement, path.read_text(), count=1)
            assert count == 1, f"{edit.pattern!r} is not in {edit.file}"
            path.write_text(text)
        subprocess.run([tree / "scripts" / "compile"], check=True, capture_output=True)
        return tree / "src"


def _next_version() -> Edit:
    found = re.search(r"JF_ABI_VERSION = (\d+)", (ROOT / ABI).read_text())
    assert found is not None
    return Edit(ABI, found[0], f"JF_ABI_VERSION = {int(found[1]) + 1}")


def _wider(struct: str) -> Edit:
    return Edit(ABI, rf"struct {struct} \{{", rf"struct {struct} {{\n\t__u64 of_another_build;")


CHANGED_PROGRAMS = Build("changed programs", (Edit(ABI, "JF_UPCALL_RATE = 64", "JF_UPCALL_RATE = 63"),))
CHANGED_CONFIGURATION = Build("changed configuration", (_next_version(), _wider("jf_iface")))
CHANGED_STATE = Build(
    "changed state",
    (_next_version(), _wider("jf_fdb_entry"), Edit(ABI, "JF_NAME_SIZE = 64", "JF_NAME_SIZE = 80")),
)
