"""Boots a host in namespaces of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.switch import new_switch
from tests.netlab import until

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
NAMESPACES = ("--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup")


@dataclass(frozen=True)
class Booted:
    """What was seen: the tests' exit status, None when they did not end, and what there is to read."""

    status: int | None
    report: str


def make_database(file: Path) -> None:
    """The switch of a host, made once and for all: two cards and two internal ports, in VLANs 20 and 30."""
    with new_switch() as switch:
        far = switch.lab.namespace("far")
        switch.vsctl("add-br", "br0")
        for card, vlan in (("eth1", "20"), ("eth2", "30")):
            switch.lab.cable(switch.host, card, far, card)
            switch.vsctl("add-port", "br0", card, f"tag={vlan}")
            switch.internal("br0", f"vlan{vlan}")
            switch.vsctl("set", "Port", f"vlan{vlan}", f"tag={vlan}")
        shutil.copy(switch.daemon.dbdir / "conf.db", file)


def boot(manager: str, control: Path, seconds: float) -> Booted:
    """Boot it with the database `conf.db` in the folder `control`, which is the host's /run/jackfield-vm."""
    (control / "settings").touch()
    command = (sys.executable, "-m", "tests.boot.prepare", manager, "/run/jackfield-vm/conf.db")
    with cgroup(f"jft{os.getpid()}-{control.name}") as group:
        join = f'echo $$ >{group}/cgroup.procs && exec "$@"'
        machine = ("unshare", *NAMESPACES, "--fork", "--kill-child", "sh", "tests/boot/machine.sh")
        with subprocess.Popen(
            ["sh", "-euc", join, "sh", *machine, control, ROOT, *command],
            cwd=ROOT,
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{SYSTEM_PATH}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                said, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                said = process.communicate()[0] + f"\nnot done within {seconds:g} s"
    read = {name: file.read_text() for name in ("out", "err", "status") if (file := control / name).exists()}
    status = read.pop("status", "").strip()
    return Booted(int(status) if status else None, "\n".join([*read.values(), said]))


@contextmanager
def cgroup(name: str) -> Iterator[Path]:
    """A control group below the first one; what systemd makes in it goes with it."""
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    group = next(Path(place) for _, place, kind, *_ in mounts if kind == "cgroup2") / name
    group.mkdir()
    try:
        yield group
    finally:
        until(lambda: "populated 0" in (group / "cgroup.events").read_text(), what="the end of a host")
        for each in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
            each.rmdir()
        group.rmdir()
