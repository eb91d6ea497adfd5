"""Results, read and written in the form of each version (CNI specification, section 5). Pure.

1.0.0 has no `version` in addresses any more; 1.1.0 adds the MTU of interfaces and properties of routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jackfield.containers.cni.errors import CniError, Code
from jackfield.net import inet

SUPPORTED = ("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")
CURRENT = SUPPORTED[-1]
_WITH_FAMILY = ("0.3.0", "0.3.1", "0.4.0")
_ROUTE_NUMBERS = ("mtu", "advmss", "priority", "table", "scope")


@dataclass(frozen=True, slots=True)
class Interface:
    """A device that belongs to the attachment; `sandbox` is empty for one of the host."""

    name: str
    mac: str = ""
    mtu: int = 0
    sandbox: str = ""
    others: Mapping[str, Any] = field(default_factory=dict)  # keys of other plugins, passed on


@dataclass(frozen=True, slots=True)
class Ip:
    """An address "A/N"; `interface` is an index into the result's interfaces."""

    address: str
    gateway: str = ""
    interface: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the container, with properties that are None when nobody has said."""

    destination: str
    gateway: str = ""
    mtu: int | None = None
    advmss: int | None = None
    priority: int | None = None
    table: int | None = None
    scope: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What an attachment has."""

    interfaces: tuple[Interface, ...] = ()
    ips: tuple[Ip, ...] = ()
    routes: tuple[Route, ...] = ()
    dns: Mapping[str, Any] = field(default_factory=dict)

    def gateway(self, family: int) -> str:
        """The first gateway of that address family, empty when there is none."""
        found = (ip.gateway for ip in self.ips if ip.gateway and inet.family_of(ip.gateway) == family)
        return next(found, "")

    def after(self, earlier: Result) -> Result:
        """This result as the next one of a chain: added to what an earlier plugin has done."""
        offset = len(earlier.interfaces)
        moved = (
            ip if ip.interface is None else replace(ip, interface=ip.interface + offset) for ip in self.ips
        )
        return Result(
            (*earlier.interfaces, *self.interfaces),
            (*earlier.ips, *moved),
            (*earlier.routes, *self.routes),
            self.dns or earlier.dns,
        )


def read_result(data: Any, source: str) -> Result:
    """The result that a plugin gave; raises CniError, naming the `source`, when it is none."""
    try:
        return Result(
            interfaces=tuple(_interface(item) for item in data.get("interfaces") or ()),
            ips=tuple(_ip(item) for item in data.get("ips") or ()),
            routes=tuple(_route(item) for item in data.get("routes") or ()),
            dns=_mapping(data.get("dns") or {}),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise CniError(Code.DECODING, f"the result of {source} cannot be understood: {reason}") from error


def write_result(result: Result, version: str) -> dict[str, Any]:
    """The JSON object for the runtime, in the form of `version`."""
    answer: dict[str, Any] = {"cniVersion": version}
    if result.interfaces:
        answer["interfaces"] = [_interface_json(interface, version) for interface in result.interfaces]
    if result.ips:
        answer["ips"] = [_ip_json(ip, version) for ip in result.ips]
    if result.routes:
        answer["routes"] = [_route_json(route, version) for route in result.routes]
    return answer | {"dns": dict(result.dns)}


def _interface(item: Any) -> Interface:
    known = ("name", "mac", "mtu", "sandbox")
    return Interface(
        name=_text(item["name"]),
        mac=_text(item.get("mac") or ""),
        mtu=_number(item.get("mtu")) or 0,
        sandbox=_text(item.get("sandbox") or ""),
        others={key: value for key, value in item.items() if key not in known},
    )


def _ip(item: Any) -> Ip:
    address = _text(item["address"])
    inet.split(address)
    gateway = _text(item.get("gateway") or "")
    if gateway:
        inet.pack(gateway)
    return Ip(address, gateway, _number(item.get("interface")))


def _route(item: Any) -> Route:
    destination = inet.network(_text(item["dst"]))
    gateway = _text(item.get("gw") or "")
    if gateway:
        inet.pack(gateway)
    return Route(destination, gateway, *(_number(item.get(key)) for key in _ROUTE_NUMBERS))


def _interface_json(interface: Interface, version: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": interface.name}
    if interface.mac:
        found["mac"] = interface.mac
    if interface.sandbox:
        found["sandbox"] = interface.sandbox
    if version == CURRENT:
        found |= {"mtu": interface.mtu} if interface.mtu else {}
        found |= interface.others
    return found


def _ip_json(ip: Ip, version: str) -> dict[str, Any]:
    found: dict[str, Any] = {"address": ip.address}
    if version in _WITH_FAMILY:
        found["version"] = "6" if ":" in ip.address else "4"
    if ip.gateway:
        found["gateway"] = ip.gateway
    if ip.interface is not None:
        found["interface"] = ip.interface
    return found


def _route_json(route: Route, version: str) -> dict[str, Any]:
    found: dict[str, Any] = {"dst": route.destination}
    if route.gateway:
        found["gw"] = route.gateway
    if version == CURRENT:
        values = ((key, getattr(route, key)) for key in _ROUTE_NUMBERS)
        found |= {key: value for key, value in values if value is not None}
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _number(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is not a number from 0 on")
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    return value
