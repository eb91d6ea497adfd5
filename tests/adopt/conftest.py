"""A switch for each file of tests, and a host with a card for each test."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.adopt.world import GATEWAY, GATEWAY6, World
from tests.e2e.conftest import nothing_is_left, shared_switch, switch
from tests.e2e.switch import Switch
from tests.netlab import Namespace, settled

__all__ = ["nothing_is_left", "shared_switch", "switch"]


def knows_vlans() -> bool:
    """Whether this kernel has Linux bridges that filter VLANs."""
    words = ("unshare", "--net", "ip", "link", "add", "jftvf", "type", "bridge", "vlan_filtering", "1")
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def knows_bonds() -> bool:
    """Whether this kernel has the driver for bonds."""
    loaded = Path("/sys/module/bonding").exists()
    return loaded or subprocess.run(["modprobe", "bonding"], capture_output=True, check=False).returncode == 0


collect_ignore = [
    *([] if knows_vlans() else ["test_import_vlans.py"]),
    *([] if knows_bonds() else ["test_linux_bond.py"]),
]


@pytest.fixture
def world(switch: Switch) -> World:
    return World(switch.lab, switch.daemon, switch.host)


@pytest.fixture
def inside(switch: Switch) -> Namespace:
    """A namespace with a cable to the host, as a container has it."""
    namespace = switch.lab.namespace("inside")
    switch.lab.cable(switch.host, "jftp1", namespace, "eth0")
    namespace.up("eth0", "10.0.0.7/24")
    namespace.ip("route", "add", "default", "via", GATEWAY)
    return namespace


@pytest.fixture
def bridged(switch: Switch, inside: Namespace) -> World:
    """The host's card and a container's cable on the Linux bridge lan0, which has the host's addresses."""
    assert inside
    switch.lab.defer(lambda: switch.host.run("ip", "link", "delete", "lan0", check=False))
    return World(switch.lab, switch.daemon, switch.host, bridge=("lan0", "eth0", "jftp1"))


@pytest.fixture
def bonded(switch: Switch) -> World:
    """The host's addresses on a bond of the kernel's, of eth0 and eth1, with cables to one network."""
    aside = switch.lab.namespace("aside")
    switch.lab.cable(switch.host, "eth1", aside, "two")
    switch.lab.defer(lambda: switch.host.run("ip", "link", "delete", "bond0", check=False))
    kind = "bond mode active-backup miimon 50"
    world = World(switch.lab, switch.daemon, switch.host, bridge=("bond0", "eth0", "eth1"), kind=kind)
    aside.ip("link", "set", "two", "netns", world.router.name)
    for words in (
        *("address flush dev lan", "link set lan down", "link set lan name one", "link add lan type bridge"),
        *("link set one master lan", "link set two master lan", "link set one up", "link set two up"),
    ):
        world.router.ip(*words.split())
    world.router.up("lan", f"{GATEWAY}/24", f"{GATEWAY6}/64")
    settled(world.router)
    return world
