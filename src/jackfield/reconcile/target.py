"""What the maps should hold, given which interfaces are there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jackfield.datapath import _abi
from jackfield.datapath._abi import BondFlag, BridgeFlag, IfaceFlag, IfaceKind, Limit, NameKind, PortFlag
from jackfield.model.bonding.settings import BondSettings
from jackfield.model.config import BondMode, PortConfig, PriorityTags, VlanMode
from jackfield.reconcile.guards import guard_record
from jackfield.reconcile.ids import Ids, names_by_kind
from jackfield.reconcile.membership import carried, flood_members, mask_of, record_of
from jackfield.reconcile.memo import Memo
from jackfield.reconcile.observed import Observed
from jackfield.reconcile.presence import Present, interface_owner, presence
from jackfield.reconcile.steps import Owner
from jackfield.reconcile.wanted import Desired, Kind, WantedBridge, WantedPort

_NS = 1_000_000_000
_MODES = {mode: _abi.VlanMode[mode.name] for mode in VlanMode}
_BOND_MODES = {mode: _abi.BondMode[mode.name] for mode in BondMode}
_PROMISCUOUS, _BOND = int(IfaceFlag.PROMISCUOUS), int(PortFlag.BOND)
_PRIORITY_TAGS = {when: _abi.PriorityTags[when.name] for when in PriorityTags}


@dataclass(slots=True)
class Target:
    """Wanted content of the maps, the interfaces that are to be attached (by ifindex), the owner of every id,
    and what cannot be had. Ports that are `disabled` belong to no bridge."""

    bridge_ids: Ids
    port_ids: Ids
    iface_ids: Ids
    bond_ids: Ids
    disabled: Mapping[int, _abi.Disabled] = field(default_factory=dict)
    bridges: dict[int, _abi.Bridge] = field(default_factory=dict)
    bridge_flood: dict[int, _abi.VlanSet] = field(default_factory=dict)
    ports: dict[int, _abi.Port] = field(default_factory=dict)
    port_vlans: dict[int, _abi.VlanSet] = field(default_factory=dict)
    guards: dict[int, _abi.Guard] = field(default_factory=dict)
    ifaces: dict[int, _abi.Iface] = field(default_factory=dict)
    ingress: dict[int, _abi.Ingress] = field(default_factory=dict)
    bonds: dict[int, _abi.Bond] = field(default_factory=dict)
    floods: dict[_abi.FloodKey, tuple[int, ...]] = field(default_factory=dict)
    attached: dict[int, Present] = field(default_factory=dict)
    problems: dict[Owner, str] = field(default_factory=dict)


def target(desired: Desired, observed: Observed, memo: Memo[Any] | None = None) -> Target:
    """The maps' wanted content. Ids stay with the names that have them. With the `memo` of the call before,
    the records of ports that are as they were then are those of that call."""
    memo = memo or Memo()
    memo.start(None)
    found, problems = presence(desired, observed)
    names = names_by_kind(observed.tables.names)
    result = Target(
        Ids(NameKind.BRIDGE, names[NameKind.BRIDGE], Limit.MAX_BRIDGES),
        Ids(NameKind.PORT, names[NameKind.PORT], Limit.MAX_PORTS),
        Ids(NameKind.IFACE, names[NameKind.IFACE], Limit.MAX_IFACES),
        Ids(NameKind.BOND, names[NameKind.BOND], Limit.MAX_BONDS),
        disabled=observed.tables.disabled,
        problems=problems,
    )
    by_bridge: dict[str, dict[str, list[Present]]] = {}
    for here in found:
        by_bridge.setdefault(here.bridge.name, {}).setdefault(here.port.name, []).append(here)
    patches: dict[str, int] = {}
    last = _Last(observed.tables.bonds, made_promiscuous(observed), memo)
    for bridge in desired.bridges:
        if bridge.error is None:
            ports = by_bridge.get(bridge.name, {}).values()
            _add_bridge(result, desired, last, bridge, ports, patches)
    _join_patches(result, found, patches)
    return result


def made_promiscuous(observed: Observed) -> frozenset[int]:
    """The devices whose promiscuous mode is the switch's own doing."""
    ifaces = observed.tables.ifaces.values()
    return frozenset(iface.ifindex for iface in ifaces if iface.flags & _PROMISCUOUS)


class _Last(NamedTuple):
    """What is known of the maps as they are: the bonds, the devices whose promiscuous mode is the switch's
    doing, and what was made for them before."""

    bonds: Mapping[int, _abi.Bond]
    undo: frozenset[int]
    memo: Memo[Any]


class _Records(NamedTuple):
    """What the maps are to hold for one port, its interfaces' records by id and by ifindex, and the VLANs it
    carries."""

    port: _abi.Port
    vlans: _abi.VlanSet | None
    guard: _abi.Guard | None
    ifaces: Mapping[int, _abi.Iface]
    ingress: Mapping[int, _abi.Ingress]
    mask: int


