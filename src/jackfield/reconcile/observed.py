"""What the kernel has: devices, attachments and the content of the maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from jackfield.datapath import _abi
from jackfield.datapath.store import Datapath
from jackfield.net.link import Link


@dataclass(frozen=True, slots=True)
class Pair:
    """The two ends of an internal port. `user` is None when it cannot be seen; `nsid` is the namespace it
    is in, None for the switch's own. `origin` marks the place it was made in (`Place.origin`)."""

    switch: Link
    user: Link | None
    nsid: int | None
    origin: str = ""


@dataclass(slots=True)
class Tables:
    """The content of the maps that the control plane writes. `cells` holds the used ones only, `bonds` their
    configuration only. `disabled` is written by the programs too."""

    bridges: dict[int, _abi.Bridge] = field(default_factory=dict)
    bridge_flood: dict[int, _abi.VlanSet] = field(default_factory=dict)
    ports: dict[int, _abi.Port] = field(default_factory=dict)
    port_vlans: dict[int, _abi.VlanSet] = field(default_factory=dict)
    guards: dict[int, _abi.Guard] = field(default_factory=dict)
    ifaces: dict[int, _abi.Iface] = field(default_factory=dict)
    ingress: dict[int, _abi.Ingress] = field(default_factory=dict)
    flood_lists: dict[_abi.FloodKey, _abi.FloodList] = field(default_factory=dict)
    bonds: dict[int, _abi.Bond] = field(default_factory=dict)
    names: dict[_abi.NameKey, _abi.Name] = field(default_factory=dict)
    cells: dict[int, int] = field(default_factory=dict)
    disabled: dict[int, _abi.Disabled] = field(default_factory=dict)

    def members(self, flood_list: _abi.FloodList) -> tuple[int, ...]:
        """The port ids of a flood list."""
        start = flood_list.start
        return tuple(self.cells.get(at, 0) for at in range(start, start + flood_list.count_))


@dataclass(frozen=True)
class Observed:
    """The kernel at one moment, as one instance sees it. `namespaces` are the inode numbers of those network
    namespaces that were asked for and are there, by the files that stand for them."""

    instance: str
    links: Mapping[int, Link]
    pairs: Mapping[str, Pair]
    attached: frozenset[int]
    tables: Tables
    namespaces: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> Mapping[str, Link]:
        """The devices of the switch's namespace by name."""
        return {link.name: link for link in self.links.values()}

    @cached_property
    def own(self) -> frozenset[int]:
        """The devices here that are ends of internal ports."""
        ends = {pair.switch.ifindex for pair in self.pairs.values()}
        ends.update(p.user.ifindex for p in self.pairs.values() if p.user is not None and p.nsid is None)
        return frozenset(ends)


def bond_configuration(bond: _abi.Bond) -> _abi.Bond:
    """The same without state, which is not the plan's matter."""
    return _abi.Bond(basis=bond.basis, mode=bond.mode, flags=bond.flags, members=bond.members)


def port_configuration(port: _abi.Port) -> _abi.Port:
    """The same without what programs note there."""
    return port._replace(flags=port.flags & ~int(_abi.PortFlag.DAMPED))


def read_tables(datapath: Datapath) -> Tables:
    """What the maps hold."""
    flood_lists = dict(datapath.flood_lists.items())
    cells: dict[int, int] = {}
    for start, count in set(flood_lists.values()):
        if count:
            found = datapath.flood_cells.slice(start, count)
            cells.update((start + at, cell.port) for at, cell in enumerate(found))
    return Tables(
        bridges=dict(datapath.bridges.items()),
        bridge_flood=dict(datapath.bridge_flood.items()),
        ports={number: port_configuration(port) for number, port in datapath.ports.items()},
        port_vlans=dict(datapath.port_vlans.items()),
        guards=dict(datapath.guards.items()),
        ifaces=dict(datapath.ifaces.items()),
        ingress=dict(datapath.ingress.items()),
        flood_lists=flood_lists,
        bonds={number: bond_configuration(bond) for number, bond in datapath.bonds.items()},
        names=dict(datapath.names.items()),
        cells=cells,
        disabled=dict(datapath.disabled.items()),
    )
