"""What the switch consists of: `dpif/show` and `ofproto/list` as OVS prints them, `jackfield/*` as JSON."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jackfield.datapath._abi import DROP_TEXTS, Counters, DropReason
from jackfield.datapath.store import Datapath
from jackfield.model.config import PortConfig, VlanMode
from jackfield.model.protection import GuardConfig, PortSecurity
from jackfield.reconcile.outcome import InterfaceOutcome, Outcome
from jackfield.switchd.alarms import as_json
from jackfield.switchd.commands.forwarding import learned
from jackfield.switchd.commands.namespaces import namespace_names
from jackfield.switchd.engine import Engine
from jackfield.switchd.loops.runtime import Loops
from jackfield.switchd.protection import Protection
from jackfield.switchd.stats import drops_by_interface
from jackfield.unixctl.commands import CommandError, CommandTable


class ReportCommands:
    """Reports of one switch. `since` is when the daemon started, in seconds since the epoch."""

    def __init__(
        self,
        engine: Engine,
        protection: Protection,
        loops: Loops,
        *,
        version: str,
        instance: str,
        since: float,
    ) -> None:
        self._engine = engine
        self._protection = protection
        self._loops = loops
        self._version = version
        self._instance = instance
        self._since = since

    def register(self, commands: CommandTable) -> None:
        """Add the commands to the table."""
        commands.add("dpif/show", "", 0, 0, self._dpif_show)
        commands.add("ofproto/list", "", 0, 0, self._ofproto_list)
        commands.add("jackfield/status", "", 0, 0, self._status)
        commands.add("jackfield/ports", "", 0, 0, self._ports)
        commands.add("jackfield/fdb", "[bridge]", 0, 1, self._fdb)
        commands.add("jackfield/check", "", 0, 0, self._check, changes=True)
        commands.add("jackfield/plan", "", 0, 0, self._plan)

    def _ofproto_list(self, _args: Sequence[str]) -> str:
        return "".join(f"{bridge.name}\n" for bridge in self._engine.outcome.bridges if bridge.id)

    async def _dpif_show(self, _args: Sequence[str]) -> str:
        counters, _drops = await self._counters()
        return dpif_show(self._engine.outcome, sum(each.rx_packets for each in counters.values()))

    async def _counters(self) -> tuple[Mapping[int, Counters], Mapping[tuple[int, DropReason], int]]:
        ids = [each.id for each in self._engine.outcome.interfaces if each.id]
        return await self._engine.read(lambda datapath: (datapath.counters(ids), datapath.drops()))

    async def _status(self, _args: Sequence[str]) -> str:
        outcome = self._engine.outcome
        mode = await self._engine.read(lambda datapath: datapath.mode.value)
        return json.dumps(
            {
                "version": self._version,
                "pid": os.getpid(),
                "instance": self._instance,
                "ready": self._engine.ready,
                "trouble": self._engine.trouble,
                "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._since)),
                "kernel": platform.release(),
                "attach": mode,
                "repairs": self._engine.repairs,
                "bridges": len(outcome.bridges),
                "ports": len(outcome.ports),
                "objects": [
                    {"kind": each.kind, "name": each.name, "state": each.state.value, "message": each.message}
                    for each in outcome.objects
                ],
                "loops": self._loops.report,
                "warnings": [
                    {"table": each.table, "name": each.name, "text": each.text} for each in outcome.warnings
                ],
                "alarms": as_json(self._protection.alarms(), time.monotonic()),
            }
        )

    async def _ports(self, _args: Sequence[str]) -> str:
        counters, drops = await self._counters()
        grouped = drops_by_interface(drops)
        outcome = self._engine.outcome
        numbers = {each.nsid for each in outcome.interfaces if each.nsid is not None}
        names = await self._engine.read(lambda _datapath: namespace_names(numbers))
        configs = {port.name: port.config for port in outcome.ports}
        ports = [
            port_report(
                each,
                configs[each.port],
                None if each.nsid is None else names.get(each.nsid, f"number {each.nsid}"),
                counters.get(each.id, Counters()),
                grouped.get(each.id, {}),
            )
            for each in outcome.interfaces
            if each.port in configs
        ]
        return json.dumps({"ports": ports})

    async def _fdb(self, args: Sequence[str]) -> str:
        bridge = args[0] if args else None
        outcome = self._engine.outcome
        if bridge is not None and bridge not in {each.name for each in outcome.bridges if each.id}:
            raise CommandError("no such bridge")
        found = await self._engine.read(Datapath.fdb_entries)
        entries = [
            {
                "bridge": each.bridge,
                "port": each.port,
                "ofport": each.ofport,
                "vlan": each.vlan,
                "mac": each.mac,
                "age": each.age,
                "static": each.age is None,
            }
            for each in learned(outcome, found, time.monotonic_ns(), bridge)
        ]
        return json.dumps({"entries": entries})

    async def _check(self, _args: Sequence[str]) -> str:
        return json.dumps({"repaired": list(await self._engine.check())})

    async def _plan(self, _args: Sequence[str]) -> str:
        return json.dumps({"steps": list(await self._engine.plan())})


def dpif_show(outcome: Outcome, hits: int) -> str:
    """The text of `dpif/show`; `hits` are the frames that the data plane has taken in.

    None of them is ever missed, as there is no slow path.
    """
    lines = [f"system@ovs-system: hit:{hits} missed:0\n"]
    peers = {port.name: port.config.patch_peer for port in outcome.ports}
    for bridge in sorted(outcome.bridges, key=lambda each: each.name):
        lines.append(f"  {bridge.name}:\n")
        members = (each for each in outcome.interfaces if each.bridge == bridge.name and each.ofport >= 0)
        for each in sorted(members, key=lambda each: each.name):
            patch = each.type == "patch"
            number = "none" if patch else str(each.id)
            peer = peers.get(each.port) if patch else None
            options = f": peer={peer}" if peer else ""
            lines.append(f"    {each.name} {each.ofport}/{number}: ({each.type or 'system'}{options})\n")
    return "".join(lines)


def port_report(
    interface: InterfaceOutcome,
    config: PortConfig,
    namespace: str | None,
    counters: Counters,
    drops: Mapping[DropReason, int],
) -> dict[str, Any]:
    """One interface for `jackfield/ports`, its counters in the switch's perspective.

    `namespace` is the name of the network namespace of the user's end, None for the switch's own.
    """
    return {
        "bridge": interface.bridge,
        "name": interface.name,
        "port": interface.port,
        "type": interface.type or "system",
        "ofport": interface.ofport,
        "ifindex": interface.ifindex,
        "netns": namespace,
        "mac": interface.mac_in_use,
        "mtu": interface.mtu,
        "link": interface.link_state,
        "vlan": vlan_text(config),
        "protections": {} if config.guard is None else protections(config.guard),
        "rx_packets": counters.rx_packets,
        "rx_bytes": counters.rx_bytes,
        "tx_packets": counters.tx_packets,
        "tx_bytes": counters.tx_bytes,
        "drops": {
            name: {"count": count, "text": text}
            for reason, count in sorted(drops.items())
            for name, text in (DROP_TEXTS[reason],)
        },
        "error": interface.error,
    }


def vlan_text(config: PortConfig) -> str:
    """A port's VLAN rules in a few words: its mode, its own VLAN, the VLANs that it carries."""
    mode = config.vlan_mode
    words = [mode.value]
    if mode is not VlanMode.TRUNK:
        words.append(str(config.tag))
    carried = config.cvlans if mode is VlanMode.DOT1Q_TUNNEL else config.trunks
    if mode is not VlanMode.ACCESS and carried is not None:
        words.append("of " + ranges(carried))
    return " ".join(words)


