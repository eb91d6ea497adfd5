"""Our switch and Open vSwitch, joined by two cables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bonds.ovs import OpenVSwitch, running
from tests.e2e.switch import Switch
from tests.netlab import Namespace, until

BOTH = ["e0", "e1"]
OURS, THEIRS = "10.9.0.1", "10.9.0.2"


@dataclass
class Pair:
    """Our switch and theirs, with cables from e0 to e0 and from e1 to e1, and a host behind each."""

    switch: Switch
    partner: OpenVSwitch
    far: Namespace
    near: Namespace

    def bond(self, ours: str = "lacp=active", theirs: str = "lacp=active") -> None:
        """Make the bond on both sides, with settings of their Port rows."""
        mode = "bond_mode=balance-tcp"
        self.partner.vsctl("add-bond", "br0", "bond1", *BOTH, mode, *theirs.split())
        self.switch.vsctl("add-bond", "br0", "bond1", *BOTH, mode, *ours.split())

    def attached(self, members: list[str]) -> bool:
        """Whether exactly these members carry frames, on either side."""
        return (
            members
            == enabled(self.switch.appctl("bond/show", "bond1"))
            == enabled(self.partner.appctl("bond/show", "bond1"))
        )

    def agree(self, members: list[str] = BOTH, deadline: float = 12.0) -> None:
        """Wait until they agree on these members, and frames pass."""
        until(lambda: self.attached(members), deadline=deadline, what=self.told)
        self.near.ping(THEIRS)

    def told(self) -> str:
        """What both sides say."""
        return "\n".join(side.appctl("lacp/show") for side in (self.switch, self.partner))

    def fields(self, side: Switch | OpenVSwitch, member: str, who: str) -> dict[str, str]:
        """What a side says of the actor or the partner of a member."""
        text = side.appctl("lacp/show", "bond1").split(f"member: {member}:")[1].split("\nmember:")[0]
        return dict(re.findall(rf"  {who} (\w+): ?(.*)", text))


def enabled(text: str) -> list[str]:
    """The members that `bond/show` tells to be enabled."""
    return re.findall(r"^member (\S+): enabled", text, re.MULTILINE)


@contextmanager
def joined(switch: Switch, directory: Path) -> Iterator[Pair]:
    """Both switches with their bridges and hosts, without bonds."""
    far, near = switch.lab.namespace("far"), switch.lab.namespace("near")
    for name in BOTH:
        switch.lab.cable(switch.host, name, far, name)
    # The kernel sees what the partner takes from its cables too, and would answer for the partner.
    with far.entered():
        Path("/proc/sys/net/ipv4/conf/all/arp_ignore").write_text("1")
    with running(directory, far) as partner:
        partner.add_bridge("br0")
        far.up("br0", f"{THEIRS}/24")
        switch.vsctl("add-br", "br0")
        switch.internal_in("br0", "tap1", near, f"{OURS}/24")
        yield Pair(switch, partner, far, near)
