"""Whatever the documentation tells to type works, page by page, on a switch in namespaces of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from jackfield.model import DropReason

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
PAGES = [page for page in sorted(DOCS.glob("*.md")) if BLOCK.search(page.read_text(encoding="utf-8"))]

# A host with two cards. Namespaces that a page makes are seen by itself only.
PRELUDE = """
set -eu
mount -t tmpfs none /run/netns
trap 'jackfield stop --cleanup' EXIT
ip link set lo up
for number in 1 2; do
    ip link add eth$number type veth peer name cable$number
    ip link set eth$number up
    ip link set cable$number up
done
jackfield daemon --detach
set -x
"""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_the_page_works(page: Path, tmp_path: Path) -> None:
    commands = "\n".join(BLOCK.findall(page.read_text(encoding="utf-8")))
    places = dict.fromkeys(("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR"), str(tmp_path))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    Path("/run/netns").mkdir(exist_ok=True)
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", PRELUDE + commands],
        env={**os.environ, **places, "PATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_drop_reason_is_explained() -> None:
    text = (DOCS / "looking.md").read_text(encoding="utf-8")
    assert [
        reason.value for reason in DropReason if f"| `{reason.value}` | {reason.text} |" not in text
    ] == []


def test_every_link_leads_somewhere() -> None:
    pages = [*DOCS.glob("*.md"), *DOCS.parent.glob("*.md")]
    links = [(page, link) for page in pages for link in LINK.findall(page.read_text(encoding="utf-8"))]
    assert [str(page) + ": " + link for page, link in links if not (page.parent / link).exists()] == []
