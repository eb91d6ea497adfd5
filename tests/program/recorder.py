"""The compiled program as something to send frames to: it records what it decides instead of doing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from jackfield.datapath import _abi
from jackfield.datapath._abi import BridgeFlag, FdbFlag, FdbOp, IfaceKind, Limit, PortFlag, UpcallKind
from jackfield.datapath.store import Datapath
from jackfield.model import Address, BondState, DropReason, FdbCounters, PortCounters, SwitchConfig, VlanMode
from jackfield.model.bonding.settings import BondSettings
from jackfield.model.config import BondConfig, BridgeConfig, PortConfig
from jackfield.model.vlan import tag_limit
from jackfield.reconcile.guards import guard_record
from jackfield.reconcile.membership import carried, flood_members, mask_of, record_of
from jackfield.reconcile.records import bond_record, port_record, seated
from tests.program.devices import Devices

VLAN_TYPES = (b"\x81\x00", b"\x88\xa8")  # as they stand in a frame

LOOPBACK = 1
"""A device that is always there, for the frames that leave."""

ALL_VLANS = frozenset(range(4096))
NATIVE = (VlanMode.NATIVE_TAGGED, VlanMode.NATIVE_UNTAGGED)


@dataclass(frozen=True)
class Decided:
    """What the program decided of one frame: bytes are cut at JF_RECORD_BYTES, lengths are true."""

    outputs: dict[str, tuple[int, bytes]]
    drops: list[tuple[str, DropReason]]


def seen(frame: bytes) -> tuple[int, bytes]:
    """A frame as the recorder has it."""
    return len(frame), frame[: Limit.RECORD_BYTES]


class Recorder:
    """A recording program with a switch's configuration in its maps."""

    def __init__(self, datapath: Datapath, devices: Devices) -> None:
        self.datapath = datapath
        self._devices = devices
        self._entries: dict[str, int] = {}
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._ports: dict[str, int] = {}
        self._bonds: dict[str, int] = {}
        self._homes: dict[str, tuple[str, int]] = {}
        self._bridges: dict[str, int] = {}
        self._configs: dict[str, BridgeConfig] = {}

    @contextmanager
    def configured(self, config: SwitchConfig) -> Iterator[Recorder]:
        """Have the program be this switch, with empty tables, for a while."""
        self._configure(config)
        try:
            yield self
        finally:
            self._clear()

    def send(self, interface: str, frame: bytes, now: int) -> Decided:
        """Let a frame enter by an interface."""
        self.datapath.set_now(now)
        with self._devices.entered():
            self.datapath.test_run(frame, self._entries[interface])
        outputs: dict[str, tuple[int, bytes]] = {}
        drops: list[tuple[str, DropReason]] = []
        for decision in self.datapath.decisions():
            name = self._names[decision.iface]
            if decision.reason:
                drops.append((name, DropReason[_abi.DropReason(decision.reason).name]))
            else:
                assert name not in outputs, f"two copies left by {name}"
                outputs[name] = decision.length, _on_wire(decision)
        return Decided(outputs, drops)

    def add_static(self, bridge: str, address: Address, port: str, now: int) -> None:
        self.datapath.fdb_control(
            FdbOp.ADD_STATIC,
            bridge=self._bridges[bridge],
            port=self._ports[port],
            vlan=address.vlan,
            mac=address.mac,
            now_ns=now,
        )

    def set_link(self, bond: str, member: str, up: bool) -> None:
        """Have the link of a bond's member come or go."""
        self.datapath.bonds.set_down(self._bonds[bond], self._homes[member][1], not up)

    def set_disabled(self, port: str, disabled: bool) -> None:
        """Have a port carry no frames, or carry them again."""
        number = self._ports[port]
        homes = {each.name: bridge.name for bridge in self._configs.values() for each in bridge.ports}
        record = self.datapath.ports.get(number) or _abi.Port()
        home = 0 if disabled else self._bridges[homes[port]]
        self.datapath.ports.set(number, record._replace(bridge=home))
        self.datapath.disabled.delete(number)

    def set_bond(self, bond: str, state: BondState) -> None:
        """Put a bond's members into a state."""
        number, places = self._bonds[bond], {name: at for name, (_, at) in self._homes.items()}
        for name, (port, at) in self._homes.items():
            if port == bond:
                self.datapath.bonds.set_down(number, at, name in state.down)
        self.datapath.bonds.change(
            number,
            enabled=sum(1 << places[name] for name in state.enabled),
            collecting=sum(1 << places[name] for name in state.collecting),
            active=int(Limit.NO_MEMBER) if state.active is None else places[state.active],
            lacp=state.lacp.value,
            buckets=bytes(places[name] for name in state.buckets),
        )

    def kept_followed(self) -> int:
        """For how many frames, ever, the program took a decision that it had kept."""
        return self.datapath.kept_decisions_followed()

    def taken_up(self) -> int:
        """How many frames the control plane has been given since the last call."""
        told = self.datapath.upcalls.read(1000)
        return sum(upcall.kind in (UpcallKind.SLOW_PROTOCOL, UpcallKind.PROBE) for upcall in told)

    def bond_bytes(self, bond: str) -> int:
        """What a bond has counted for its buckets."""
        return sum(self.datapath.bonds.loads(self._bonds[bond]))

    def resize(self, bridge: str, entries: int) -> None:
        """Change the size of a bridge's learning table."""
        table = self.datapath.bridges
        number = self._bridges[bridge]
        table.set(number, (table.get(number) or _abi.Bridge())._replace(table_size=entries))

    def sweep(self, now: int) -> int:
        return self.datapath.fdb_control(FdbOp.SWEEP, now_ns=now)

    def entries(self, bridge: str) -> dict[Address, _abi.FdbEntry]:
        """All entries of a bridge, aged ones among them."""
        number = self._bridges[bridge]
        return {
            Address(key.vlan, key.mac): entry
            for key, entry in self.datapath.fdb_entries()
            if key.bridge == number
        }

    def known(self, bridge: str, now: int) -> dict[Address, str]:
        """The entries of a bridge that are not too old, by port name."""
        ageing = self._configs[bridge].mac_aging_time * 1_000_000_000
        return {
            address: self.port_name(entry.port)
            for address, entry in self.entries(bridge).items()
            if entry.flags & FdbFlag.STATIC or now - entry.seen_ns < ageing
        }

    def port_name(self, number: int) -> str:
        return next(name for name, each in self._ports.items() if each == number)

    def counters(self, interface: str) -> PortCounters:
        number = self._ids[interface]
        counted = self.datapath.counters((number,)).get(number, _abi.Counters())
        drops = {
            DropReason[reason.name]: count
            for (iface, reason), count in self.datapath.drops().items()
            if iface == number
        }
        return PortCounters(counted.rx_packets, counted.rx_bytes, counted.tx_packets, counted.tx_bytes, drops)

    def table_counters(self, bridge: str) -> FdbCounters:
        state = self.datapath.bridge_state.get(self._bridges[bridge]) or _abi.BridgeState()
        return FdbCounters(state.learned, state.moved, state.expired, state.evicted, state.refused)

    def accounts(self, bridge: str) -> tuple[int, int, dict[str, int]]:
        """What the table's accounts say: learned entries, static ones, and learned ones by port."""
        state = self.datapath.bridge_state.get(self._bridges[bridge]) or _abi.BridgeState()
        held = {port.name: self._port_entries(self._ports[port.name]) for port in self._configs[bridge].ports}
        return state.entries, state.statics, {name: count for name, count in held.items() if count}

    def _port_entries(self, number: int) -> int:
        state = self.datapath.port_state.get(number)
        return state.entries if state else 0

    def _configure(self, config: SwitchConfig) -> None:
        ports = [port for bridge in config.bridges for port in bridge.ports]
        self._homes = {name: (port.name, at) for port in ports for at, name in enumerate(port.interfaces)}
        self._ids = {name: number for number, name in enumerate(self._homes, start=1)}
        self._names = {number: name for name, number in self._ids.items()}
        self._entries = dict(zip(self._homes, self._devices.numbers, strict=False))
        self._ports = {port.name: number for number, port in enumerate(ports, start=1)}
        bonds = (port.name for port in ports if port.bond is not None)
        self._bonds = {name: number for number, name in enumerate(bonds, start=1)}
        self._configs = {bridge.name: bridge for bridge in config.bridges}
        probe = int.from_bytes(config.probe[3:]) if config.probe is not None else 0
        self.datapath.switch.set(0, _abi.Switch(probe))
        cell = 0
        for number, bridge in enumerate(config.bridges, start=1):
            self._bridges[bridge.name] = number
            self._write_bridge(number, bridge, config.vlan_limit)
            records = [
                (self._ports[port.name], _port(port, number, self._way_out(port))) for port in bridge.ports
            ]
            carries = [
                carried(_abi.VlanMode[port.vlan_mode.name], port.tag, _trunks(port)) for port in bridge.ports
            ]
            members = [(key, value, mask) for (key, value), mask in zip(records, carries, strict=True)]
            for vlan, listed in flood_members(members).items():
                for at, member in enumerate(listed, start=cell):
                    self.datapath.flood_cells.set(at, _abi.FloodCell(member))
                self.datapath.flood_lists.set(_abi.FloodKey(number, vlan), _abi.FloodList(cell, len(listed)))
                cell += len(listed)
            for port_config in bridge.ports:
                self._write_port(port_config, number, config)
        for name, device in self._entries.items():
            home, member = self._homes[name]
            self.datapath.ingress.set(device, _abi.Ingress(self._ids[name], self._ports[home], member))

    def _write_bridge(self, number: int, bridge: BridgeConfig, limit: int) -> None:
        flags = BridgeFlag(0)
        if bridge.forward_bpdu:
            flags |= BridgeFlag.FORWARD_BPDU
        if any(port.bond is not None for port in bridge.ports):
            flags |= BridgeFlag.BONDED
        if bridge.flood_vlans:
            flags |= BridgeFlag.FLOOD_VLANS
            self.datapath.bridge_flood.set(number, record_of(mask_of(bridge.flood_vlans)))
        self.datapath.bridges.set(
            number,
            _abi.Bridge(
                bridge.mac_aging_time * 1_000_000_000,
                bridge.mac_table_size,
                len(bridge.ports),
                int(flags),
                tag_limit(limit),
            ),
        )

    def _write_port(self, port: PortConfig, bridge: int, config: SwitchConfig) -> None:
        number = self._ports[port.name]
        listed = port.cvlans if port.vlan_mode is VlanMode.DOT1Q_TUNNEL else _trunks(port)
        if listed is not None:
            self.datapath.port_vlans.set(number, record_of(mask_of(listed)))
        if port.patch_peer is None:
            iface = _abi.Iface(LOOPBACK, port.mtu or 0, number, kind=int(IfaceKind.DEVICE))
            for name in port.interfaces:
                self.datapath.ifaces.set(self._ids[name], iface)
        else:
            peers = {other.name: other for each in config.bridges for other in each.ports}
            peer = peers.get(port.patch_peer)
            wired = peer is not None and peer.patch_peer == port.name
            iface = _abi.Iface(
                port=number, peer=self._ids[port.patch_peer] if wired else 0, kind=int(IfaceKind.PATCH)
            )
            self.datapath.ifaces.set(self._ids[port.name], iface)
        if port.bond is not None:
            self.datapath.bonds.set(self._bonds[port.name], self._bond(port.bond))
        if port.guard is not None:
            self.datapath.guards.set(number, guard_record(port.guard))
        self.datapath.ports.set(number, _port(port, bridge, self._way_out(port)))

    def _way_out(self, port: PortConfig) -> int:
        return self._ids[port.name] if port.bond is None else self._bonds[port.name]

    def _bond(self, bond: BondConfig) -> _abi.Bond:
        settings = BondSettings(
            mode=bond.mode,
            basis=bond.basis,
            all_members_active=bond.all_members_active,
            fallback_ab=bond.fallback_ab,
        )
        return bond_record(settings, bond.lacp, seated((), [self._ids[name] for name in bond.members]))

    def _clear(self) -> None:
        self.datapath.forget_storms()
        for device in self._entries.values():
            self.datapath.ingress.delete(device)
        for number in self._bridges.values():
            self.datapath.fdb_control(FdbOp.PURGE_BRIDGE, bridge=number)
            self.datapath.fdb_control(FdbOp.CLEAR_STATS, bridge=number)
            self.datapath.bridge_flood.delete(number)
        for key in [key for key, _ in self.datapath.flood_lists.items()]:
            self.datapath.flood_lists.delete(key)
        for number in self._ports.values():
            self.datapath.ports.set(number, _abi.Port())
            self.datapath.port_vlans.delete(number)
            self.datapath.guards.delete(number)
            self.datapath.disabled.delete(number)
        for number in self._bonds.values():
            self.datapath.bonds.delete(number)
        for number in self._ids.values():
            self.datapath.ifaces.set(number, _abi.Iface())
            self.datapath.set_counters_zero(number)
            self.datapath.set_drops_zero(number)


