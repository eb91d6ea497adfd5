"""What the maps hold of one port: records as the programs read them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jackfield.datapath import _abi
from jackfield.datapath._abi import BondFlag, IfaceFlag, IfaceKind, Limit, PortFlag
from jackfield.model.bonding.settings import BondSettings
from jackfield.model.config import BondMode, PortConfig, PriorityTags, VlanMode
from jackfield.reconcile.guards import guard_record
from jackfield.reconcile.membership import carried, mask_of, record_of
from jackfield.reconcile.presence import Present
from jackfield.reconcile.wanted import Kind, WantedPort

_MODES = {mode: _abi.VlanMode[mode.name] for mode in VlanMode}
_BOND_MODES = {mode: _abi.BondMode[mode.name] for mode in BondMode}
_PRIORITY_TAGS = {when: _abi.PriorityTags[when.name] for when in PriorityTags}


class Records(NamedTuple):
    """What the maps are to hold for one port, its interfaces' records by id and by ifindex, and the VLANs it
    carries."""

    port: _abi.Port
    vlans: _abi.VlanSet | None
    guard: _abi.Guard | None
    ifaces: Mapping[int, _abi.Iface]
    ingress: Mapping[int, _abi.Ingress]
    mask: int


def records_of(
    wanted: WantedPort,
    port_id: int,
    bridge: int,
    bond_id: int,
    given: Mapping[int, Present],
    places: Mapping[int, int],
    undo: frozenset[int],
) -> Records:
    """The records of a port whose interfaces are `given` by id; `bond_id` is 0 when it is no bond, else they
    have `places` in it."""
    config = wanted.config
    record = port_record(config, bridge, next(iter(given)))
    if wanted.lacp is not None:
        record = record._replace(flags=record.flags | int(PortFlag.LACP))
    if bond_id:
        record = record._replace(
            flags=record.flags | int(PortFlag.BOND), iface=bond_id, iface_count=len(given)
        )
    listed = config.cvlans if config.vlan_mode is VlanMode.DOT1Q_TUNNEL else config.trunks
    return Records(
        port=record,
        vlans=None if listed is None else record_of(mask_of(listed)),
        guard=None if config.guard is None else guard_record(config.guard),
        ifaces={number: _iface(here, port_id, _is_undone(here, undo)) for number, here in given.items()},
        ingress={
            here.switch.ifindex: _abi.Ingress(number, port_id, places.get(number, 0))
            for number, here in given.items()
            if here.switch is not None
        },
        mask=carried(_MODES[config.vlan_mode], config.tag, config.trunks),
    )


def seated(before: Sequence[int], wanted: Sequence[int]) -> tuple[int, ...]:
    """The members of a bond by place: who has one keeps it, others get the first free ones as long as there
    are any. 0 is a free place."""
    seats = [number if number in wanted else 0 for number in before]
    seats += [0] * (Limit.MAX_MEMBERS - len(seats))
    for number in wanted:
        if number not in seats and 0 in seats:
            seats[seats.index(0)] = number
    return tuple(seats)


def bond_record(bond: BondSettings, lacp: bool, members: tuple[int, ...]) -> _abi.Bond:
    """A bond's configuration as the programs read it; `members` are interface ids by place."""
    flags = BondFlag.LACP if lacp else BondFlag(0)
    if bond.fallback_ab:
        flags |= BondFlag.FALLBACK_AB
    if bond.all_members_active:
        flags |= BondFlag.ALL_MEMBERS
    if bond.follows_carrier:
        flags |= BondFlag.FOLLOW_CARRIER
    return _abi.Bond(basis=bond.basis, mode=int(_BOND_MODES[bond.mode]), flags=int(flags), members=members)


def port_record(config: PortConfig, bridge: int, iface: int) -> _abi.Port:
    """A port as the programs read it; `bridge` and `iface` are ids."""
    flags = PortFlag.PROTECTED if config.protected else PortFlag(0)
    if config.trunks is not None:
        flags |= PortFlag.SOME_VLANS
    if config.cvlans is not None:
        flags |= PortFlag.SOME_CVLANS
    if config.guard is not None and config.guard.judges_frames:
        flags |= PortFlag.GUARDED
    return _abi.Port(
        bridge=bridge,
        tag=config.tag,
        vlan_mode=int(_MODES[config.vlan_mode]),
        priority_tags=int(_PRIORITY_TAGS[config.priority_tags]),
        flags=int(flags),
        iface_count=1,
        qinq_tpid=config.qinq_ethtype,
        iface=iface,
    )


def _iface(here: Present, port: int, undone: bool) -> _abi.Iface:
    if here.switch is None:
        return _abi.Iface(port=port, kind=int(IfaceKind.PATCH))
    flags = IfaceFlag(0)
    if here.interface.kind is Kind.SYSTEM:
        mac = bytes(6)
        if not here.switch.promiscuous or undone:
            flags |= IfaceFlag.PROMISCUOUS
    else:
        mac = here.user.mac if here.user is not None and len(here.user.mac) == 6 else bytes(6)
        if here.nsid is not None and any(mac):
            flags |= IfaceFlag.FAR
    if here.user is not None and not (here.user.up and here.user.carrier):
        flags |= IfaceFlag.DOWN
    return _abi.Iface(
        ifindex=here.switch.ifindex,
        mtu=(here.user or here.switch).mtu,
        port=port,
        kind=int(IfaceKind.DEVICE),
        flags=int(flags),
        mac=mac,
    )


def _is_undone(here: Present, undo: frozenset[int]) -> bool:
    """Whether the device's promiscuous mode is the switch's doing, to be undone in the end."""
    return here.switch is not None and here.switch.ifindex in undo