def protections(guard: GuardConfig) -> dict[str, str]:
    """A port's protections as they are set in other_config."""
    numbers = {
        "storm-broadcast": guard.storm_broadcast,
        "storm-multicast": guard.storm_multicast,
        "storm-unknown-unicast": guard.storm_unknown_unicast,
        "storm-burst": guard.storm_burst,
        "mac-limit": guard.mac_limit,
    }
    set_to = {key: str(number) for key, number in numbers.items() if number is not None}
    if guard.mac_limit is not None:
        set_to["mac-limit-action"] = guard.mac_limit_action.value
    if guard.security is not PortSecurity.NONE:
        set_to["port-security"] = guard.security.value
    if guard.allowed_macs:
        set_to["allowed-macs"] = " ".join(mac.hex(":") for mac in sorted(guard.allowed_macs))
    if guard.bound_macs or guard.bound_networks:
        networks = (str(network) for network in guard.bound_networks)
        sources = [*(mac.hex(":") for mac in sorted(guard.bound_macs)), *sorted(networks)]
        set_to["allowed-addresses"] = " ".join(sources)
    if guard.bpdu_guard:
        set_to["bpdu-guard"] = "true"
    return set_to


def ranges(numbers: Iterable[int]) -> str:
    """Numbers in rising order, runs joined: 1-3,7."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)