def _trunks(port: PortConfig) -> frozenset[int] | None:
    if port.vlan_mode in NATIVE and port.tag:
        return (ALL_VLANS if port.trunks is None else port.trunks) - {0} | {port.tag}
    return port.trunks if port.vlan_mode is VlanMode.TRUNK or port.vlan_mode in NATIVE else None


def _port(port: PortConfig, bridge: int, iface: int) -> _abi.Port:
    tunnel = port.vlan_mode is VlanMode.DOT1Q_TUNNEL
    used = replace(
        port,
        tag=0 if port.vlan_mode is VlanMode.TRUNK else port.tag,
        trunks=_trunks(port),
        cvlans=port.cvlans if tunnel else None,
    )
    record = port_record(used, bridge, iface)
    if port.bond is not None:
        flags = PortFlag.BOND | PortFlag.LACP if port.bond.lacp else PortFlag.BOND
        record = record._replace(flags=record.flags | int(flags))
    return record


def _on_wire(decision: _abi.Decision) -> bytes:
    """The bytes, with the tag that the kernel carries beside them put back in its place."""
    raw: bytes = decision.bytes_
    if decision.tag_tpid:
        tag = decision.tag_tpid.to_bytes(2, "big") + decision.tag_tci.to_bytes(2, "big")
        raw = raw[:12] + tag + raw[12:]
    return raw[: min(decision.length, Limit.RECORD_BYTES)]


def is_cut_in_inner_tag(frame: bytes) -> bool:
    """Whether a tag below the outermost is announced but not all there: the kernel cannot take the tag above
    it off such a frame, and the program drops it for that reason, which the model does not know."""
    offset = 16
    while frame[offset - 4 : offset - 2] in VLAN_TYPES:
        if frame[offset : offset + 2] in VLAN_TYPES and len(frame) < offset + 6:
            return True
        offset += 4
    return False
