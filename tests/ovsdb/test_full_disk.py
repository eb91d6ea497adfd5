"""A server whose disk is full, or whose file may not grow, refuses changes, loses nothing, and recovers."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.ovsdb.standalone import OURS, Standalone, create

needs_clients = pytest.mark.skipif(shutil.which("ovsdb-client") is None, reason="OVS's clients are missing")

SMALL_DISK = """
set -e
mount -t tmpfs -o size=512k jft "$1"
cp "$2" "$1/a.db"
head -c 300000 /dev/zero > "$1/filler"
shift 2
exec "$@"
"""
UNMOUNTABLE = (
    os.geteuid() != 0
    or subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "jft", "/mnt"], capture_output=True
    ).returncode
)


def fill(server: Standalone) -> list[str]:
    """Insert until that is refused for want of room; what was acknowledged."""
    texts: list[str] = []
    while True:
        text = f"{len(texts):04}" + "x" * 20_000
        result = server.insert("Apples", text)
        if result is None or "error" in result:
            return texts
        texts.append(text)
        assert len(texts) < 100


def refusal(server: Standalone) -> str:
    """Why a change is refused that is no small one."""
    row = {"text": "y" * 30_000}
    results = server.transact("Apples", {"op": "insert", "table": "Item", "row": row})
    return str(results[-1]["details"])


@needs_clients
@pytest.mark.skipif(UNMOUNTABLE, reason="needs leave to mount")
def test_a_full_disk_refuses_commits_and_loses_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    seed = create(tmp_path / "seed.db", "Apples")
    inside = ("unshare", "--mount", "sh", "-c", SMALL_DISK, "sh", str(disk), str(seed))
    with Standalone(tmp_path / "s", (*inside, *OURS)) as server:
        server.start("-vconsole:off", disk / "a.db")
        assert server.process is not None
        disk = Path(f"/proc/{server.process.pid}/root{disk}")
        texts = fill(server)
        assert texts
        assert "No space left on device" in refusal(server)
        assert server.texts("Apples") == texts
        assert "No space left on device" in server.appctl("ovsdb-server/get-db-storage-status", "Apples")
        refused = server.appctl("ovsdb-server/compact", status=2)
        assert "rewrite failed (No space left on device)" in refused
        assert sorted(path.name for path in disk.iterdir()) == [".a.db.~lock~", "a.db", "filler"]
        (disk / "filler").unlink()
        texts.append("z" * 30_000)
        server.insert("Apples", texts[-1])
        assert server.texts("Apples") == texts
        assert server.appctl("ovsdb-server/get-db-storage-status", "Apples") == "status: ok\n"
        server.appctl("ovsdb-server/compact")
        texts.append("~")
        server.insert("Apples", texts[-1])
        shutil.copy(disk / "a.db", tmp_path / "copy.db")
    with Standalone(tmp_path / "again") as server:
        server.start(tmp_path / "copy.db")
        assert server.texts("Apples") == texts


@needs_clients
def test_a_file_that_may_not_grow_refuses_commits_and_loses_nothing(tmp_path: Path) -> None:
    file = create(tmp_path / "a.db", "Apples")
    with Standalone(tmp_path / "s") as server:
        server.start("-vconsole:off", file)
        assert server.process is not None
        pid = server.process.pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        texts = fill(server)
        assert "File too large" in refusal(server)
        assert server.texts("Apples") == texts
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        server.insert("Apples", "z")
        server.kill()
        server.start(file)
        assert server.texts("Apples") == [*texts, "z"]
