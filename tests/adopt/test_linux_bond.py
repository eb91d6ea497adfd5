"""A bond of the kernel's own as the host's card: only where the kernel has them (conftest.py)."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from tests.adopt.hosts import deaf_gateway, elaborate
from tests.adopt.world import GATEWAY, GATEWAY6, HOST, Stream, World, kill
from tests.netlab import DEADLINE, until


def active(world: World) -> str:
    """The member that carries the bond's frames."""
    told = world.host.run("cat", "/proc/net/bonding/bond0").stdout
    found = re.search(r"Currently Active Slave: (eth\d)", told)
    return found[1] if found else ""


def test_a_bond_is_adopted_and_released_and_no_connection_notices(bonded: World) -> None:
    world = bonded
    elaborate(world, "bond0")
    before = world.layer3("bond0")
    with world.everything_as_before(), Stream(world) as stream:
        assert world.jackfield("adopt", "bond0", "--port", "mgmt0").splitlines() == [
            "bond0 on bridge br0, addresses on mgmt0",
            f"asking {GATEWAY}, {GATEWAY6} through mgmt0",
        ]
        stream.goes_on()
        assert world.layer3("mgmt0") == before
        assert world.layer3("bond0")["addresses"] == []
        assert world.host.mac("mgmt0") == world.host.mac("bond0")
        assert world.daemon.vsctl("list-ports", "br0").split() == ["bond0", "mgmt0"]
        carrier = active(world)
        world.router.ip("link", "set", {"eth0": "one", "eth1": "two"}[carrier], "down")
        until(lambda: active(world) not in ("", carrier), what="the other member in use")
        stream.goes_on()
        assert world.jackfield("release", "bond0") == "bond0 off bridge br0, addresses on bond0\n"
        stream.goes_on()


def test_a_gateway_that_does_not_answer_any_more_puts_everything_back(bonded: World) -> None:
    with bonded.everything_as_before(), Stream(bonded) as stream:
        with deaf_gateway(bonded):
            said = bonded.jackfield("adopt", "bond0", "--confirm-timeout", "1", code=1)
        assert said.splitlines()[-1] == (
            f"jackfield: {GATEWAY} has not answered through br0 within 1 seconds. "
            "Everything is as it was before."
        )
        stream.goes_on()


STAGES = {
    "the bond is on the bridge": lambda world: "bond0" in world.daemon.vsctl("list-ports", "br0"),
    "the bond is bare": lambda world: HOST not in world.host.ip("address", "show", "dev", "bond0"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_command_killed_in_the_middle_is_put_back(bonded: World, stage: str) -> None:
    world = bonded
    with world.everything_as_before(), Stream(world) as stream, deaf_gateway(world):
        command = world.start("adopt", "bond0", "--confirm-timeout", "600")
        _reaches(command, lambda: "br0" in world.host.devices(), "a bridge")
        _reaches(command, lambda: STAGES[stage](world), stage)
        kill(command)
        until(lambda: not world.undecided(), what="the way back", deadline=6 * DEADLINE)
        stream.goes_on()
        assert world.mac_the_router_knows() == world.host.mac("bond0")


def test_a_member_of_a_bond_is_not_adopted_by_itself(bonded: World) -> None:
    with bonded.everything_as_before():
        said = bonded.jackfield("adopt", "eth0", code=1)
    assert said.startswith("jackfield: eth0: it belongs to the bond bond0; `jackfield adopt bond0` takes")


def _reaches(command: subprocess.Popen[str], condition: Callable[[], bool], what: str) -> None:
    """Wait for something that a running command is about to do."""
    until(lambda: condition() or command.poll() is not None, deadline=6 * DEADLINE, what=what)
    assert command.poll() is None, command.communicate()[0]
