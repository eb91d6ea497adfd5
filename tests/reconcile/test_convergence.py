"""Whatever was there, whatever is wanted, and wherever a pass was cut short: the next passes get there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.datapath._abi import Disabled, DisabledBy, Limit, NameKind, PortFlag
from jackfield.model.config import PortConfig, VlanMode
from jackfield.net.netdev import Hardware
from jackfield.reconcile.desired import Reading, desired
from jackfield.reconcile.devices import plan_devices
from jackfield.reconcile.guards import guard_record
from jackfield.reconcile.loops import damped
from jackfield.reconcile.memory import Memory
from jackfield.reconcile.plan import plan_maps
from jackfield.reconcile.presence import presence
from jackfield.reconcile.report import outcome
from jackfield.reconcile.rows import ask_the_same
from jackfield.reconcile.steps import Owner, Table, Write, WriteCells
from jackfield.switchd.status import STATUS_COLUMNS, Platform, Update, operations, status_updates
from jackfield.switchd.unwritten import Unwritten
from tests.reconcile.world import FakeKernel, Snapshot, bridge, nic, patch, port, snapshot, uuid_of

VLANS = st.integers(0, 5)
PROTECTIONS: tuple[dict[str, str], ...] = ({}, {}, {"mac-limit": "1"}, {"port-security": "sticky"})
PLATFORM = Platform("1", "2", "3", "4", "5")
NAMES = ("a", "b", "c", "d", "eth0", "eth1", "eth2")


@st.composite
def ports(draw: st.DrawFn, name: str) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "tag": draw(st.none() | VLANS),
        "vlan_mode": draw(st.none() | st.sampled_from([mode.value for mode in VlanMode])),
        "trunks": draw(st.frozensets(VLANS, max_size=3)),
        "cvlans": draw(st.frozensets(VLANS, max_size=2)),
        "protected": draw(st.booleans()),
        "other_config": draw(st.sampled_from(PROTECTIONS)),
    }
    kind = draw(st.sampled_from(["internal", "patch", ""]))
    if name.startswith("eth"):
        kind = ""
    if kind == "patch":
        return patch(name, draw(st.sampled_from(NAMES)), **columns)
    wish = draw(st.none() | st.integers(1, 4))
    mtu = draw(st.none() | st.sampled_from([1400, 2000]))
    return port(name, kind, interface={"ofport_request": wish, "mtu_request": mtu}, **columns)


@st.composite
def databases(draw: st.DrawFn) -> Snapshot:
    return draw(histories(length=1))[0]


@st.composite
def histories(draw: st.DrawFn, length: int = 4) -> list[Snapshot]:
    """A database as it changes, little of it or much at a time. As in a replica, rows that do
    not change are the same objects."""
    homes: dict[str, Any] = {}
    bridges: dict[str, Any] = {}
    found: list[Snapshot] = []
    for at in range(length):
        anew = frozenset(NAMES) if not at else draw(st.frozensets(st.sampled_from(NAMES), max_size=2))
        for name in sorted(anew):
            # A port that only moves to another bridge has the same row there.
            row = homes[name][1] if at and draw(st.booleans()) else draw(ports(name))
            homes[name] = draw(st.sampled_from(["br0", "br1", None])), row
        if not at or draw(st.booleans()):
            there = draw(st.frozensets(st.sampled_from(["br0", "br1"])))
            bridges = {name: draw(st.frozensets(VLANS, max_size=1)) for name in sorted(there)}
        tables = snapshot(
            *(
                bridge(name, *(row for home, row in homes.values() if home == name), flood_vlans=flood)
                for name, flood in bridges.items()
            )
        )
        found.append(kept(found[-1], tables) if found else tables)
    return found


def kept(before: Snapshot, now: Snapshot) -> Snapshot:
    """The same as `now`, with the rows of `before` that are equal."""
    return {
        table: {uuid: _same(before.get(table, {}).get(uuid), row) for uuid, row in rows.items()}
        for table, rows in now.items()
    }


def kernel_with_nics() -> FakeKernel:
    return FakeKernel.with_nics(nic(2, "eth0"), nic(3, "eth1", promiscuous=True, mtu=1400))


def carries(config: PortConfig, vlan: int) -> bool:
    """Membership as a VLAN's meaning has it, one VLAN at a time."""
    if config.vlan_mode in (VlanMode.ACCESS, VlanMode.DOT1Q_TUNNEL):
        return vlan == config.tag
    return config.trunks is None or vlan in config.trunks


