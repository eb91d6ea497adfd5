"""Small builders: a database snapshot from plain words, and a kernel made of dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from jackfield.datapath.naming import interface_of_alias
from jackfield.net.link import Link
from jackfield.reconcile.desired import desired
from jackfield.reconcile.devices import plan_devices
from jackfield.reconcile.observed import Observed, Pair, Tables
from jackfield.reconcile.plan import plan_maps
from jackfield.reconcile.steps import (
    Attach,
    CreatePair,
    DeleteDevice,
    Detach,
    SetMac,
    SetMtu,
    SetPromiscuous,
    SetUp,
    Step,
)
from jackfield.reconcile.wanted import Desired
from jackfield.reconcile.watch import note_write

INSTANCE = "0badcafe"
Snapshot = dict[str, dict[str, dict[str, Any]]]


def uuid_of(name: str) -> str:
    """A row's UUID, made from its name."""
    return str(uuid5(NAMESPACE_DNS, name))


def port(
    name: str, type: str = "internal", *, interface: Mapping[str, Any] | None = None, **columns: Any
) -> dict[str, Any]:
    """A Port of one Interface; `columns` are Port's, `interface` holds further columns of the Interface."""
    lists = {key: frozenset(columns.pop(key)) for key in ("trunks", "cvlans") if key in columns}
    row = {"name": name, "type": type, "options": {}, "mac": None, "ofport": None, **(interface or {})}
    return {"name": name, "other_config": {}, **columns, **lists, "members": [row]}


def patch(name: str, peer: str | None, **columns: Any) -> dict[str, Any]:
    """A patch port."""
    return port(name, "patch", interface={"options": {"peer": peer} if peer else {}}, **columns)


def bridge(name: str, *ports: dict[str, Any], local: bool = True, **columns: Any) -> dict[str, Any]:
    """A Bridge with its local port and others."""
    return {
        "name": name,
        "other_config": {},
        **columns,
        "members": [*([port(name)] if local else []), *ports],
    }


def snapshot(*bridges: dict[str, Any], **other_config: str) -> Snapshot:
    """A database with these bridges."""
    tables: Snapshot = {"Open_vSwitch": {}, "Bridge": {}, "Port": {}, "Interface": {}}
    for br in bridges:
        for p in br["members"]:
            for i in p["members"]:
                tables["Interface"][uuid_of(f"interface {i['name']}")] = dict(i)
            row = {key: value for key, value in p.items() if key != "members"}
            row["interfaces"] = frozenset(uuid_of(f"interface {i['name']}") for i in p["members"])
            tables["Port"][uuid_of(f"port {p['name']}")] = row
        row = {key: value for key, value in br.items() if key != "members"}
        row["ports"] = frozenset(uuid_of(f"port {p['name']}") for p in br["members"])
        tables["Bridge"][uuid_of(f"bridge {br['name']}")] = row
    root = {"bridges": frozenset(tables["Bridge"]), "other_config": other_config}
    tables["Open_vSwitch"][uuid_of("root")] = root
    return tables


def nic(ifindex: int, name: str, mac: str | None = None, **fields: Any) -> Link:
    """A network card."""
    return Link(
        ifindex=ifindex,
        name=name,
        mac=bytes.fromhex((mac or f"0010000000{ifindex:02x}").replace(":", "")),
        **{"mtu": 1500, "up": True, "carrier": True, **fields},
    )


@dataclass
class FakeKernel:
    """Does steps to devices and maps as the kernel would."""

    links: dict[int, Link] = field(default_factory=dict)
    attached: set[int] = field(default_factory=set)
    tables: Tables = field(default_factory=Tables)
    next_ifindex: int = 100
    pairs: dict[str, Pair] = field(default_factory=dict)

    @classmethod
    def with_nics(cls, *links: Link) -> FakeKernel:
        return cls(links={link.ifindex: link for link in links})

    def observe(self) -> Observed:
        """What is there; what has not changed is the same object, as a watch has it."""
        pairs = {}
        for link in self.links.values():
            name = interface_of_alias(link.alias, INSTANCE)
            if name is not None:
                pair, known = Pair(link, self.links.get(link.peer_ifindex), None), self.pairs.get(name)
                pairs[name] = known if known is not None and known == pair else pair
        self.pairs = pairs
        tables = replace(
            self.tables,
            **{name: dict(getattr(self.tables, name)) for name in Tables.__dataclass_fields__},
        )
        return Observed(INSTANCE, dict(self.links), pairs, frozenset(self.attached), tables)

    def remove(self, ifindex: int) -> None:
        link = self.links.pop(ifindex, None)
        self.attached.discard(ifindex)
        if link is not None and link.peer_ifindex in self.links:
            self.remove(link.peer_ifindex)

    def do(self, step: Step) -> None:
        note_write(step, self.tables)
        match step:
            case CreatePair():
                assert step.name not in {link.name for link in self.links.values()}
                switch, user = self.next_ifindex, self.next_ifindex + 1
                self.next_ifindex += 2
                end = {"mtu": step.mtu, "carrier": True, "kind": "veth"}
                self.links[switch] = Link(
                    switch,
                    step.switch_end,
                    step.switch_mac,
                    alias=step.alias,
                    peer_ifindex=user,
                    up=True,
                    **end,
                )
                self.links[user] = Link(user, step.name, step.mac, peer_ifindex=switch, **end)
            case DeleteDevice(ifindex=ifindex):
                self.remove(ifindex)
            case SetUp(ifindex=ifindex):
                self._change(ifindex, up=True)
            case SetMtu(ifindex=ifindex, mtu=mtu):
                self._change(ifindex, mtu=mtu)
            case SetMac(ifindex=ifindex, mac=mac):
                self._change(ifindex, mac=mac)
            case SetPromiscuous(ifindex=ifindex, on=on):
                self._change(ifindex, promiscuous=on)
            case Attach(ifindex=ifindex):
                assert ifindex in self.links
                self.attached.add(ifindex)
            case Detach(ifindex=ifindex):
                self.attached.discard(ifindex)
            case _:
                pass

    def _change(self, ifindex: int, **fields: Any) -> None:
        self.links[ifindex] = replace(self.links[ifindex], **fields)

    def plan(self, wanted: Desired, mtus: Mapping[str, int] | None = None) -> Iterable[Step]:
        """All steps of a pass, each planned when its turn has come; the caller does them."""
        yield from plan_devices(wanted, self.observe(), mtus).steps
        yield from plan_maps(wanted, self.observe()).steps

    def reconcile(self, tables: Snapshot, stop_after: int | None = None) -> list[Step]:
        """One pass, or its first `stop_after` steps; what was done."""
        done: list[Step] = []
        for step in self.plan(desired(tables)):
            if len(done) == stop_after:
                break
            self.do(step)
            done.append(step)
        return done

    def floods(self) -> dict[tuple[str, int], tuple[str, ...]]:
        """The flood lists by names."""
        names = {(key.kind, key.id): value.name for key, value in self.tables.names.items()}
        return {
            (names[1, key.bridge], key.vlan): tuple(names[2, p] for p in self.tables.members(head))
            for key, head in self.tables.flood_lists.items()
        }
