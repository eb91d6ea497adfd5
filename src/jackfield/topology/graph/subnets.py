"""The L3 view of a scene: who has which address on which network. A host's ports that have no address do not
show in it: from outside, a host is its L3 interfaces."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_interface, ip_network

from jackfield.topology.graph.scene import DeviceNode, HostNode, Scene


@dataclass(frozen=True, slots=True)
class Leg:
    """A host's address on a subnet."""

    host: HostNode
    device: DeviceNode
    address: str


@dataclass(frozen=True, slots=True)
class Subnet:
    """A network of addresses on one segment: a VLAN of a bridge, a cable, or, where it is not known, ""."""

    network: str
    segment: str
    legs: tuple[Leg, ...]


def subnets(scene: Scene) -> tuple[Subnet, ...]:
    """All of them, IPv4 first, by address."""
    found: dict[tuple[int, object, str], list[Leg]] = {}
    for host in scene.hosts:
        for device in host.devices:
            for text in device.addresses:
                try:
                    address = ip_interface(text)
                except ValueError:
                    continue  # "dhcp": it has none yet
                network = address.network
                found.setdefault((network.version, network, device.segment), []).append(
                    Leg(host, device, text)
                )
    made = (Subnet(str(key[1]), key[2], tuple(legs)) for key, legs in found.items())
    return tuple(sorted(made, key=_order))


def _order(subnet: Subnet) -> tuple[int, int, str]:
    network = ip_network(subnet.network)
    return network.version, int(network.network_address), subnet.segment
