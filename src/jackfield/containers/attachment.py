"""An attachment: what a user asked for, in a form that can be kept and compared. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from jackfield.client.errors import Failure
from jackfield.containers.targets import Target
from jackfield.containers.vlans import Vlans, read_vlan, read_vlans
from jackfield.net import inet
from jackfield.net.link import is_device_name

KEY = "jackfield-attachment"
"""Port.external_ids: the attachment, while its target runs. Bridge.external_ids, with a colon and the port's
name behind it: the same while the target does not run and there is no port."""
ADDRESS_KEY = "attached-ip:"
"""Port.external_ids, with an address behind it: the VLAN in which the attachment has that address."""
DHCP = "dhcp"
_NOT_GIVEN = frozenset({"dhcp4", "dhcp6", "dhcpv4", "dhcpv6", "auto", "slaac", "ra"})
LEAST_MTU, MOST_MTU = 68, 65535
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What a container's interface is to be: everything that a user can ask of `jackfield attach`.

    Addresses are "A/N" or "dhcp", gateways addresses, routes "PREFIX=VIA". `mac` is empty when it is to be
    made from the target and the interface's name; `mtu` is None for the bridge's.
    """

    bridge: str
    ifname: str = "eth1"
    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    tag: int | None = None
    trunks: tuple[int, ...] = ()
    mac: str = ""
    mtu: int | None = None
    replace: bool = False
    veth: bool = False
    port: str = ""

    @property
    def vlans(self) -> Vlans:
        """The port's VLANs."""
        return Vlans(self.tag, frozenset(self.trunks))

    @property
    def static(self) -> tuple[str, ...]:
        """The addresses that are given, not leased."""
        return tuple(address for address in self.addresses if address != DHCP)

    @property
    def dhcp(self) -> bool:
        """Whether an address is to be leased."""
        return DHCP in self.addresses


@dataclass(frozen=True, slots=True)
class Attachment:
    """A wish and whose it is. `port` is the port's name, `mac` its address; `aside` is the interface that had
    to give way (see `containers.aside`), `lease` what a DHCP server has given (see `containers.dhcp`).
    `leaving` tells that it is being taken back."""

    target: Target
    wish: Wish
    port: str
    mac: str
    aside: Mapping[str, Any] = field(default_factory=dict)
    lease: Mapping[str, Any] = field(default_factory=dict)
    leaving: bool = False

    def dump(self) -> str:
        """The record of it in the database."""
        return json.dumps({"version": _VERSION, **asdict(self)}, separators=(",", ":"), sort_keys=True)

    @classmethod
    def load(cls, text: str) -> Attachment | None:
        """From its record; None when that is not one, or of another version."""
        from msgspec import convert

        try:
            found = json.loads(text)
            # Anybody who may change the database can have written it.
            return convert(found, cls) if found["version"] == _VERSION else None
        except (ValueError, RecursionError, KeyError, TypeError):
            return None

    @property
    def parked_key(self) -> str:
        """Bridge.external_ids: where the record is while the target does not run."""
        return f"{KEY}:{self.port}"

    @property
    def key(self) -> tuple[str, str]:
        """What tells attachments apart: the target and the interface's name in it."""
        return self.target.key, self.wish.ifname

    def with_vlans(self, tag: int | None, trunks: Iterable[int]) -> Attachment:
        """The same with the VLANs that its port has by now."""
        return replace(self, wish=replace(self.wish, tag=tag, trunks=tuple(sorted(trunks))))

    def port_ids(self) -> dict[str, str]:
        """Port.external_ids."""
        taken = {ADDRESS_KEY + plain(address): vlan_word(self.wish) for address in self.wish.static}
        return {KEY: self.dump(), **taken}

    def interface_ids(self) -> dict[str, str]:
        """Interface.external_ids: the keys that ovs-docker uses, and those that controllers look for."""
        return {
            "container_id": self.target.name if self.target.kind == "netns" else self.target.id,
            "container_iface": self.wish.ifname,
            "attached-mac": self.mac,
            "iface-id": f"{self.target.name}-{self.wish.ifname}",
        }


def new_attachment(target: Target, wish: Wish) -> Attachment:
    """An attachment with what the user left open filled in."""
    mac = wish.mac or made_up_mac(target.key, wish.ifname)
    return Attachment(target, wish, wish.port or port_name(target, wish.ifname), mac)


