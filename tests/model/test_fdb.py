"""The learning table: ageing, fairness, static entries, and the judge of its invariants."""

from __future__ import annotations

from dataclasses import replace

from jackfield.model import Address, BridgeConfig, Entry, Fdb, FdbCounters, PortConfig, table_invariants
from jackfield.model.fdb import NSEC_PER_SEC, fair_share

BRIDGE = BridgeConfig(
    "br0", tuple(PortConfig(f"p{n}") for n in range(1, 5)), mac_aging_time=15, mac_table_size=100
)


def station(number: int, vlan: int = 0) -> Address:
    return Address(vlan, b"\x02\x00" + number.to_bytes(4, "big"))


def learn(fdb: Fdb, port: str, numbers: range, now: int = 0, bridge: BridgeConfig = BRIDGE) -> Fdb:
    for number in numbers:
        fdb = fdb.learn(bridge, station(number), port, now + number)
    return fdb


def test_a_table_is_never_changed_by_an_operation() -> None:
    before = learn(Fdb(), "p1", range(3))
    copy = dict(before.entries)
    before.learn(BRIDGE, station(9), "p2", 5)
    before.delete(station(1))
    before.flush()
    before.sweep(BRIDGE, 10**12)
    before.add_static(station(1), "p3", 5)
    assert before.entries == copy


def test_the_stamp_is_rewritten_once_a_second_at_most() -> None:
    fdb = Fdb().learn(BRIDGE, station(1), "p1", 0)
    assert fdb.learn(BRIDGE, station(1), "p1", NSEC_PER_SEC - 1) is fdb
    assert fdb.learn(BRIDGE, station(1), "p1", NSEC_PER_SEC).entries[station(1)].stamp == NSEC_PER_SEC


def test_a_move_rewrites_the_stamp_at_once() -> None:
    fdb = Fdb().learn(BRIDGE, station(1), "p1", 0).learn(BRIDGE, station(1), "p2", 5)
    assert fdb.entries[station(1)] == Entry("p2", 5)
    assert fdb.counters == FdbCounters(learned=1, moved=1)


def test_an_aged_entry_seen_on_another_port_counts_as_learned_not_moved() -> None:
    fdb = Fdb().learn(BRIDGE, station(1), "p1", 0).learn(BRIDGE, station(1), "p2", 15 * NSEC_PER_SEC)
    assert fdb.entries[station(1)].port == "p2"
    assert fdb.counters == FdbCounters(learned=2)


def test_a_sweep_removes_what_is_too_old_and_nothing_else() -> None:
    fdb = Fdb().learn(BRIDGE, station(1), "p1", 0).learn(BRIDGE, station(2), "p1", 1)
    fdb = fdb.add_static(station(3), "p1", 0).sweep(BRIDGE, 15 * NSEC_PER_SEC)
    assert set(fdb.entries) == {station(2), station(3)}
    assert fdb.counters.expired == 1


def test_a_flush_spares_static_entries_and_a_delete_does_not() -> None:
    fdb = learn(Fdb(), "p1", range(3)).add_static(station(1), "p2", 0).flush()
    assert set(fdb.entries) == {station(1)}
    assert fdb.delete(station(1)).entries == {}
    assert fdb.delete(station(7)) == fdb


def test_a_flood_of_addresses_costs_only_the_port_it_comes_from() -> None:
    quiet = learn(learn(Fdb(), "p2", range(1000, 1025)), "p3", range(2000, 2010))
    flooded = learn(quiet, "p1", range(500))
    assert flooded.usage() == {"p1": 65, "p2": 25, "p3": 10}
    assert table_invariants(BRIDGE, quiet, flooded, "p1", 3000) == []


def test_a_static_entry_never_gives_way() -> None:
    static = Fdb().add_static(station(9999), "p1", 0)
    flooded = learn(static, "p1", range(1, 300), now=5)
    assert station(9999) in flooded.entries
    assert flooded.usage().total() == 100


def test_a_late_port_gets_its_fair_share_from_the_port_that_has_most() -> None:
    fdb = learn(learn(Fdb(), "p1", range(70)), "p2", range(1000, 1030))
    fdb = learn(fdb, "p3", range(2000, 2050))
    assert fdb.usage()["p3"] == fair_share(BRIDGE) + 1
    assert fdb.usage()["p2"] == 30
    assert fdb.usage().total() == 100


def test_a_table_of_size_zero_learns_nothing() -> None:
    bridge = replace(BRIDGE, mac_table_size=0)
    assert Fdb().learn(bridge, station(1), "p1", 0) == Fdb(counters=FdbCounters(refused=1))


def test_the_judge_finds_a_table_that_is_too_full_or_unfair() -> None:
    small = replace(BRIDGE, mac_table_size=4)
    before = Fdb({station(1): Entry("p2", 0), station(2): Entry("p3", 0, static=True)})
    grown = Fdb({**before.entries, **{station(n): Entry("p1", 0) for n in range(10, 15)}})
    assert table_invariants(small, before, grown, "p1", 0) == ["6 learned entries in a table of 4"]
    assert table_invariants(small, before, Fdb(), "p1", 0) == [
        "02:00:00:00:00:01 in VLAN 0 of port p2 was lost",
        "02:00:00:00:00:02 in VLAN 0 of port p3 was lost",
        "static entry 02:00:00:00:00:02 in VLAN 0 changed",
    ]
