"""`jackfield/fdb-stats`: how full learning tables are, and by whom, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jackfield.datapath._abi import BridgeState, PortState
from jackfield.datapath.store import Datapath
from jackfield.reconcile.outcome import Outcome
from jackfield.switchd.engine import Engine
from jackfield.unixctl.commands import CommandError, CommandTable


class TableCommands:
    """What there is to say of the learning tables of one switch beside their entries."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def register(self, commands: CommandTable) -> None:
        """Add the command to the table."""
        commands.add("jackfield/fdb-stats", "[bridge]", 0, 1, self._stats)

    async def _stats(self, args: Sequence[str]) -> str:
        outcome = self._engine.outcome
        if args and args[0] not in {each.name for each in outcome.bridges if each.id}:
            raise CommandError("no such bridge")

        def read(datapath: Datapath) -> tuple[dict[int, BridgeState], dict[int, PortState]]:
            return dict(datapath.bridge_state.items()), dict(datapath.port_state.items())

        bridges, ports = await self._engine.read(read)
        return json.dumps({"bridges": table_report(outcome, bridges, ports, args[0] if args else None)})


def table_report(
    outcome: Outcome,
    bridges: Mapping[int, BridgeState],
    ports: Mapping[int, PortState],
    only: str | None = None,
) -> list[dict[str, Any]]:
    """The learning tables of all bridges, or of one, and what each port has in them. Pure."""
    return [
        {
            "bridge": bridge.name,
            "size": bridge.config.mac_table_size,
            **_counted(bridges.get(bridge.id, BridgeState())),
            "ports": [
                {
                    "port": port.name,
                    **_of_port(ports.get(port.id, PortState())),
                    "limit": port.config.guard.mac_limit if port.config.guard is not None else None,
                }
                for port in outcome.ports
                if port.bridge == bridge.name and port.id
            ],
        }
        for bridge in outcome.bridges
        if bridge.id and only in (None, bridge.name)
    ]


def _counted(state: BridgeState) -> dict[str, int]:
    return {
        "entries": state.entries,
        "static": state.statics,
        "learned": state.learned,
        "moved": state.moved,
        "expired": state.expired,
        "evicted": state.evicted,
        "refused": state.refused,
    }


def _of_port(state: PortState) -> dict[str, int]:
    return {
        "entries": state.entries,
        "learned": state.learned,
        "evicted": state.evicted,
        "refused": state.refused,
    }