def _add_bridge(
    result: Target,
    desired: Desired,
    last: _Last,
    bridge: WantedBridge,
    found: Iterable[Sequence[Present]],
    patches: dict[str, int],
) -> None:
    number = result.bridge_ids.take(bridge.name)
    if number is None:
        result.problems[Owner("Bridge", bridge.name)] = (
            f"there can be no more than {Limit.MAX_BRIDGES - 1} bridges"
        )
        return
    members: list[tuple[int, _abi.Port, int]] = []
    for port in found:
        port_id, records = _add_port(result, last, number, port, patches) or (0, None)
        if records is not None and records.port.bridge:
            members.append((port_id, records.port, records.mask))
    for vlan, ports in flood_members(members).items():
        result.floods[_abi.FloodKey(number, vlan)] = ports
    config_of = bridge.config
    flags = BridgeFlag.FORWARD_BPDU if config_of.forward_bpdu else BridgeFlag(0)
    if config_of.flood_vlans:
        flags |= BridgeFlag.FLOOD_VLANS
        result.bridge_flood[number] = record_of(mask_of(config_of.flood_vlans))
    if any(port.flags & _BOND for _, port, _ in members):
        flags |= BridgeFlag.BONDED
    result.bridges[number] = _abi.Bridge(
        ageing_ns=config_of.mac_aging_time * _NS,
        table_size=config_of.mac_table_size,
        port_count=len(members),
        flags=int(flags),
        vlan_limit=desired.vlan_limit,
    )


def _add_port(
    result: Target,
    last: _Last,
    bridge: int,
    found: Sequence[Present],
    patches: dict[str, int],
) -> tuple[int, _Records] | None:
    """A port with the interfaces of it that are there; its id and records. None when there is no room for
    it."""
    wanted = found[0].port
    port_id = result.port_ids.take(wanted.name)
    given: dict[int, Present] = {}
    for here in found:
        number = result.iface_ids.take(here.interface.name)
        if port_id is None or number is None:
            text = f"there can be no more than {Limit.MAX_PORTS - 1} ports"
            result.problems[interface_owner(here.interface)] = text
        else:
            given[number] = here
    if port_id is None or not given:
        return None
    bond_id: int = 0
    places: Mapping[int, int] = {}
    if wanted.bond is not None:
        bond_id = result.bond_ids.take(wanted.name) or 0
        if not bond_id:
            text = f"there can be no more than {Limit.MAX_BONDS - 1} bonds"
            result.problems[Owner("Port", wanted.name)] = text
            return None
        seats = seated(last.bonds[bond_id].members if bond_id in last.bonds else (), list(given))
        places = {number: at for at, number in enumerate(seats) if number}
        for number in given.keys() - places.keys():
            text = f"a bond can have no more than {Limit.MAX_MEMBERS} members"
            result.problems[interface_owner(given.pop(number).interface)] = text
        result.bonds[bond_id] = bond_record(wanted.bond, wanted.lacp is not None, seats)
    of_bridge = 0 if port_id in result.disabled else bridge
    devices = [
        (number, here.switch, here.user, here.nsid, _is_undone(here, last.undo), places.get(number, 0))
        for number, here in given.items()
    ]
    records: _Records = last.memo.get(
        wanted.name,
        (wanted, port_id, of_bridge, bond_id, devices),
        lambda: _records(wanted, port_id, of_bridge, bond_id, given, places, last.undo),
    )
    result.ports[port_id] = records.port
    if records.vlans is not None:
        result.port_vlans[port_id] = records.vlans
    if records.guard is not None:
        result.guards[port_id] = records.guard
    result.ifaces.update(records.ifaces)
    result.ingress.update(records.ingress)
    for number, here in given.items():
        if here.switch is None:
            patches[here.interface.name] = number
        else:
            result.attached[here.switch.ifindex] = here
    return port_id, records


def _is_undone(here: Present, undo: frozenset[int]) -> bool:
    """Whether the device's promiscuous mode is the switch's doing, to be undone in the end."""
    return here.switch is not None and here.switch.ifindex in undo


def _records(
    wanted: WantedPort,
    port_id: int,
    bridge: int,
    bond_id: int,
    given: Mapping[int, Present],
    places: Mapping[int, int],
    undo: frozenset[int],
) -> _Records:
    """The records of a port whose interfaces are `given` by id; `bond_id` is 0 when it is no bond, else they
    have `places` in it."""
    config = wanted.config
    record = port_record(config, bridge, next(iter(given)))
    if wanted.lacp is not None:
        record = record._replace(flags=record.flags | int(PortFlag.LACP))
    if bond_id:
        record = record._replace(flags=record.flags | _BOND, iface=bond_id, iface_count=len(given))
    listed = config.cvlans if config.vlan_mode is VlanMode.DOT1Q_TUNNEL else config.trunks
    return _Records(
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


def _join_patches(result: Target, found: Iterable[Present], patches: dict[str, int]) -> None:
    if not patches:
        return
    for here in found:
        number, peer = patches.get(here.interface.name), patches.get(here.interface.peer or "")
        if number is not None and peer is not None:
            result.ifaces[number] = result.ifaces[number]._replace(peer=peer)
