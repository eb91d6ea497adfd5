"""A network as the user wants it, from the options of `docker network create`. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from jackfield.containers.docker_network.errors import Malformed, Refusal
from jackfield.containers.vlans import Vlans, read_vlan, read_vlans
from jackfield.net import inet

T = TypeVar("T")

GENERIC = "com.docker.network.generic"
INTERNAL = "com.docker.network.internal"
DOCKERS_MTU = "com.docker.network.driver.mtu"
OPTIONS = ("bridge", "gateway-port", "mtu", "trunk", "vlan")
LEAST_MTU, MOST_MTU = 68, 65535
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Network:
    """What the driver has to know of a network for as long as it is there."""

    bridge: str
    tag: int | None = None
    trunks: tuple[int, ...] = ()
    mtu: int | None = None
    internal: bool = False
    gateways: tuple[str, ...] = field(default=())  # each "A/N", at most one of each address family
    gateway_port: str = ""  # an internal port of the host that has the gateways' addresses

    @property
    def vlans(self) -> Vlans:
        """The VLANs of its containers' ports."""
        return Vlans(self.tag, frozenset(self.trunks))

    def gateway(self, family: int) -> str:
        """The address of the gateway of a family, empty when there is none."""
        found = (gateway.partition("/")[0] for gateway in self.gateways if inet.family_of(gateway) == family)
        return next(found, "")

    def text(self) -> str:
        """In the form in which it is kept."""
        return json.dumps({"version": _VERSION, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Network:
        """From the form in which it is kept; raises ValueError."""
        from msgspec import convert

        try:
            found = json.loads(text)
            if found["version"] != _VERSION or not found.keys() >= {each.name for each in fields(cls)}:
                raise ValueError("it was written by another version")
            return convert(found, cls)
        except (RecursionError, KeyError, TypeError) as error:
            raise ValueError(f"it is not the record of a network: {error!r}") from error


def read_network(request: Mapping[str, Any]) -> Network:
    """The network of a CreateNetwork request; raises Refusal naming the option that is wrong."""
    options = _object(request.get("Options"))
    given = {str(key): str(value) for key, value in _object(options.get(GENERIC)).items()}
    mtu = given.pop(DOCKERS_MTU, None)
    for name, value in given.items():
        if name not in OPTIONS:
            raise Refusal(f"option {name}={value} is not supported; there are {', '.join(OPTIONS)}")
    if not given.get("bridge"):
        raise Refusal("say which bridge of the switch the network is on: -o bridge=NAME")
    return Network(
        bridge=given["bridge"],
        tag=_option(given, "vlan", read_vlan),
        trunks=tuple(sorted(_option(given, "trunk", read_vlans) or ())),
        mtu=_option({"mtu": mtu} | given if mtu is not None else given, "mtu", _mtu),
        internal=options.get(INTERNAL) is True,
        gateways=tuple(_gateways(request)),
        gateway_port=_option(given, "gateway-port", _device_name) or "",
    )


def _option(given: Mapping[str, str], name: str, read: Callable[[str], T]) -> T | None:
    if name not in given:
        return None
    try:
        return read(given[name])
    except ValueError as error:
        raise Refusal(f"option {name}: {error}") from None


def _mtu(word: str) -> int:
    if not (word.isascii() and word.isdecimal()) or not LEAST_MTU <= int(word) <= MOST_MTU:
        raise ValueError(f'"{word}" is not a number from {LEAST_MTU} to {MOST_MTU}')
    return int(word)


def _device_name(word: str) -> str:
    bad = any(character in "/:\0" or character.isspace() for character in word)
    if not word or bad or word in (".", "..") or len(word.encode()) > 15:
        raise ValueError(f'"{word}" cannot be the name of a network device')
    return word


def _gateways(request: Mapping[str, Any]) -> list[str]:
    found = []
    for key in ("IPv4Data", "IPv6Data"):
        pools = request.get(key)
        if pools is None:
            continue
        if not isinstance(pools, list):
            raise Malformed(f"{key} is not a list")
        gateways = [str(_object(pool).get("Gateway") or "") for pool in pools]
        given = [gateway for gateway in gateways if gateway]
        if len(given) > 1:
            raise Refusal(f"a network has one subnet of each address family, not those of {', '.join(given)}")
        found += given
    for gateway in found:
        try:
            inet.split(gateway)
        except ValueError as error:
            raise Malformed(f"a gateway: {error}") from None
    return found


def _object(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{value!r:.80} is not an object")
    return value
