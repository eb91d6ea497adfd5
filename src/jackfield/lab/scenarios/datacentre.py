"""The place of two scenarios: host A with two NICs in a bond, and host B in another subnet, behind a gateway.

    host A: eth0 -- sw1 --+-- gateway -- host B
            eth1 -- sw2 --+

The upstream switches carry VLAN 1000 tagged to host A and untagged to the gateway. The gateway sends from its
own MAC and answers ARP with a virtual one, as redundant gateways (VRRP, RFC 5798) do.
"""

from __future__ import annotations

from dataclasses import dataclass

from jackfield.lab import namespaces
from jackfield.lab.errors import LabError
from jackfield.lab.host import Host
from jackfield.lab.stage import Stage
from jackfield.lab.switches import Jackfield

BRIDGE, BOND, PORT, VLAN = "br-bond", "bond1", "vlan1000", 1000
NICS = ("eth0", "eth1")
CABLES = ("to-eth0", "to-eth1")  # their far ends, on the upstream switches
HOST_A, HOST_B = "10.18.138.168", "10.32.4.123"
GATEWAY, GATEWAY_OWN, GATEWAY_B = "10.18.138.1", "10.18.138.2", "10.32.4.1"
GATEWAY_MAC, VIRTUAL_MAC = "64:f6:9d:5a:bd:13", "aa:bb:cc:dd:ee:ff"


@dataclass(frozen=True, slots=True)
class Datacentre:
    """Its hosts. `upstream` is where both upstream switches are."""

    a: Host
    upstream: Host
    gateway: Host
    b: Host


def build(stage: Stage) -> Datacentre:
    """Everything but the switch of host A, which does not run yet."""
    a = stage.switch_host
    outside = stage.new_switch(Jackfield, "upstream")
    gateway, b = stage.host("gateway"), stage.host("hostB")
    for nic, cable in zip(NICS, CABLES, strict=True):
        stage.cable(a, nic, outside.host, cable)
    stage.cable(gateway, "lan", outside.host, "to-gw")
    stage.cable(gateway, "wan", b, "eth0")
    outside.host.look("jackfield daemon --detach")
    outside.host.look(
        "jackfield vsctl add-br sw1 -- add-br sw2"
        " -- add-port sw1 isl1 -- set Interface isl1 type=patch options:peer=isl2"
        " -- add-port sw2 isl2 -- set Interface isl2 type=patch options:peer=isl1"
        f" -- add-port sw1 to-eth0 trunks={VLAN} -- add-port sw2 to-eth1 trunks={VLAN}"
        f" -- add-port sw1 to-gw tag={VLAN}"
    )
    _configure_gateway(gateway)
    b.look(f"ip addr add {HOST_B}/24 dev eth0")
    b.look(f"ip route add default via {GATEWAY_B}")
    return Datacentre(a, outside.host, gateway, b)


def _configure_gateway(gateway: Host) -> None:
    gateway.look(f"ip link set lan address {GATEWAY_MAC}")
    try:
        gateway.look(f"ip link add virtual link lan address {VIRTUAL_MAC} type macvlan mode bridge")
    except LabError as error:
        raise LabError(f"the gateway's virtual MAC needs a macvlan device: {error}") from error
    # Each device answers ARP for its own addresses only, so that the virtual MAC goes with its address.
    settings = "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore; echo 1 > /proc/sys/net/ipv4/ip_forward"
    namespaces.quiet(*namespaces.inside(gateway.netns, "sh", "-c", settings))
    for device, address in (
        ("lan", f"{GATEWAY_OWN}/24"),
        ("virtual", f"{GATEWAY}/32"),
        ("wan", f"{GATEWAY_B}/24"),
    ):
        gateway.look(f"ip addr add {address} dev {device}")
        gateway.look(f"ip link set {device} up")


def configure_host_a(stage: Stage) -> None:
    """The commands of scenario 4, typed on host A."""
    a, ovs = stage.switch_host, stage.ovs
    ovs.start()
    ovs.add_bridge(BRIDGE)
    ovs.vsctl(f"add-bond {BRIDGE} {BOND} {' '.join(NICS)}")
    ovs.add_internal_port(BRIDGE, PORT, tag=VLAN)
    for nic in NICS:
        ovs.hide(nic)
    if namespaces.is_installed("ifconfig"):
        a.run(f"ifconfig {PORT} {HOST_A} netmask 255.255.255.0 up")
    else:
        a.run(f"ip addr add {HOST_A}/24 dev {PORT}")
        a.run(f"ip link set {PORT} up")
    a.run(f"ip route add default via {GATEWAY}")
