"""A network as values that can be compared: what a file asks for, and what there is, in the same words.

The switch's part is in the database's words: settings are columns of rows and keys of their maps, without
those that have their default. What the host has of it (devices with addresses, namespaces,
cables) is beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from jackfield.wire.notation import Atom

if TYPE_CHECKING:
    from jackfield.containers.attachment import Wish

Setting = Atom | frozenset[int]
Settings = Mapping[str, Setting]
"""Values by column, such as "tag", or by column and key, such as "other_config:hwaddr"."""


class Place(NamedTuple):
    """Where a device is: a namespace's name, "" for the switch's own, and the device's name there."""

    namespace: str
    device: str

    def __str__(self) -> str:
        return f"{self.device} in {self.namespace}" if self.namespace else self.device


class Route(NamedTuple):
    """A route by way of a device: the destination's prefix, the router or "", the metric or 0 for the
    kernel's choice."""

    to: str
    via: str = ""
    metric: int = 0

    @property
    def destination(self) -> str:
        """As one writes it: "default" where the router tells the family."""
        default = self.to == "0.0.0.0/0" or (self.to == "::/0" and self.via)
        return "default" if default else self.to

    def __str__(self) -> str:
        words = [self.destination]
        if self.via:
            words.append(f"via {self.via}")
        if self.metric:
            words.append(f"metric {self.metric}")
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Device:
    """The host's side of a device. None is "not said" in a file: it is left as it is.

    Addresses are canonical with their prefix length and sorted, as are routes. `mac` and `mtu` are those of a
    cable's end; a port's are settings of its interface.
    """

    addresses: tuple[str, ...] | None = None
    routes: tuple[Route, ...] | None = None
    up: bool | None = None
    mac: str | None = None
    mtu: int | None = None


@dataclass(frozen=True, slots=True)
class Interface:
    """What a port has of devices. The name is unique in the switch; `place` is where the device of an
    internal port is, None for others."""

    name: str
    settings: Settings = field(default_factory=dict)
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """A port with its interfaces, by name: one, or the members of a bond."""

    bridge: str
    settings: Settings
    interfaces: Mapping[str, Interface]


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace. `ours`: made from a file, so that it goes when files do not name it any more."""

    forwarding: bool | None = None
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Container:
    """An attached container's port: whose, in the words of `jackfield attach`, and what is wished for."""

    target: str
    wish: Wish


@dataclass(frozen=True, slots=True)
class Network:
    """All of it. Ports are by name, names of ports are unique in the switch; cables are by name and have two
    ends, in order; containers are by target and device. Guests are ports of containers that others look
    after: they are in pictures only."""

    switch: Settings = field(default_factory=dict)
    bridges: Mapping[str, Settings] = field(default_factory=dict)
    ports: Mapping[str, Port] = field(default_factory=dict)
    devices: Mapping[Place, Device] = field(default_factory=dict)
    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    links: Mapping[str, tuple[Place, Place]] = field(default_factory=dict)
    containers: Mapping[tuple[str, str], Container] = field(default_factory=dict)
    guests: Mapping[str, Port] = field(default_factory=dict)
