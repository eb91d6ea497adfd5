"""The compiled program as something to send frames to: it records what it decides instead of doing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from jackfield.datapath import _abi
from jackfield.datapath._abi import BridgeFlag, FdbOp, IfaceKind, Limit
from jackfield.datapath.store import Datapath
from jackfield.model import Address, DropReason, FdbCounters, PortCounters, SwitchConfig, VlanMode
from jackfield.model.config import BridgeConfig, PortConfig
from jackfield.model.vlan import tag_limit
from jackfield.reconcile.membership import carried, flood_members, mask_of, record_of
from jackfield.reconcile.target import port_record

LOOPBACK = 1
"""A device that is always there: the kernel wants one to run a program on a frame."""

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

    def __init__(self, datapath: Datapath) -> None:
        self.datapath = datapath
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
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

    def send(self, port: str, frame: bytes, now: int) -> Decided:
        """Let a frame enter by a port."""
        number = self._ids[port]
        self.datapath.ingress.set(LOOPBACK, _abi.Ingress(number, number))
        self.datapath.set_now(now)
        self.datapath.test_run(frame, LOOPBACK)
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
            port=self._ids[port],
            vlan=address.vlan,
            mac=address.mac,
            now_ns=now,
        )

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
            address: self._names[entry.port]
            for address, entry in self.entries(bridge).items()
            if entry.flags or now - entry.seen_ns < ageing
        }

    def name(self, number: int) -> str:
        return self._names[number]

    def counters(self, port: str) -> PortCounters:
        number = self._ids[port]
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
        held = {port.name: self._port_entries(self._ids[port.name]) for port in self._configs[bridge].ports}
        return state.entries, state.statics, {name: count for name, count in held.items() if count}

    def _port_entries(self, number: int) -> int:
        state = self.datapath.port_state.get(number)
        return state.entries if state else 0

    def _configure(self, config: SwitchConfig) -> None:
        names = [port.name for bridge in config.bridges for port in bridge.ports]
        self._ids = {name: number for number, name in enumerate(names, start=1)}
        self._names = {number: name for name, number in self._ids.items()}
        self._configs = {bridge.name: bridge for bridge in config.bridges}
        cell = 0
        for number, bridge in enumerate(config.bridges, start=1):
            self._bridges[bridge.name] = number
            self._write_bridge(number, bridge, config.vlan_limit)
            ports = [
                (self._ids[port.name], _port(port, number, self._ids[port.name])) for port in bridge.ports
            ]
            carries = [
                carried(_abi.VlanMode[port.vlan_mode.name], port.tag, _trunks(port)) for port in bridge.ports
            ]
            members = [(key, value, mask) for (key, value), mask in zip(ports, carries, strict=True)]
            for vlan, listed in flood_members(members).items():
                for at, port in enumerate(listed, start=cell):
                    self.datapath.flood_cells.set(at, _abi.FloodCell(port))
                self.datapath.flood_lists.set(_abi.FloodKey(number, vlan), _abi.FloodList(cell, len(listed)))
                cell += len(listed)
            for port_config in bridge.ports:
                self._write_port(port_config, number, config)

    def _write_bridge(self, number: int, bridge: BridgeConfig, limit: int) -> None:
        flags = BridgeFlag(0)
        if bridge.forward_bpdu:
            flags |= BridgeFlag.FORWARD_BPDU
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
        number = self._ids[port.name]
        listed = port.cvlans if port.vlan_mode is VlanMode.DOT1Q_TUNNEL else _trunks(port)
        if listed is not None:
            self.datapath.port_vlans.set(number, record_of(mask_of(listed)))
        if port.patch_peer is None:
            iface = _abi.Iface(LOOPBACK, port.mtu or 0, number, kind=int(IfaceKind.DEVICE))
        else:
            peers = {other.name: other for each in config.bridges for other in each.ports}
            peer = peers.get(port.patch_peer)
            wired = peer is not None and peer.patch_peer == port.name
            iface = _abi.Iface(
                port=number, peer=self._ids[port.patch_peer] if wired else 0, kind=int(IfaceKind.PATCH)
            )
        self.datapath.ifaces.set(number, iface)
        self.datapath.ports.set(number, _port(port, bridge, number))

    def _clear(self) -> None:
        for number in self._bridges.values():
            self.datapath.fdb_control(FdbOp.PURGE_BRIDGE, bridge=number)
            self.datapath.fdb_control(FdbOp.CLEAR_STATS, bridge=number)
            self.datapath.bridge_flood.delete(number)
        for key in [key for key, _ in self.datapath.flood_lists.items()]:
            self.datapath.flood_lists.delete(key)
        for number in self._ids.values():
            self.datapath.ports.set(number, _abi.Port())
            self.datapath.ifaces.set(number, _abi.Iface())
            self.datapath.port_vlans.delete(number)
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
    return port_record(used, bridge, iface)


def _on_wire(decision: _abi.Decision) -> bytes:
    """The bytes, with the tag that the kernel carries beside them put back in its place."""
    raw: bytes = decision.bytes_
    if decision.tag_tpid:
        tag = decision.tag_tpid.to_bytes(2, "big") + decision.tag_tci.to_bytes(2, "big")
        raw = raw[:12] + tag + raw[12:]
    return raw[: min(decision.length, Limit.RECORD_BYTES)]
