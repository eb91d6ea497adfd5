"""The switch as a systemd service: the unit, its watchdog, and the powers it leaves to the daemon."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest

from jackfield.service.unit import CAPABILITIES, Service, unit_text
from jackfield.switchd.watchdog import give_signs, watchdog_seconds
from tests.daemon import Daemon
from tests.datapath.world import run


def jackfield(*words: str, code: int = 0) -> str:
    done = subprocess.run([".venv/bin/jackfield", *words], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "jackfield.service"
    unit.write_text(unit_text(Service("/bin/true", rundir="/run/with blank")))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--generators=no", str(unit)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_enabled_service_stands_for_open_vswitchs(tmp_path: Path) -> None:
    """Debian's hooks of ifupdown start openvswitch-switch.service when it is not active; netplan's units want
    ovsdb-server.service."""
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    (folder / "jackfield.service").write_text(unit_text(Service("/bin/true")))
    subprocess.run(
        ["systemctl", f"--root={tmp_path}", "enable", "jackfield.service"], check=True, capture_output=True
    )
    for name in ("openvswitch-switch", "ovsdb-server", "ovs-vswitchd"):
        assert (folder / f"{name}.service").readlink().name == "jackfield.service"


def test_systemd_starts_it_before_whatever_configures_the_network(tmp_path: Path) -> None:
    """As systemd itself understands the unit once it is enabled and has its other names."""
    unit = tmp_path / "jackfield.service"
    unit.write_text(unit_text(Service("/bin/true")))
    for name in ("ovsdb-server", "ovs-vswitchd", "openvswitch-switch"):
        (tmp_path / f"{name}.service").symlink_to(unit.name)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--generators=no", str(unit)],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "SYSTEMD_LOG_LEVEL": "debug"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    understood = done.stdout.partition("-> Unit jackfield.service:")[2].partition("-> Unit")[0]
    before = set(re.findall(r"\tBefore: (\S+)", understood))
    managers = {f"{name}.service" for name in ("systemd-networkd", "NetworkManager", "networking")}
    targets = {f"{name}.target" for name in ("network-pre", "network", "network-online")}
    assert managers | targets | {"netplan-ovs-cleanup.service"} <= before


def test_a_path_with_unusual_characters_is_one_word_of_the_unit() -> None:
    assert 'ExecStart="/opt/100%% \\"it\\"/jackfield" daemon' in unit_text(
        Service('/opt/100% "it"/jackfield')
    )


def test_the_service_is_written_and_removed(tmp_path: Path) -> None:
    unit = tmp_path / "jackfield.service"
    said = jackfield("install-service", "--directory", str(tmp_path))
    assert f"wrote {unit}" in said and "systemctl enable jackfield" in said
    assert unit.read_text() == jackfield("install-service", "--print")
    assert jackfield("install-service", "--directory", str(tmp_path), "--remove") == f"removed {unit}\n"
    assert not unit.exists()


def test_removing_what_is_not_there_is_refused(tmp_path: Path) -> None:
    said = jackfield("install-service", "--directory", str(tmp_path), "--remove", code=1)
    assert "there is no such file; nothing to remove" in said


def test_a_command_that_cannot_run_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        said = jackfield("install-service", "--print", "--command", str(path), code=1)
        assert f"{path}: is not a command that can be run" in said


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_manager_says_how_often_it_wants_a_sign(
    environment: dict[str, str], seconds: float | None
) -> None:
    assert watchdog_seconds(environment, 7) == seconds


def test_no_sign_is_given_while_work_on_the_kernel_hangs() -> None:
    signs: list[str] = []

    async def scene() -> None:
        turns = 0

        async def work() -> None:
            nonlocal turns
            turns += 1
            if turns > 3:
                await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(give_signs(0.003, work, signs.append), 0.2)

    asyncio.run(scene())
    assert signs == ["WATCHDOG=1"] * 3


def test_the_capabilities_of_the_unit_are_enough(tmp_path: Path, host: str, guest: str) -> None:
    daemon = Daemon(tmp_path / "switch", netns=host)
    kept = ",".join("+" + name.lower().removeprefix("cap_") for name in CAPABILITIES)
    daemon.wrapper = ["setpriv", "--no-new-privs", f"--bounding-set=-all,{kept}"]
    with daemon:
        daemon.vsctl("add-br", "br0")
        daemon.vsctl("add-port", "br0", "jftp0", "--", "set", "Interface", "jftp0", "type=internal")
        run("ip", "-n", host, "link", "set", "br0", "up")
        run("ip", "-n", host, "address", "add", "192.0.2.1/24", "dev", "br0")
        run("ip", "-n", host, "link", "set", "jftp0", "netns", guest)
        run("ip", "-n", guest, "address", "add", "192.0.2.2/24", "dev", "jftp0")
        run("ip", "-n", guest, "link", "set", "jftp0", "up")
        run("ip", "netns", "exec", guest, "ping", "-c", "3", "-i", "0.2", "-W", "2", "192.0.2.1")
        # The daemon changes the MTU of a device in another namespace: it has to enter that one.
        daemon.vsctl("set", "Interface", "jftp0", "mtu_request=1400")
        daemon.vsctl("set", "Interface", "br0", "mtu_request=1400")
        daemon.restart()
        assert "mtu 1400" in run("ip", "-n", guest, "link", "show", "jftp0")
        assert daemon.log_warnings() == []
