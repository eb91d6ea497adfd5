"""The switch on the oldest kernel that is supported (clsact and cls_bpf) and on one with TCX and netkit.

A core of the suite always; with JACKFIELD_TEST_KERNELS=all (`scripts/test --kernels`) all that the kernel has
a part in. What is left out even then is about commands, the database and pure logic, or searches at random.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.vm.guest import GUEST_SECONDS, in_guest, pytest_in_guest

KERNELS = ("6.1", "6.12")
ALL = os.environ.get("JACKFIELD_TEST_KERNELS") == "all"

FIRST, INTERNAL, RESTARTS = (
    f"tests/e2e/test_{name}.py::test_" for name in ("first_steps", "internal_ports", "restarts")
)
ADOPTED = "test_a_bond_is_adopted_and_released_and_no_connection_notices"
CORE = (
    "tests/program/test_scenarios.py",
    "tests/vm/inside",
    "tests/datapath/test_carrier.py",
    "tests/e2e/test_device_kinds.py",
    FIRST + "two_containers_with_internal_ports_as_their_cards_reach_each_other_and_the_outside",
    INTERNAL + "a_port_works_in_another_namespace_renamed_there_moved_on_and_brought_back",
)
# What no kernel for small virtual machines can show: bridges that filter VLANs, the driver for bonds.
ONLY_THERE = (
    "tests/adopt/test_import_vlans.py",
    "tests/adopt/test_linux_bond.py" + ("" if ALL else "::" + ADOPTED),
    "tests/e2e/lacp_with_linux_bonding.py",
)
E2E = {
    "scenarios": ("scenarios",),
    "ports": ("first_steps", "internal_ports", "ports_elsewhere", "system_ports", "patch_ports"),
    "changes": ("restarts", "changes", "offloads", "drift"),
    "bonds, protections and loops": ("bonds_runtime", "bonds_odd", "protection", "loops"),
}
WHOLE = {
    "program and devices": (
        *("tests/vm/inside", "tests/datapath", "tests/net", "tests/e2e/test_device_kinds.py"),
        *(f"tests/program/test_{name}.py" for name in ("bindings", "kept_decisions", "scenarios")),
        "tests/service/test_managers.py",
    ),
    **{part: tuple(f"tests/e2e/test_{name}.py" for name in names) for part, names in E2E.items()},
}
"""Each in a guest of its own."""
PARTS = WHOLE if ALL else {"core": CORE}

pytestmark = pytest.mark.timeout(GUEST_SECONDS + 300)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_switch_works_on_kernel(kernel: str, part: str) -> None:
    assert " passed" in pytest_in_guest(kernel, *PARTS[part])


def test_linux_bridges_with_vlans_and_linux_bonds_are_taken_over_and_agree_on_lacp() -> None:
    assert " passed" in pytest_in_guest("6.12", *ONLY_THERE)


def test_the_exit_status_the_output_and_the_errors_of_a_command_inside_come_out() -> None:
    done = in_guest("6.12", "uname -r; echo trouble >&2; echo lost >/etc/jft-lost; exit 7")
    assert done.returncode == 7
    assert done.stdout.startswith("6.12.")
    assert done.stderr.endswith("trouble\n")
    assert not Path("/etc/jft-lost").exists()
