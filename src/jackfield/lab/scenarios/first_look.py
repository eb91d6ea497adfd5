"""A switch at work: one switch, three hosts, two VLANs, and nobody needed to keep it going."""

from __future__ import annotations

from dataclasses import dataclass

from jackfield.lab.host import Host
from jackfield.lab.scenarios.scenario import Scenario
from jackfield.lab.stage import Stage
from jackfield.lab.switches import Learned

BRIDGE = "br0"
VLAN = 1000
PINGS = 2


@dataclass(frozen=True, slots=True)
class Station:
    """An internal port, the host that has it, its address and its VLAN (0: untagged)."""

    host: Host
    port: str
    address: str
    vlan: int


def play(stage: Stage) -> None:
    """The host of the switch, red and blue: all three in VLAN 1000, red and blue also in the untagged LAN."""
    host, switch = stage.switch_host, stage.ovs
    red, blue = stage.host("red"), stage.host("blue")
    here = Station(host, "vlan1000", "10.18.138.168", VLAN)
    red_tagged, blue_tagged = (
        Station(red, "red1000", "10.18.138.171", VLAN),
        Station(blue, "blue1000", "10.18.138.172", VLAN),
    )
    red_plain, blue_plain = Station(red, "red0", "10.0.0.11", 0), Station(blue, "blue0", "10.0.0.12", 0)
    stations = (here, red_tagged, blue_tagged, red_plain, blue_plain)

    stage.step("A switch", "The daemon, with a database and a run directory of its own, and a bridge.")
    switch.start()
    switch.add_bridge(BRIDGE)

    stage.step("A network card for the host", f"An internal port, access port of VLAN {VLAN}.")
    add(stage, here)
    stage.step("Network cards for red and blue", "Made on the switch, and moved to where they are wanted.")
    for station in stations[1:]:
        add(stage, station)
    stage.step("What is there", "As ovs-vsctl shows it.")
    switch.vsctl("show")
    stage.draw("One switch, three hosts, two VLANs")

    stage.step(
        "Do they reach each other?", "In VLAN 1000 all three do, and in the untagged LAN red and blue."
    )
    stage.reaches("VLAN 1000: the host reaches red", host, red_tagged.address)
    stage.reaches("VLAN 1000: red reaches blue", red, blue_tagged.address, device=red_tagged.port)
    stage.reaches("untagged: red reaches blue", red, blue_plain.address)
    stage.does_not_reach(
        "the untagged LAN does not reach VLAN 1000", blue, here.address, device=blue_plain.port
    )

    stage.step("What was learned", "Each station's MAC, in its VLAN, behind its port.")
    known = switch.learned(BRIDGE)
    missing = [
        station.port
        for station in stations
        if Learned(station.port, station.vlan, station.host.mac(station.port)) not in known
    ]
    stage.check(
        "every station was learned in its VLAN, behind its port",
        not missing,
        f"not {', '.join(missing)}" if missing else f"{len(stations)} of {len(stations)}",
    )

    stage.step("What tcpdump sees", "Both directions, on the internal port itself, without a tag.")
    with host.capture(here.port, "icmp", expected=2 * PINGS) as seen:
        red.ping(here.address, count=PINGS)
    requests = sum("echo request" in line for line in seen.lines)
    replies = sum("echo reply" in line for line in seen.lines)
    tagged = sum("vlan" in line for line in seen.lines)
    stage.check(
        "tcpdump on an internal port shows both directions, untagged",
        requests == replies == PINGS and not tagged,
        f"{requests} requests, {replies} replies, {tagged} tagged",
    )

    stage.step("Without the daemon", "It stops; what forwards is in the kernel. Then it comes back.")
    host.run("jackfield stop")
    stage.reaches("with the daemon stopped, the host reaches red", host, red_tagged.address)
    switch.start()
    stage.reaches("with the daemon back, the host reaches red", host, red_tagged.address)

    stage.step("Clean up", "The daemon ends and takes along every device and program that it made.")
    host.run("jackfield stop --cleanup")
    devices = [line.split(":")[1].strip() for line in host.look("ip -o link show").splitlines()]
    left = [device for device in devices if device != "lo"]
    stage.check("after it, no device is left", not left, ", ".join(left) or "none")


def add(stage: Stage, station: Station) -> None:
    """Put an internal port on the switch, where its host is, with its address."""
    stage.ovs.add_internal_port(BRIDGE, station.port, tag=station.vlan)
    if station.host is not stage.switch_host:
        stage.switch_host.run(f"ip link set {station.port} netns {station.host.name}")
    station.host.run(f"ip addr add {station.address}/24 dev {station.port}")
    station.host.run(f"ip link set {station.port} up")


SCENARIO = Scenario(
    "first-look",
    "A switch at work",
    "One switch, three hosts, two VLANs: internal ports for the host and for two namespaces, who reaches "
    "whom, what the switch learned, what tcpdump sees, and that it all goes on without the daemon.",
    ("jackfield",),
    play,
)
