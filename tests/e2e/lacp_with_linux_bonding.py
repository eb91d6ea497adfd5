"""LACP with the kernel's bonding driver (mode 802.3ad) as the partner, on kernels that have it.

Most test machines have none, so tests/vm runs this in an emulated kernel. By hand:

    scripts/vm 6.12 -- .venv/bin/python -m pytest tests/e2e/lacp_with_linux_bonding.py
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.switch import Switch
from tests.netlab import PATIENCE, Namespace, run, until

BOTH = ["e0", "e1"]
OURS, THEIRS = "10.9.0.1", "10.9.0.2"
CARRYING = 0x08 | 0x10 | 0x20  # synchronized, collecting, distributing


def has_driver() -> bool:
    """Whether this kernel has the bonding driver."""
    loaded = Path("/sys/module/bonding").exists()
    return loaded or subprocess.run(["modprobe", "bonding"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not has_driver(), reason="the kernel has no bonding driver")


@dataclass
class Pair:
    """Our switch and the driver's bond0, cables from e0 to e0 and from e1 to e1, and a host behind each."""

    switch: Switch
    far: Namespace
    near: Namespace

    def driver(self) -> str:
        """What the driver says of its bond."""
        return run("ip", "netns", "exec", self.far.name, "cat", "/proc/net/bonding/bond0").stdout

    def state(self, member: str, who: str) -> int:
        """The port state that the driver has of an actor or a partner."""
        section = self.driver().split(f"Slave Interface: {member}\n")[1].split("Slave Interface")[0]
        found = re.search(rf"details {who} lacp pdu:.*?port state: (\d+)", section, re.DOTALL)
        return int(found[1]) if found else 0

    def carrying(self, members: list[str]) -> bool:
        """Whether exactly these members carry frames, on either side."""
        theirs = [
            name
            for name in BOTH
            if all(self.state(name, who) & CARRYING == CARRYING for who in ("actor", "partner"))
        ]
        return self.enabled() == theirs == members

    def enabled(self) -> list[str]:
        """The members that we send by."""
        return re.findall(r"^member (\S+): enabled", self.switch.appctl("bond/show"), re.MULTILINE)

    def agree(self, members: list[str] = BOTH, seconds: float = 12.0) -> None:
        """Wait until they agree on these members, and frames pass."""
        until(
            lambda: self.carrying(members),
            deadline=seconds * PATIENCE,
            what=lambda: self.driver() + self.switch.appctl("lacp/show"),
        )
        self.near.ping(THEIRS, deadline=seconds * PATIENCE)


def connect(switch: Switch, rate: str, settings: str) -> Pair:
    """Make a bond on both sides."""
    far, near = switch.lab.namespace("far"), switch.lab.namespace("near")
    for name in BOTH:
        switch.lab.cable(switch.host, name, far, name)
        far.ip("link", "set", name, "down")
    policy = ("miimon", "50", "xmit_hash_policy", "layer3+4")
    far.ip("link", "add", "bond0", "type", "bond", "mode", "802.3ad", "lacp_rate", rate, *policy)
    for name in BOTH:
        far.ip("link", "set", name, "master", "bond0")
    far.up("bond0", f"{THEIRS}/24")
    switch.vsctl("add-br", "br0")
    switch.vsctl("add-bond", "br0", "bond1", *BOTH, "bond_mode=balance-tcp", *settings.split())
    switch.internal_in("br0", "tap1", near, f"{OURS}/24")
    return Pair(switch, far, near)


@pytest.fixture
def pair(switch: Switch) -> Iterator[Pair]:
    yield connect(switch, "slow", "lacp=active")


@pytest.mark.parametrize(
    ("rate", "settings"),
    [
        ("fast", "lacp=passive"),
        ("slow", "lacp=active other_config:lacp-time=fast"),
    ],
)
def test_both_sides_agree(switch: Switch, rate: str, settings: str) -> None:
    connect(switch, rate, settings).agree()


def test_a_cable_that_is_pulled_is_out_and_in_again(pair: Pair) -> None:
    pair.agree()
    pair.far.ip("link", "set", "e0", "down")
    until(lambda: pair.enabled() == ["e1"])
    pair.near.ping(THEIRS)
    pair.far.ip("link", "set", "e0", "up")
    pair.agree()


def test_a_member_that_the_partner_takes_away_is_out(switch: Switch) -> None:
    pair = connect(switch, "fast", "lacp=active other_config:lacp-time=fast")
    pair.agree()
    pair.far.ip("link", "set", "e1", "nomaster")
    pair.far.ip("link", "set", "e1", "up")
    until(
        lambda: pair.enabled() == ["e0"],
        deadline=12.0 * PATIENCE,
    )
    pair.near.ping(THEIRS)


def test_our_daemon_s_restart_is_not_noticed(pair: Pair) -> None:
    pair.agree()
    with pair.near.pinging(THEIRS) as lost:
        pair.switch.daemon.kill()
        assert pair.state("e0", "actor") & CARRYING == CARRYING
        pair.switch.daemon.start()
        assert pair.carrying(BOTH)
        assert lost() <= 1