def check(kernel: FakeKernel, tables: Snapshot) -> None:
    """The maps say what the database does, and refer to nothing that is not there."""
    wanted = desired(tables)
    here = presence(wanted, kernel.observe()).found
    floods = kernel.floods()
    for br in wanted.bridges:
        for vlan in range(8):
            expected = {
                p.port.name for p in here if p.port.bridge == br.name and carries(p.port.config, vlan)
            }
            listed = floods.get((br.name, vlan), floods.get((br.name, int(Limit.ANY_VLAN)), ()))
            assert set(listed) == expected
            assert len(listed) == len(expected)
    names = {(key.kind, key.id): value.name for key, value in kernel.tables.names.items()}
    assert len({(kind, name) for (kind, _), name in names.items()}) == len(names)
    assert {names[NameKind.PORT, number] for number in kernel.tables.ports} == {p.port.name for p in here}
    assert {names[NameKind.IFACE, number] for number in kernel.tables.ifaces} == {
        p.interface.name for p in here
    }
    assert {names[NameKind.BRIDGE, number] for number in kernel.tables.bridges} == {
        br.name for br in wanted.bridges
    }
    assert set(kernel.tables.port_vlans) <= set(kernel.tables.ports)
    guards = {p.port.name: guard_record(p.port.config.guard) for p in here if p.port.config.guard is not None}
    assert {names[NameKind.PORT, number]: guard for number, guard in kernel.tables.guards.items()} == guards
    devices = {p.switch.ifindex for p in here if p.switch is not None}
    assert kernel.attached == set(kernel.tables.ingress) == devices
    for link in kernel.links.values():
        assert link.promiscuous == (link.name == "eth1" or (link.name == "eth0" and link.ifindex in devices))


@settings(deadline=None)
@given(databases(), databases())
def test_a_pass_gets_there_and_a_second_has_nothing_to_do(first: Snapshot, second: Snapshot) -> None:
    kernel = kernel_with_nics()
    for tables in (first, second, first):
        kernel.reconcile(tables)
        check(kernel, tables)
        assert kernel.reconcile(tables) == []


@settings(max_examples=30, deadline=None)
@given(databases(), databases(), databases())
def test_a_pass_cut_short_at_any_step_is_taken_up_by_the_next(
    first: Snapshot, second: Snapshot, third: Snapshot
) -> None:
    at, length = 0, 1
    while at <= length:
        kernel = kernel_with_nics()
        kernel.reconcile(first)
        length = len(kernel.reconcile(second, stop_after=at)) + (at == 0)
        kernel.reconcile(third)
        check(kernel, third)
        assert kernel.reconcile(third) == []
        at += 1


@settings(deadline=None)
@given(databases(), databases())
def test_no_step_leaves_a_list_that_names_a_port_of_another_bridge_or_none(
    first: Snapshot, second: Snapshot
) -> None:
    kernel = kernel_with_nics()
    for tables in (first, second):
        for step in kernel.plan(desired(tables)):
            used = {
                at
                for head in kernel.tables.flood_lists.values()
                for at in range(head.start, head.start + head.count_)
            }
            if isinstance(step, WriteCells):
                assert not used & set(range(step.start, step.start + len(step.ports)))
            kernel.do(step)
            if isinstance(step, Write) and step.table in (Table.PORTS, Table.GUARDS):
                flagged = {at for at, port in kernel.tables.ports.items() if port.flags & PortFlag.GUARDED}
                assert flagged <= kernel.tables.guards.keys()
            if isinstance(step, Write) and step.table in (Table.PORTS, Table.FLOOD_LISTS, Table.INGRESS):
                for key, head in kernel.tables.flood_lists.items():
                    for member in kernel.tables.members(head):
                        assert kernel.tables.ports[member].bridge == key.bridge
                for entry in kernel.tables.ingress.values():
                    assert entry.iface in kernel.tables.ifaces
                    assert kernel.tables.ports[entry.port].bridge in kernel.tables.bridges


@given(histories())
@settings(max_examples=150, deadline=None)
def test_what_is_remembered_makes_no_difference(readings: list[Snapshot]) -> None:
    memory = Reading()
    for tables in readings:
        assert desired(tables, memory=memory) == desired(tables)


@given(databases(), st.dictionaries(st.sampled_from(NAMES), st.integers(1, 9)), st.sampled_from(NAMES))
@settings(max_examples=60, deadline=None)
def test_numbers_that_the_switch_has_written_ask_for_nothing_new(
    tables: Snapshot, written: dict[str, int], name: str
) -> None:
    wanted = desired(tables)
    held = {each.uuid: each.ofport for each in wanted.interfaces if each.uuid and each.ofport > 0}
    told = with_interfaces(tables, lambda row: {"ofport": written.get(row["name"], row["ofport"])})
    assert ask_the_same(tables, told)
    assert desired(told, held) == wanted
    changed = with_interfaces(told, lambda row: {"mtu_request": 1234} if row["name"] == name else {})
    there = any(row["name"] == name for row in tables["Interface"].values())
    assert ask_the_same(told, changed) is not there


def with_interfaces(tables: Snapshot, changes: Callable[[dict[str, Any]], dict[str, Any]]) -> Snapshot:
    """The same database with other values in Interface rows."""
    return {
        **tables,
        "Interface": {uuid: {**row, **changes(row)} for uuid, row in tables["Interface"].items()},
    }


PORTS = st.frozensets(st.sampled_from((*NAMES, "bond0")), max_size=2)


