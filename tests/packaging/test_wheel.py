"""The built wheel, installed where there is no compiler and no source."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., str]


def run(*argv: str | Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, f"{argv}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A virtual environment with the wheel; what the wheel depends on is lent by the one the tests run in."""
    run(ROOT / "scripts" / "build", tmp_path / "dist")
    (wheel,) = (tmp_path / "dist").iterdir()
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel)
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    Path(site, "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return venv


@pytest.fixture
def bare(installed: Path, tmp_path: Path) -> Iterator[Run]:
    """Runs commands in a namespace where PATH leads to the wheel's commands and `ip`, and to no compiler."""
    tools = tmp_path / "tools"
    tools.mkdir()
    ip = shutil.which("ip")
    assert ip is not None
    (tools / "ip").symlink_to(ip)
    namespace = f"jft-wheel-{os.getpid()}"
    places = dict.fromkeys(("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR"), str(tmp_path / "run"))
    env = {**places, "PATH": f"{installed / 'bin'}:{tools}", "LC_ALL": "C.UTF-8"}
    nsenter = shutil.which("nsenter")
    assert nsenter is not None

    def in_namespace(*argv: str) -> str:
        return run(nsenter, f"--net=/run/netns/{namespace}", *argv, env=env)

    (tmp_path / "run").mkdir()
    run(ip, "netns", "add", namespace)
    try:
        yield in_namespace
    finally:
        if (tmp_path / "run" / "ovs-vswitchd.pid").exists():
            in_namespace("jackfield", "stop", "--cleanup")
        run(ip, "netns", "del", namespace)


def test_an_installed_wheel_is_a_working_switch_without_a_compiler(installed: Path, bare: Run) -> None:
    where = bare("python", "-c", "import jackfield; print(jackfield.__file__)")
    assert where.startswith(str(installed))
    assert "vsctl" in bare("jackfield", "--help")
    bare("jackfield", "daemon", "--detach")
    bare("jackfield", "vsctl", "add-br", "jft-br0")
    bare(
        "jackfield",
        "vsctl",
        "add-port",
        "jft-br0",
        "jft-p1",
        "--",
        "set",
        "Interface",
        "jft-p1",
        "type=internal",
    )
    assert bare("jackfield", "vsctl", "list-ports", "jft-br0") == "jft-p1\n"
    assert "jft-p1" in bare("ip", "link", "show", "dev", "jft-p1")
    bare("jackfield", "stop", "--cleanup")
    assert "jft-" not in bare("ip", "link")
