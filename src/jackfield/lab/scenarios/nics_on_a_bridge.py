"""A host whose NICs are all on a bridge: how it is reached then."""

from __future__ import annotations

from jackfield.lab.scenarios.scenario import Scenario
from jackfield.lab.stage import Stage

BRIDGE = "br0"
NICS = ("eth0", "eth1", "eth2")
ADDRESS = "10.0.0.1"


def play(stage: Stage) -> None:
    """Three stations, each at the far end of one of the host's three NICs."""
    host, switch = stage.switch_host, stage.switch
    desk = stage.station("desk", "eth0", "10.0.0.10")
    client = stage.station("client", "eth1", "10.0.0.11")
    stage.station("server", "eth2", "10.0.0.12")
    stations = {name: stage.hosts[name] for name in ("desk", "client", "server")}

    stage.step("Before: no switch", "The host's address is on eth0, as on any host.")
    host.run(f"ip addr add {ADDRESS}/24 dev eth0")
    stage.reaches("before: desk reaches the host", desk, ADDRESS)

    stage.step(
        "2.0: every NIC on a bridge, and nothing else",
        "A NIC on a bridge is a port of layer 2: what comes in is the switch's, and the NIC's address is not "
        "answered. The switch itself works: stations reach each other through it.",
    )
    switch.start()
    switch.add_bridge(BRIDGE)
    switch.add_ports(BRIDGE, NICS)
    for nic in NICS:
        switch.hide(nic)
    forget(stage)
    with desk.capture("eth0", f"host {ADDRESS}", expected=1):
        stage.does_not_reach("2.0: desk no longer reaches the host", desk, ADDRESS)
    stage.reaches("2.0: client reaches server through the switch", client, "10.0.0.12")

    stage.step(
        "2.2: a virtual access port",
        "All NICs stay on the bridge; the address moves to a port that the switch itself has: an internal "
        "port, or a Linux bridge's own device. The host is reachable through any NIC.",
    )
    host.run(f"ip addr del {ADDRESS}/24 dev eth0")
    port = switch.add_virtual_port(BRIDGE, "mgmt0")
    host.run(f"ip addr add {ADDRESS}/24 dev {port}")
    host.run(f"ip link set {port} up")
    forget(stage)
    for (name, station), nic in zip(stations.items(), NICS, strict=True):
        stage.reaches(f"2.2: {name} reaches the host, through {nic}", station, ADDRESS)
    host.run(f"ip addr del {ADDRESS}/24 dev {port}")

    stage.step(
        "2.1: a physical access port",
        "eth0 stays off the bridge and has the address: it needs no switch to be reached, and it carries "
        "none of the switch's traffic. Then the switch is killed.",
    )
    take_off(stage, "eth0")
    host.run(f"ip addr add {ADDRESS}/24 dev eth0")
    forget(stage)
    stage.reaches("2.1: desk reaches the host, by eth0", desk, ADDRESS)
    with desk.capture("eth0", expected=0) as cable:
        client.ping("10.0.0.12")
    stage.check(
        "2.1: eth0 carries none of the switch's traffic", not cable.lines, f"{len(cable.lines)} frames"
    )
    switch.kill()
    stage.reaches("2.1: with the switch killed, desk still reaches the host", desk, ADDRESS)
    if stage.is_jackfield:
        stage.reaches(
            "with the daemon killed, the switch goes on: client reaches server", client, "10.0.0.12"
        )


def take_off(stage: Stage, nic: str) -> None:
    """Take a NIC off the bridge, and let the host hear it again."""
    if stage.is_linux_bridge:
        stage.switch_host.run(f"ip link set {nic} nomaster")
        return
    stage.ovs.vsctl(f"del-port {BRIDGE} {nic}")
    stage.switch.show(nic)


def forget(stage: Stage) -> None:
    """Have everybody ask anew who has an address, as they would after a while."""
    for host in stage.hosts.values():
        host.look("ip neigh flush all")


SCENARIO = Scenario(
    "nics-on-a-bridge",
    "A host whose NICs are all on a bridge",
    "Put every NIC of a host on a bridge, and the host is gone from the network. Two ways out: keep one NIC "
    "off the bridge for the host (a physical access port), or give the host a port that the switch itself "
    "has (a virtual access port). The first outlives the switch, the second is reachable through every NIC.",
    ("jackfield", "linux", "ovs"),
    play,
)
