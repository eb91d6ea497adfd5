"""The driver: what Docker asks of it, method by method (libnetwork, "Remote Drivers").

An endpoint is a port with an internal interface. It is made in the host's namespace under a name of its own;
Docker moves it into the container's and gives it its name and addresses there. Everything is in the database:
the driver itself may be ended and started at any time.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Mapping
from typing import Any

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.client.operations import set_keys
from jackfield.containers import ports
from jackfield.containers.docker_network import gateway, records
from jackfield.containers.docker_network.errors import Malformed, Refusal
from jackfield.containers.docker_network.network import Network, read_network

Answer = dict[str, Any]
PORT_MAP = "com.docker.network.portmap"
DOCKERS = "com.docker."
DEVICE_PREFIX = "eth"
_INTERFACE_ID = "iface-id"


class Driver:
    """Answers requests, one at a time. Methods raise Refusal, Failure or Malformed."""

    def __init__(self) -> None:
        self._methods: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
            "/Plugin.Activate": lambda _: {"Implements": ["NetworkDriver"]},
            "/NetworkDriver.GetCapabilities": lambda _: {"Scope": "local", "ConnectivityScope": "local"},
            "/NetworkDriver.CreateNetwork": self.create_network,
            "/NetworkDriver.DeleteNetwork": self.delete_network,
            "/NetworkDriver.CreateEndpoint": self.create_endpoint,
            "/NetworkDriver.EndpointOperInfo": self.endpoint_info,
            "/NetworkDriver.DeleteEndpoint": self.delete_endpoint,
            "/NetworkDriver.Join": self.join,
            "/NetworkDriver.Leave": self.leave,
            "/NetworkDriver.DiscoverNew": lambda _: {},
            "/NetworkDriver.DiscoverDelete": lambda _: {},
        }

    def knows(self, path: str) -> bool:
        """Whether there is such a method."""
        return path in self._methods

    def answer(self, path: str, request: Mapping[str, Any]) -> Answer:
        """The answer to a request; one that cannot be fulfilled is answered by a sentence in "Err"."""
        try:
            return self._methods[path](request)
        except (Failure, Refusal) as error:
            return {"Err": str(error)}

    def create_network(self, request: Mapping[str, Any]) -> Answer:
        """Keep a network. Docker may tell of one again that is known."""
        network_id, network = _text(request, "NetworkID"), read_network(request)
        with Database.open() as database:
            ports.find_bridge(database, network.bridge)
            if network.gateway_port:
                gateway.make(database, network_id, network)
            database.transact([records.keep_network(database, network_id, network)])
        return {}

    def delete_network(self, request: Mapping[str, Any]) -> Answer:
        """Forget a network, and remove ports that are left of it."""
        network_id = _text(request, "NetworkID")
        with Database.open() as database:
            left = ports.interfaces_with(database, {records.NETWORK: network_id})
            ports.remove_ports(database, [port.name for port in left])
            database.transact([records.forget_network(database, network_id)])
        return {}

    def create_endpoint(self, request: Mapping[str, Any]) -> Answer:
        """Make the port of a container."""
        network_id, endpoint_id = _text(request, "NetworkID"), _text(request, "EndpointID")
        _check_options(request.get("Options") or {})
        interface = request.get("Interface") or {}
        if not isinstance(interface, dict):
            raise Malformed("Interface is not an object")
        asked = str(interface.get("MacAddress") or "")
        address = str(interface.get("Address") or interface.get("AddressIPv6") or endpoint_id)
        mac = asked or stable_mac(network_id, address.partition("/")[0])
        with Database.open() as database:
            network = _network(database, network_id)
            ids = {
                records.NETWORK: network_id,
                records.ENDPOINT: endpoint_id,
                _INTERFACE_ID: endpoint_id,
                "attached-mac": mac,
            }
            ports.make_port(
                database,
                network.bridge,
                port_name(endpoint_id),
                port=network.vlans.columns(),
                interface={
                    "type": "internal",
                    "mac": mac,
                    "external_ids": ids,
                    **({"mtu_request": network.mtu} if network.mtu else {}),
                },
            )
        # What Docker has decided must not be said again.
        return {"Interface": {} if asked else {"MacAddress": mac}}

    def endpoint_info(self, request: Mapping[str, Any]) -> Answer:
        """What `docker network inspect --verbose` may show of an endpoint."""
        with Database.open() as database:
            port = records.endpoint(database, _text(request, "EndpointID"))
        return {"Value": {} if port is None else {"port": port.name, "mac": port.mac, "error": port.error}}

    def delete_endpoint(self, request: Mapping[str, Any]) -> Answer:
        """Remove the port of a container; no error when it is gone."""
        with Database.open() as database:
            ports.remove_ports(database, (port_name(_text(request, "EndpointID")),))
        return {}

    def join(self, request: Mapping[str, Any]) -> Answer:
        """Say which device belongs into a container, and by which gateways it goes on."""
        network_id, endpoint_id = _text(request, "NetworkID"), _text(request, "EndpointID")
        with Database.open() as database:
            network = _network(database, network_id)
            port = records.endpoint(database, endpoint_id)
            if port is None:
                raise Refusal(f"endpoint {endpoint_id[:12]} has no port on bridge {network.bridge}")
            pairs = {records.SANDBOX: str(request.get("SandboxKey") or "")}
            database.transact([set_keys("Interface", port.uuid, "external_ids", pairs)])
        answer: Answer = {"InterfaceName": {"SrcName": port.name, "DstPrefix": DEVICE_PREFIX}}
        gateways = (
            {}
            if network.internal
            else {
                "Gateway": network.gateway(socket.AF_INET),
                "GatewayIPv6": network.gateway(socket.AF_INET6),
            }
        )
        answer |= {key: value for key, value in gateways.items() if value}
        # Without a gateway Docker would add a device on a bridge of its own.
        return answer if any(gateways.values()) else answer | {"DisableGatewayService": True}

    def leave(self, request: Mapping[str, Any]) -> Answer:
        """Docker takes the device out of the container; nothing else is to be done."""
        endpoint_id = _text(request, "EndpointID")
        with Database.open() as database:
            port = records.endpoint(database, endpoint_id)
            if port is not None:
                gone = {records.SANDBOX: None, "container_id": None, "container_iface": None}
                database.transact([set_keys("Interface", port.uuid, "external_ids", gone)])
        return {}


def port_name(endpoint_id: str) -> str:
    """The name of an endpoint's port, 15 characters."""
    return f"jfd{hashlib.blake2b(endpoint_id.encode(), digest_size=6).hexdigest()}"


def stable_mac(network_id: str, address: str) -> str:
    """A locally administered address, the same each time for a container's IP address on a network."""
    digest = hashlib.blake2b(f"{network_id} {address}".encode(), digest_size=6).digest()
    return (bytes([digest[0] & 0xFC | 0x02]) + digest[1:]).hex(":")


def _network(database: Database, network_id: str) -> Network:
    try:
        return records.networks(database)[network_id]
    except KeyError:
        raise Refusal(
            f"the switch knows no network {network_id[:12]}; remove it from Docker and create it again"
        ) from None


def _check_options(options: Any) -> None:
    if not isinstance(options, dict):
        raise Malformed("Options is not an object")
    if options.get(PORT_MAP):
        raise Refusal(
            "ports cannot be published on this network; its containers are reached by their own addresses"
        )
    for name, value in options.items():
        if not name.startswith(DOCKERS):
            raise Refusal(f"endpoint option {name}={value} is not supported")


def _text(request: Mapping[str, Any], key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{key} is missing")
    return value
