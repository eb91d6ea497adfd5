"""Stand-ins for the kernel half: a reconciler that believes everything, a datapath that makes up counters."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Event

from jackfield.datapath._abi import (
    BridgeState,
    Counters,
    DropReason,
    FdbEntry,
    FdbFlag,
    FdbKey,
    FdbOp,
    PortState,
)
from jackfield.model.config import BridgeConfig, PortConfig
from jackfield.net.link import Link
from jackfield.reconcile.outcome import (
    BridgeOutcome,
    InterfaceOutcome,
    ObjectState,
    Outcome,
    PortOutcome,
    State,
)
from jackfield.reconcile.rows import Snapshot


@dataclass
class StandInReconciler:
    """Gives every interface a number, but for those named `bad…`. `gate` can hold a pass up."""

    passes: int = 0
    unsettled: int = 3
    fault: Exception | None = None
    gate: Event = field(default_factory=Event)
    entered: Event = field(default_factory=Event)
    settled: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def reconcile(self, snapshot: Snapshot) -> Outcome:
        self.entered.set()
        self.gate.wait(30)
        self.passes += 1
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        bridges: list[BridgeOutcome] = []
        ports: list[PortOutcome] = []
        interfaces: list[InterfaceOutcome] = []
        objects: list[ObjectState] = []
        for bridge_id, (uuid, row) in enumerate(sorted(snapshot["Bridge"].items()), 1):
            name = row["name"]
            bridges.append(
                BridgeOutcome(name, uuid, BridgeConfig(name), bridge_id, datapath_id="0000020000000001")
            )
            objects.append(ObjectState("Bridge", name, State.OK))
            for port_uuid in sorted(row["ports"]):
                port = snapshot["Port"][port_uuid]
                for interface_uuid in sorted(port["interfaces"]):
                    each = snapshot["Interface"][interface_uuid]
                    bad = each["name"].startswith("bad")
                    ofport = -1 if bad else 65534 if each["name"] == name else len(interfaces) + 1
                    error = f"could not open network device {each['name']} (No such device)" if bad else None
                    interfaces.append(
                        InterfaceOutcome(
                            each["name"],
                            interface_uuid,
                            name,
                            port["name"],
                            each["type"] or "system",
                            ofport,
                            0 if bad else len(interfaces) + 1,
                            ifindex=None if bad else 7,
                            mac_in_use=None if bad else "02:00:00:00:00:01",
                            mtu=None if bad else 1500,
                            admin_state=None if bad else "up",
                            link_state=None if bad else "up",
                            error=error,
                        )
                    )
                    state = State.ERROR if bad else State.OK
                    objects.append(ObjectState("Interface", each["name"], state, error or ""))
                config = PortConfig(port["name"], tag=port["tag"] or 0)
                names = (port["name"],)
                ports.append(
                    PortOutcome(
                        port["name"], port_uuid, name, config, names, len(ports) + 1, interfaces[-1].ofport
                    )
                )
        return Outcome(tuple(bridges), tuple(ports), tuple(interfaces), tuple(objects), stats_interval_ms=50)

    def plan_only(self, snapshot: Snapshot) -> tuple[str, ...]:
        return (f"{len(snapshot['Bridge'])} bridges",)

    def settle(self) -> int:
        self.unsettled -= 1
        if not self.unsettled:
            self.settled.set()
        return self.unsettled

    def close(self) -> None:
        pass

    def remove_all(self) -> tuple[str, ...]:
        return ("removed all",)


class StandInDatapath:
    """Holds a learning table and counters."""

    def __init__(self) -> None:
        self.fdb: dict[FdbKey, FdbEntry] = {}
        self.bridge_state: dict[int, BridgeState] = {}
        self.port_state: dict[int, PortState] = {}
        self.devices = self
        self.destroyed = False
        self.links: tuple[Link, ...] = ()

    def list_links(self) -> tuple[Link, ...]:
        return self.links

    def fdb_entries(self) -> list[tuple[FdbKey, FdbEntry]]:
        return list(self.fdb.items())

    def fdb_control(
        self, op: FdbOp, *, bridge: int = 0, port: int = 0, vlan: int = 0, mac: bytes = bytes(6)
    ) -> int:
        key = FdbKey(bridge, vlan, mac)
        match op:
            case FdbOp.ADD_STATIC:
                self.fdb[key] = FdbEntry(0, port, FdbFlag.STATIC)
            case FdbOp.DELETE:
                return self.fdb.pop(key, None) is not None
            case FdbOp.FLUSH_BRIDGE:
                self.fdb = {k: e for k, e in self.fdb.items() if k.bridge != bridge or e.flags}
        return 1

    def counters(self, ifaces: Iterable[int] | None = None) -> dict[int, Counters]:
        return {each: Counters(10 * each, 1000 * each, each, 100 * each) for each in ifaces or ()}

    def drops(self, _ifaces: object = None) -> dict[tuple[int, DropReason], int]:
        return {(1, DropReason.RUNT): 3, (1, DropReason.MTU_EXCEEDED): 2}

    def destroy(self) -> None:
        self.destroyed = True


class StandInMonitor:
    """A pipe in the place of the kernel's messages."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)

    def fileno(self) -> int:
        return self._read

    def announce(self) -> None:
        os.write(self._write, b".")

    def read(self) -> list[bytes]:
        try:
            return [os.read(self._read, 4096)]
        except BlockingIOError:
            return []

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)
