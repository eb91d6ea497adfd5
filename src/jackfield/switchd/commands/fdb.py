"""The commands `fdb/*` (ovs-vswitchd(8), "BRIDGE COMMANDS"; texts of ofproto-dpif)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from jackfield.datapath._abi import BridgeState, FdbFlag, FdbKey, FdbOp, PortState
from jackfield.datapath.store import Datapath
from jackfield.net.errors import KernelError
from jackfield.reconcile.outcome import BridgeOutcome
from jackfield.switchd.commands.forwarding import (
    learned,
    mac_bytes,
    ofport_text,
    show,
    stats,
    vlan_number,
)
from jackfield.switchd.engine import Engine
from jackfield.unixctl.commands import CommandError, CommandTable


class FdbCommands:
    """The learning table of one switch.

    What was cleared of the totals is remembered here, until the daemon ends.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._cleared: dict[int, tuple[str, BridgeState, dict[str, int]]] = {}

    def register(self, commands: CommandTable) -> None:
        """Add the commands to the table."""
        commands.add("fdb/add", "bridge port vlan mac", 4, 4, self._add, changes=True)
        commands.add("fdb/del", "bridge vlan mac", 3, 3, self._delete, changes=True)
        commands.add("fdb/flush", "[bridge]", 0, 1, self._flush, changes=True)
        commands.add("fdb/show", "bridge", 1, 1, self._show)
        commands.add("fdb/stats-clear", "[bridge]", 0, 1, self._stats_clear, changes=True)
        commands.add("fdb/stats-show", "bridge", 1, 1, self._stats_show)

    def _bridge(self, name: str) -> BridgeOutcome:
        for bridge in self._engine.outcome.bridges:
            if bridge.name == name and bridge.id:
                return bridge
        raise CommandError("no such bridge")

    def _bridges(self, args: Sequence[str]) -> list[BridgeOutcome]:
        if args:
            return [self._bridge(args[0])]
        return [bridge for bridge in self._engine.outcome.bridges if bridge.id]

    async def _show(self, args: Sequence[str]) -> str:
        bridge = self._bridge(args[0])
        entries = await self._engine.read(Datapath.fdb_entries)
        return show(learned(self._engine.outcome, entries, time.monotonic_ns(), bridge.name))

    async def _flush(self, args: Sequence[str]) -> str:
        bridges = self._bridges(args)

        def work(datapath: Datapath) -> None:
            for bridge in bridges:
                datapath.fdb_control(FdbOp.FLUSH_BRIDGE, bridge=bridge.id)

        await self._engine.change(work)
        return "table successfully flushed"

    async def _add(self, args: Sequence[str]) -> str:
        bridge, (vlan, mac) = self._bridge(args[0]), _address(args[2], args[3])
        outcome = self._engine.outcome
        port = next(
            (each for each in outcome.ports if each.bridge == bridge.name and args[1] in each.interfaces),
            None,
        )
        if port is None or not port.id:
            raise CommandError("software error, odp port is present but no ofp port")
        key = FdbKey(bridge.id, vlan, mac)
        ports = {each.id: each for each in outcome.ports}

        def work(datapath: Datapath) -> str:
            old = dict(datapath.fdb_entries()).get(key)
            try:
                datapath.fdb_control(FdbOp.ADD_STATIC, bridge=bridge.id, port=port.id, vlan=vlan, mac=mac)
            except KernelError as error:
                raise CommandError("could not add static mac entry") from error
            if old is None or old.port not in ports or (old.port == port.id and old.flags & FdbFlag.STATIC):
                return ""
            kind = "static" if old.flags & FdbFlag.STATIC else "dynamic"
            return f"Overriding already existing {kind} entry on {ofport_text(ports[old.port].ofport)}\n"

        return await self._engine.change(work)

    async def _delete(self, args: Sequence[str]) -> str:
        bridge, (vlan, mac) = self._bridge(args[0]), _address(args[1], args[2])

        def work(datapath: Datapath) -> str:
            entry = dict(datapath.fdb_entries()).get(FdbKey(bridge.id, vlan, mac))
            if entry is None or not entry.flags & FdbFlag.STATIC:
                raise CommandError("could not find static mac entry")
            datapath.fdb_control(FdbOp.DELETE, bridge=bridge.id, vlan=vlan, mac=mac)
            return ""

        return await self._engine.change(work)

    async def _stats_show(self, args: Sequence[str]) -> str:
        bridge = self._bridge(args[0])
        state, losses = await self._state(bridge)
        name, cleared, before = self._cleared.get(bridge.id, ("", BridgeState(), {}))
        if name != bridge.name:
            cleared, before = BridgeState(), {}
        crowded = {port: lost - before.get(port, 0) for port, lost in losses.items()}
        return stats(bridge, state, cleared, {port: lost for port, lost in crowded.items() if lost > 0})

    async def _stats_clear(self, args: Sequence[str]) -> str:
        for bridge in self._bridges(args):
            self._cleared[bridge.id] = bridge.name, *await self._state(bridge)
        return "statistics successfully cleared"

    async def _state(self, bridge: BridgeOutcome) -> tuple[BridgeState, dict[str, int]]:
        """The table's counters, and how many addresses each port could not have learned or had to give up."""
        ports = [each for each in self._engine.outcome.ports if each.bridge == bridge.name and each.id]

        def read(datapath: Datapath) -> tuple[BridgeState, dict[str, int]]:
            state = datapath.bridge_state.get(bridge.id) or BridgeState()
            if not state.evicted and not state.refused:
                return state, {}
            found = {each.name: datapath.port_state.get(each.id) or PortState() for each in ports}
            return state, {name: counts.evicted + counts.refused for name, counts in found.items()}

        return await self._engine.read(read)


def _address(vlan_text: str, mac_text: str) -> tuple[int, bytes]:
    vlan, mac = vlan_number(vlan_text), mac_bytes(mac_text)
    if vlan is None:
        raise CommandError(f'bad VLAN "{vlan_text}" (0 to 4095)')
    if mac is None:
        raise CommandError("bad MAC address")
    return vlan, mac
