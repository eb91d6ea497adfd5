"""A host boots on an emulated machine, with udev, on kernels that the switch supports: see tests/boot."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.boot.host import make_database
from tests.boot.prepare import MANAGERS
from tests.vm.guest import in_guest
from tests.vm.test_kernels import ALL, KERNELS

BOOT_SECONDS = 1800.0
"""So long a boot and what is looked at may take, on a busy machine."""

BOOTS = [(kernel, manager) for kernel in KERNELS for manager in MANAGERS] if ALL else [("6.12", "networkd")]


@pytest.mark.timeout(BOOT_SECONDS + 300)
@pytest.mark.parametrize(("kernel", "manager"), BOOTS)
def test_internal_ports_have_their_addresses_when_the_network_of_a_booted_machine_is_online(
    kernel: str, manager: str, tmp_path: Path
) -> None:
    database, console = tmp_path / "conf.db", tmp_path / "console"
    make_database(database)
    done = in_guest(
        kernel,
        *(sys.executable, "-m", "tests.boot.prepare", manager, str(database)),
        options=(f"--timeout={BOOT_SECONDS:g}", f"--console={console}"),
    )
    last = console.read_text(errors="replace")[-4000:]
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}\n{last}"
    assert " passed" in done.stdout
