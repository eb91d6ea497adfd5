"""What CHECK looks at (CNI specification, section 2): the port in the switch, the device in the container."""

from __future__ import annotations

from jackfield.client.database import Database
from jackfield.client.errors import Failure
from jackfield.containers import ports
from jackfield.containers.cni.config import NetConf
from jackfield.containers.cni.errors import CniError, Code
from jackfield.containers.cni.invocation import Invocation
from jackfield.containers.cni.result import Interface, Result
from jackfield.containers.inside import Inside
from jackfield.net.errors import KernelError
from jackfield.net.link import Link
from jackfield.wire.notation import Shape, decode, encode


def check_port(database: Database, name: str, config: NetConf) -> None:
    """Raise CniError unless the port is on its bridge, sound, and in its VLANs."""
    try:
        interface = ports.find_interface(database, name)
        rows = ports.select(database, "Port", ["name", "==", name], ("_uuid", "tag", "trunks", "vlan_mode"))
        if interface is None or not rows:
            raise _differs(f"the switch has no port {name} for it")
        if interface.error:
            raise _differs(f"port {name}: {interface.error}")
        bridges = ports.select(database, "Bridge", ["ports", "includes", rows[0]["_uuid"]], ("name",))
    except Failure as failure:
        raise CniError(Code.TRY_AGAIN, str(failure)) from failure
    if [row["name"] for row in bridges] != [config.bridge]:
        raise _differs(f"port {name} is not on bridge {config.bridge}")
    for column, wanted in config.vlans.columns().items():
        shape = Shape.SET if column == "trunks" else Shape.OPTIONAL
        found = decode(rows[0][column], shape)
        if found != wanted:
            raise _differs(f"port {name}: its {column} is {encode(found)}, not {encode(wanted)}")


def check_inside(inside: Inside, call: Invocation, expected: Result) -> None:
    """Raise CniError unless the device, its addresses and the routes are those of the result. Other plugins
    of a chain may have added more."""
    try:
        device = inside.device(call.ifname)
        if device is None:
            raise _differs(f"the container has no network device {call.ifname}")
        number, interface = _listed(call, expected)
        _check_device(device, interface)
        found = set(inside.addresses(device))
        for ip in expected.ips:
            if ip.interface == number and ip.address not in found:
                raise _differs(f"{call.ifname} has lost its address {ip.address}")
        routes = inside.routes()
    except KernelError as error:
        raise _differs(str(error)) from error
    for route in expected.routes:
        same = [found for found in routes if found.destination == route.destination]
        if not any(not route.gateway or route.gateway in found.gateways for found in same):
            raise _differs(f"the container has lost its route to {route.destination}")


def _listed(call: Invocation, expected: Result) -> tuple[int, Interface]:
    for number, interface in enumerate(expected.interfaces):
        if interface.sandbox and interface.name == call.ifname:
            return number, interface
    raise CniError(Code.INVALID_CONFIGURATION, f"prevResult has no interface {call.ifname} of the container")


def _check_device(device: Link, expected: Interface) -> None:
    if not device.up:
        raise _differs(f"{device.name} is down")
    mac = device.mac.hex(":")
    if expected.mac and expected.mac.lower() != mac:
        raise _differs(f"the address of {device.name} is {mac}, not {expected.mac}")
    if expected.mtu and expected.mtu != device.mtu:
        raise _differs(f"the MTU of {device.name} is {device.mtu}, not {expected.mtu}")


def _differs(what: str) -> CniError:
    return CniError(Code.NOT_AS_EXPECTED, what)
