"""The host as gateway of a network: an internal port in the network's VLAN with the gateways' addresses."""

from __future__ import annotations

import errno
from contextlib import suppress

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.containers import ports
from jackfield.containers.docker_network import records
from jackfield.containers.docker_network.errors import Refusal
from jackfield.containers.docker_network.network import Network
from jackfield.containers.inside import Inside
from jackfield.net.errors import KernelError

OWN_NAMESPACE = "/proc/thread-self/ns/net"


def make(database: Database, network_id: str, network: Network) -> None:
    """Make the port, unless the network has it already, and give it the addresses. Raises Refusal or Failure
    and leaves no port behind then."""
    name = network.gateway_port
    if not network.gateways:
        raise Refusal(f"option gateway-port: the network has no gateway whose address {name} could have")
    there = ports.find_interface(database, name)
    if there is not None and there.external_ids.get(records.NETWORK) != network_id:
        raise Refusal(f"option gateway-port: the switch has a port {name} already")
    if there is None:
        ports.make_port(
            database,
            network.bridge,
            name,
            port=network.vlans.columns(),
            interface={
                "type": "internal",
                "external_ids": {records.NETWORK: network_id},
                **({"mtu_request": network.mtu} if network.mtu else {}),
            },
        )
    try:
        address(network)
    except KernelError as error:
        with suppress(Failure):
            ports.remove_ports(database, (name,))
        raise Refusal(f"option gateway-port: {error}") from error


def address(network: Network) -> None:
    """Bring the port up with its addresses; what it has already stays. Raises KernelError."""
    with Inside(OWN_NAMESPACE) as host:
        device = host.device(network.gateway_port)
        if device is None:
            raise KernelError(f"looking for device {network.gateway_port}", errno.ENODEV)
        host.set_up(device)
        for gateway in network.gateways:
            host.add_address(device, gateway)