def checked(wish: Wish) -> Wish:
    """The wish in normal form; raises Failure saying what in it cannot be."""
    addresses = tuple(dict.fromkeys(_address(word) for word in wish.addresses))
    gateways = tuple(_plain_address("gateway", word) for word in wish.gateways)
    families = [inet.family_of(gateway) for gateway in gateways]
    if len(set(families)) != len(families):
        raise Failure("there can be one default gateway for IPv4 and one for IPv6")
    static = [address for address in addresses if address != DHCP]
    for gateway in gateways:
        _need_neighbour(f"gateway {gateway}", gateway, addresses)
    routes = tuple(_route(word, addresses) for word in wish.routes)
    mac = wish.mac.lower()
    if mac and (not _MAC.fullmatch(mac) or int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00"):
        raise Failure(f'"{wish.mac}" is not the MAC address of a station (six pairs of hexadecimal digits)')
    if wish.mtu is not None and not LEAST_MTU <= wish.mtu <= MOST_MTU:
        raise Failure(f"the MTU {wish.mtu} is none that a port can have ({LEAST_MTU} to {MOST_MTU})")
    if wish.dhcp and len(static) != len(addresses) - 1:
        raise Failure("one address can be had by DHCP")
    for what, name in (("interface", wish.ifname), ("port", wish.port or "p")):
        if not is_device_name(name):
            raise Failure(f'no {what} can have the name "{name}" (15 characters at most, no blanks, / or :)')
    if wish.ifname == "lo":
        raise Failure("lo is the loopback interface, which a network namespace keeps")
    return replace(wish, addresses=addresses, gateways=gateways, routes=routes, mac=mac)


def read_vlan_options(tag: str | None, trunks: str | None) -> tuple[int | None, tuple[int, ...]]:
    """VLANs as they are written on the command line; raises Failure."""
    try:
        listed = () if trunks is None else tuple(sorted(read_vlans(trunks)))
        return None if tag is None else read_vlan(tag), listed
    except ValueError as error:
        raise Failure(str(error)) from error


def made_up_mac(target: str, ifname: str) -> str:
    """A locally administered unicast address, the same each time for the same two."""
    digest = hashlib.blake2b(f"{target} {ifname}".encode(), digest_size=6).digest()
    return bytes([digest[0] & 0xFC | 0x02, *digest[1:]]).hex(":")


def port_name(target: Target, ifname: str) -> str:
    """A port's name that tells whose it is: "web1-eth1", or with a few characters of a digest when that is
    longer than a device's name may be."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", target.name.strip("/"))
    whole = f"{name}-{ifname}"
    if is_device_name(whole) and whole.isascii():
        return whole
    digest = hashlib.blake2b(f"{target.key} {ifname}".encode(), digest_size=4).hexdigest()
    return f"{name[:6].rstrip('-')}-{digest}"


def plain(address: str) -> str:
    """An address without its prefix length."""
    return address.partition("/")[0]


def vlan_word(wish: Wish) -> str:
    """The VLAN in which a port's addresses are, as text."""
    return str(wish.tag or 0)


def _address(word: str) -> str:
    if word == DHCP:
        return word
    if word in _NOT_GIVEN:
        raise Failure(
            f"{word}: what can be asked for by name is dhcp, an IPv4 address; IPv6 addresses are given, "
            "or come from a router's advertisements without being asked for"
        )
    if "/" not in word:
        raise Failure(f"{word}: an address comes with the length of its prefix, such as 10.0.0.11/24")
    try:
        address, length = inet.split(word)
        objection = inet.objection(word)
    except ValueError as error:
        raise Failure(str(error)) from error
    if objection:
        raise Failure(objection)
    return f"{address}/{length}"


def _plain_address(what: str, word: str) -> str:
    try:
        return inet.unpack(inet.pack(word))
    except ValueError:
        raise Failure(f'{what}: "{word}" is not an IP address') from None


def _route(word: str, addresses: Collection[str]) -> str:
    prefix, equals, via = word.partition("=")
    if not equals:
        raise Failure(
            f'"{word}" is not a route: it is written PREFIX=GATEWAY, such as 10.9.0.0/16=10.0.0.254'
        )
    if prefix == "default":
        raise Failure(f"route {word}: the default gateway is given with --gw {via}")
    try:
        destination = inet.network(prefix)
    except ValueError as error:
        raise Failure(f"route {word}: {error}") from error
    gateway = _plain_address(f"route {word}", via)
    if inet.family_of(gateway) != inet.family_of(destination):
        raise Failure(f"route {word}: the gateway is not of the same family as the prefix")
    _need_neighbour(f"route {word}: gateway {gateway}", gateway, addresses)
    return f"{destination}={gateway}"


def _need_neighbour(what: str, gateway: str, addresses: Collection[str]) -> None:
    """A gateway must be in a subnet of the addresses, unless it is link-local or they are leased."""
    if gateway in map(plain, addresses):
        raise Failure(f"{what} is its own address")
    if DHCP in addresses or inet.contains("fe80::/10", gateway):
        return
    if any(inet.contains(address, gateway) for address in addresses):
        return
    raise Failure(f"{what} is in no subnet of the addresses that are given with --ip")