def bonded(tables: Snapshot, columns: dict[str, Any]) -> Snapshot:
    """The same database with a bond of two devices besides."""
    taken = {row["name"] for row in tables["Interface"].values()}
    members = [port(name, "")["members"][0] for name in ("eth0", "eth1") if name not in taken]
    if not tables["Bridge"] or not members:
        return tables
    extra = snapshot(bridge("br0", {**port("bond0"), **columns, "members": members}, local=False))
    first = min(tables["Bridge"])
    row = tables["Bridge"][first]
    row = {**row, "ports": row["ports"] | extra["Bridge"][uuid_of("bridge br0")]["ports"]}
    return {
        **tables,
        **{table: tables[table] | extra[table] for table in ("Port", "Interface")},
        "Bridge": tables["Bridge"] | {first: row},
    }


@st.composite
def bonds(draw: st.DrawFn) -> dict[str, Any] | None:
    """Columns of a bond, or none of it."""
    columns = {
        "lacp": draw(st.none() | st.just("active")),
        "bond_mode": draw(st.none() | st.just("balance-slb")),
        "bond_fake_iface": draw(st.booleans()),
    }
    return draw(st.sampled_from([None, columns]))


@st.composite
def events(draw: st.DrawFn) -> tuple[Any, ...]:
    """What may happen: ports disabled, damped and in trouble, devices that change or go, and a pass that does
    only so many steps of each plan."""
    changes: dict[str, Any] = draw(st.sampled_from([{}, {"up": False}, {"mtu": 1300}, {"mac": bytes(6)}]))
    done = draw(st.sampled_from([1000, 1000, 1000, 3, 12]))
    return draw(PORTS), draw(PORTS), draw(PORTS), draw(PORTS), changes, draw(st.booleans()), done


@given(histories(), st.lists(st.tuples(bonds(), events()), min_size=4, max_size=4))
@settings(max_examples=100, deadline=None)
def test_what_passes_remember_makes_no_difference(
    history: list[Snapshot], passes: list[tuple[dict[str, Any] | None, tuple[Any, ...]]]
) -> None:
    kernel = kernel_with_nics()
    memory, unwritten, rows, reading = Memory(), Unwritten(), Rows(), Reading()
    before: Snapshot = {}
    for tables, (bond, (disabled, damp, failed, touched, change, gone, done)) in zip(
        history, passes, strict=True
    ):
        before = tables = kept(before, bonded(tables, bond) if bond else tables)
        wanted = damped(desired(tables, memory=reading), damp)
        names = {
            value.name: key.id for key, value in kernel.tables.names.items() if key.kind == NameKind.PORT
        }
        kernel.tables.disabled = {
            number: Disabled(since_ns=1, by=int(DisabledBy.LOOP))
            for n, number in names.items()
            if n in disabled
        }
        for link in [link for link in kernel.links.values() if link.name in touched]:
            kernel.links[link.ifindex] = replace(link, **change)
            if gone:
                kernel.remove(link.ifindex)
        seen = kernel.observe()
        plan = plan_devices(wanted, seen, memory=memory)
        assert plan == plan_devices(wanted, seen)
        for step in plan.steps[:done]:
            kernel.do(step)
        seen = kernel.observe()
        plan = plan_maps(wanted, seen, memory)
        assert plan == plan_maps(wanted, seen)
        for step in plan.steps[:done]:
            kernel.do(step)
        seen = kernel.observe()
        kinds = ("Bridge", "Port", "Interface")
        problems = {Owner(kind, name): "no" for kind, name in zip(kinds, sorted(failed), strict=False)}
        faults = {Owner("Interface", name): "not quite" for name in damp}
        told = [outcome(wanted, seen, problems, faults, (), _hardware, each) for each in (memory, None)]
        assert told[0] == told[1]
        resets, statistics = dict.fromkeys(damp, 2), {name: {"rx_packets": len(failed)} for name in touched}
        rows.keep(tables)
        everything = status_updates(told[1], PLATFORM, resets, statistics)
        due = unwritten.updates(told[0], PLATFORM, resets, statistics, rows.tables)
        assert rows.different(due) == rows.different(everything)
        if not gone:
            rows.write(due)


class Rows:
    """Status columns as a database has them."""

    def __init__(self) -> None:
        self.tables: Snapshot = {"Bridge": {}, "Port": {}, "Interface": {}}

    def keep(self, tables: Snapshot) -> None:
        """Have rows for the same objects."""
        for table, rows in self.tables.items():
            new = dict.fromkeys(STATUS_COLUMNS[table])
            self.tables[table] = {uuid: rows.get(uuid, new) for uuid in tables[table]}

    def different(self, updates: Iterable[Update]) -> dict[str, dict[str, Any]]:
        """What the updates change, by row."""
        return {each["where"][0][2][1]: each["row"] for each in operations(updates, self.tables)}

    def write(self, updates: Iterable[Update]) -> None:
        """Have the columns be as the updates say."""
        for table, uuid, columns in updates:
            self.tables[table][uuid] = {**self.tables[table][uuid], **columns}


def _hardware(name: str) -> Hardware:
    return Hardware(driver=name)


def _same(before: Any, row: Any) -> Any:
    return before if before == row else row
