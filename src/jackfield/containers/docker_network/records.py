"""What the driver keeps, all of it in the switch's database: networks in Open_vSwitch.external_ids, endpoints
as the ports that they are."""

from __future__ import annotations

from collections.abc import Mapping

from jackfield.client.database import Database
from jackfield.client.operations import Operation, set_keys
from jackfield.containers import ports
from jackfield.containers.docker_network.network import Network
from jackfield.containers.ports import PortInterface
from jackfield.wire.notation import Shape, decode

NETWORK_PREFIX = "docker-network:"
NETWORK, ENDPOINT, SANDBOX = "docker-network", "docker-endpoint", "docker-sandbox"
ROOT = "Open_vSwitch"


def networks(database: Database) -> Mapping[str, Network]:
    """The networks that are kept, by their ids; one that cannot be read is left out."""
    found = {}
    for key, value in _external_ids(database).items():
        if key.startswith(NETWORK_PREFIX):
            try:
                found[key.removeprefix(NETWORK_PREFIX)] = Network.from_text(value)
            except ValueError:
                continue
    return found


def keep_network(database: Database, network_id: str, network: Network) -> Operation:
    """The operation that keeps a network."""
    return set_keys(ROOT, database.root, "external_ids", {NETWORK_PREFIX + network_id: network.text()})


def forget_network(database: Database, network_id: str) -> Operation:
    """The operation that forgets a network."""
    return set_keys(ROOT, database.root, "external_ids", {NETWORK_PREFIX + network_id: None})


def endpoints(database: Database, network_id: str) -> Mapping[str, PortInterface]:
    """The ports of a network's endpoints, by the endpoints' ids."""
    found = ports.interfaces_with(database, {NETWORK: network_id})
    return {port.external_ids[ENDPOINT]: port for port in found if ENDPOINT in port.external_ids}


def all_endpoints(database: Database) -> Mapping[str, str]:
    """The ids of all endpoints that have ports, and the ids of their networks."""
    return {found: network for network in networks(database) for found in endpoints(database, network)}


def endpoint(database: Database, endpoint_id: str) -> PortInterface | None:
    """The port of an endpoint."""
    return next(iter(ports.interfaces_with(database, {ENDPOINT: endpoint_id})), None)


def _external_ids(database: Database) -> Mapping[str, str]:
    condition = ["_uuid", "==", ["uuid", database.root]]
    (row,) = ports.select(database, ROOT, condition, ("external_ids",))
    pairs = decode(row["external_ids"], Shape.MAP)
    return {str(key): str(value) for key, value in pairs.items()} if isinstance(pairs, dict) else {}
