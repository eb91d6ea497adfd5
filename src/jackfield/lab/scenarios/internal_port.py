"""The internal port: a network card that the switch makes."""

from __future__ import annotations

from jackfield.lab import namespaces
from jackfield.lab.scenarios.scenario import Scenario
from jackfield.lab.stage import Stage

BRIDGE, PORT = "br0", "vlan1000"
ADDRESS, NETMASK = "10.18.138.168", "255.255.255.0"
VISITOR = "10.18.138.171"


def play(stage: Stage) -> None:
    """One host with a switch, and a visitor on its NIC."""
    host, ovs = stage.switch_host, stage.ovs
    visitor = stage.station("visitor", "eth1", VISITOR)
    ovs.start()

    stage.step("A bridge", "It comes with a port of its own, the local port, which has the bridge's name.")
    ovs.add_bridge(BRIDGE)
    ports = ovs.vsctl(f"list-ifaces {BRIDGE}").split()
    ovs.vsctl("show")
    local = host.has(BRIDGE)
    stage.check(
        "a bridge has a local port with its name", local, f"the device {BRIDGE}" if local else "no device"
    )
    stage.check("the local port is not among those that a user adds", not ports, ", ".join(ports) or "none")

    stage.step("An internal port", "One command, and when it returns the device is there.")
    ovs.vsctl(f"add-port {BRIDGE} {PORT} -- set Interface {PORT} type=internal")
    is_there = host.has(PORT)
    stage.check("the device exists when add-port returns", is_there, PORT if is_there else "no device")
    mac, local_mac = host.mac(PORT), host.mac(BRIDGE)
    stage.check("it has a MAC of its own", mac != local_mac, f"{mac}, the local port {local_mac}")

    stage.step("It holds an address", "Like any network card.")
    if namespaces.is_installed("ifconfig"):
        host.run(f"ifconfig {PORT} {ADDRESS} netmask {NETMASK} up")
        text = host.run(f"ifconfig {PORT}")
    else:
        host.run(f"ip addr add {ADDRESS}/{NETMASK} dev {PORT}")
        host.run(f"ip link set {PORT} up")
        text = host.run(f"ip addr show {PORT}")
    stage.check("it holds an address", ADDRESS in text, ADDRESS if ADDRESS in text else "no address")

    stage.step("It answers", "A visitor at the other end of the host's NIC pings it.")
    ovs.add_ports(BRIDGE, ("eth1",))
    ovs.hide("eth1")
    with host.capture(PORT, "icmp", expected=6) as seen:
        stage.reaches("it answers ping from outside", visitor, ADDRESS)
    theirs = visitor.mac("eth0")
    requests = sum(f"{theirs} > {mac}" in line and "echo request" in line for line in seen.lines)
    replies = sum(f"{mac} > {theirs}" in line and "echo reply" in line for line in seen.lines)
    stage.check(
        "tcpdump on it shows both directions",
        requests == replies == 3,
        f"{requests} requests, {replies} replies",
    )
    counters = host.look(f"ip -s -o link show dev {PORT}")
    stage.reaches("the host reaches out by it", host, VISITOR, device=PORT)
    stage.check("its counters count", host.look(f"ip -s -o link show dev {PORT}") != counters, "ip -s link")

    stage.step("It goes", "And with it its device.")
    ovs.vsctl(f"del-port {BRIDGE} {PORT}")
    still = host.has(PORT)
    stage.check("after del-port the device is gone", not still, "still there" if still else "gone")


SCENARIO = Scenario(
    "internal-port",
    "The internal port",
    "A switch can make network cards: internal ports. To the host it is a device like any other, with a MAC, "
    "addresses, counters; to the switch it is a port like any other.",
    ("jackfield", "ovs"),
    play,
)
