"""The place of the experiments: a switch with containers in two VLANs and a card, and its traffic."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.e2e.switch import Switch, new_switch
from tests.loss.traffic import End, FlowPlan
from tests.netlab import Lab

WANDERER = "02:00:00:00:77:01"
BOND_WANDERER = "02:00:00:00:77:02"
STATIONS = "02:00:00:10:00:00"
MORE_STATIONS = "02:00:00:20:00:00"


@dataclass(frozen=True)
class Site:
    """Containers a and b in VLAN 10, c and d in VLAN 20, a neighbour on a card that is a trunk of both,
    untagged in VLAN 10, and two in VLAN 20 behind bonds: one whose two cables back each other up, and one
    whose two cables lead to a learning switch and share the stations."""

    lab: Lab
    switch: Switch
    ends: dict[str, End]

    def plans(self, rate: float = 500.0) -> list[FlowPlan]:
        """Flows of `rate` frames a second each: known stations, ever new ones, some that move to and fro."""
        end = self.ends
        return [
            FlowPlan("container to container", end["a"], end["b"], rate),
            FlowPlan("and back", end["b"], end["a"], rate),
            FlowPlan("container to card", end["a"], end["far"], rate),
            FlowPlan("card to container", end["far"], end["b"], rate),
            FlowPlan("container to bond", end["d"], end["bond"], rate),
            FlowPlan("bond to container", end["bond"], end["d"], rate),
            FlowPlan("container to balanced bond", end["d"], end["slb"], rate),
            FlowPlan("balanced bond to container", end["slb"], end["d"], rate),
            FlowPlan("ever new stations", end["c"], end["d"], rate, STATIONS, 4000),
            FlowPlan("ever new ones to a bond", end["d"], end["slb"], rate, MORE_STATIONS, 4000),
            FlowPlan("a station that moves, here", end["a"], end["far"], rate / 10, WANDERER),
            FlowPlan("a station that moves, there", end["b"], end["far"], rate / 10, WANDERER),
            FlowPlan("one that leaves a bond", end["c"], end["d"], rate / 10, BOND_WANDERER),
            FlowPlan("one that comes to a bond", end["bond"], end["d"], rate / 10, BOND_WANDERER),
        ]

    def done(self, words: list[str]) -> bool:
        """Run ovs-vsctl until the kernel is configured; False when the daemon ends before."""
        daemon = self.switch.daemon
        assert daemon.process is not None
        ended = os.pidfd_open(daemon.process.pid)
        command = self.switch.host.popen(
            "env", f"OVS_RUNDIR={daemon.rundir}", "ovs-vsctl", "--timeout=60", *words
        )
        finished = os.pidfd_open(command.pid)
        try:
            first, _, _ = select.select([ended, finished], [], [])
            return ended not in first and command.wait() == 0
        finally:
            os.close(ended)
            os.close(finished)
            command.kill()
            command.communicate()


def bonded(lab: Lab, switch: Switch) -> End:
    """The neighbour behind the active one of two bonded cards: should the other become it, all is lost."""
    neighbour = lab.namespace("bonded")
    for number in (6, 7):
        switch.lab.cable(switch.host, f"eth{number}", neighbour, f"eth{number}")
        neighbour.up(f"eth{number}")
        switch.host.up(f"eth{number}")
    switch.vsctl("add-bond", "br0", "bond0", "eth6", "eth7", "tag=20", "bond_mode=active-backup",
                 "other_config:bond-primary=eth7")  # fmt: skip
    return End(neighbour, "eth7", neighbour.mac("eth7"))


def balanced(lab: Lab, switch: Switch) -> End:
    """A station on a learning switch at the far end of both cables of a bond, and that switch. It sees who
    comes by which cable, and what it floods comes back by the other one."""
    partner, station = lab.namespace("partner"), lab.namespace("balanced")
    partner.ip("link", "add", "sw", "type", "bridge")
    switch.lab.cable(partner, "to0", station, "eth0")
    for number in (8, 9):
        switch.lab.cable(switch.host, f"eth{number}", partner, f"eth{number}")
    for port in ("to0", "eth8", "eth9"):
        partner.ip("link", "set", port, "master", "sw")
    partner.up("sw")
    switch.vsctl("add-bond", "br0", "bond1", "eth8", "eth9", "tag=20", "bond_mode=balance-slb")
    return End(station, "eth0", station.mac("eth0"))


@contextmanager
def new_site() -> Iterator[Site]:
    """The switch runs and all can reach each other."""
    with Lab() as lab, new_switch() as switch:
        far = lab.namespace("far")
        switch.lab.cable(switch.host, "eth1", far, "eth0")
        far.up("eth0", "10.0.0.9/24")
        switch.vsctl("add-br", "br0", "--", "set", "Bridge", "br0", "other_config:mac-table-size=65536")
        switch.vsctl("add-port", "br0", "eth1", "tag=10", "trunks=20", "vlan_mode=native-untagged")
        ends = {"far": End(far, "eth0", far.mac("eth0"))}
        for number, (name, tag) in enumerate({"a": 10, "b": 10, "c": 20, "d": 20}.items(), 1):
            namespace = lab.namespace(name)
            switch.internal_in("br0", f"tap{name}", namespace, f"10.0.0.{number}/24", f"tag={tag}")
            ends[name] = End(namespace, f"tap{name}", namespace.mac(f"tap{name}"))
        ends["bond"] = bonded(lab, switch)
        ends["slb"] = balanced(lab, switch)
        ends["a"].namespace.ping("10.0.0.9")
        ends["b"].namespace.ping("10.0.0.9")
        ends["c"].namespace.ping("10.0.0.4")
        yield Site(lab, switch, ends)
