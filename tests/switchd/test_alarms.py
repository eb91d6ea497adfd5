"""Which ports are named, and how often: counters in, sentences out."""

from __future__ import annotations

from dataclasses import replace

from jackfield.datapath._abi import BridgeState, DropReason, GuardState, PortState
from jackfield.model import BridgeConfig, PortConfig
from jackfield.reconcile.outcome import BridgeOutcome, InterfaceOutcome, Outcome, PortOutcome
from jackfield.switchd.alarms import Alarms, Reading, as_json

OUTCOME = Outcome(
    bridges=(BridgeOutcome("br0", "b", BridgeConfig("br0", mac_table_size=100), 1),),
    ports=tuple(
        PortOutcome(f"p{number}", f"u{number}", "br0", PortConfig(f"p{number}"), (f"p{number}",), number)
        for number in (1, 2)
    ),
    interfaces=tuple(
        InterfaceOutcome(f"p{number}", f"i{number}", "br0", f"p{number}", "internal", number, 10 + number)
        for number in (1, 2)
    ),
)


def storm(count: int) -> Reading:
    return Reading(drops={(11, DropReason.STORM_BROADCAST): count, (12, DropReason.NO_DESTINATION): count})


def test_what_was_counted_before_the_daemon_came_is_not_told() -> None:
    alarms = Alarms()
    assert alarms.update(OUTCOME, storm(5), 0) == []
    assert alarms.update(OUTCOME, storm(5), 2) == []
    assert alarms.current(2) == []


def test_a_port_is_named_at_once_and_then_once_a_minute_with_all_that_came_meanwhile() -> None:
    alarms = Alarms()
    alarms.update(OUTCOME, storm(0), 0)
    text = "br0: port p1: more broadcast than the port's limit lets in"
    assert alarms.update(OUTCOME, storm(3), 2) == [f"{text}: 3 frames dropped"]
    assert [alarms.update(OUTCOME, storm(3 + count), 2 + count) for count in range(1, 60)] == [[]] * 59
    assert alarms.update(OUTCOME, storm(63), 62) == [f"{text}: 60 frames dropped"]
    assert [alarm.count for alarm in alarms.current(62)] == [63]
    assert as_json(alarms.current(62), 62.5)[0]["text"] == f"{text}: 63 frames dropped"


def test_an_alarm_ends_a_minute_after_the_last_offence() -> None:
    alarms = Alarms()
    alarms.update(OUTCOME, storm(0), 0)
    alarms.update(OUTCOME, storm(3), 2)
    assert len(alarms.current(61)) == 1
    alarms.update(OUTCOME, storm(3), 62)
    assert alarms.current(62) == []


def test_counters_that_began_anew_count_from_nothing() -> None:
    alarms = Alarms()
    alarms.update(OUTCOME, storm(10), 0)
    assert [line.split(": ")[-1] for line in alarms.update(OUTCOME, storm(4), 2)] == ["4 frames dropped"]


def test_a_port_that_was_removed_and_added_again_counts_from_nothing() -> None:
    alarms = Alarms()
    alarms.update(OUTCOME, storm(0), 0)
    alarms.update(OUTCOME, storm(4), 2)
    alarms.follow(replace(OUTCOME, ports=(), interfaces=()))
    alarms.follow(OUTCOME)
    alarms.update(OUTCOME, storm(4), 4)
    assert [alarm.count for alarm in alarms.current(4)] == [8]


def test_a_row_that_was_replaced_by_another_of_its_name_goes_on_counting() -> None:
    """The data plane knows it by its name: its counters go on too."""
    alarms = Alarms()
    alarms.update(OUTCOME, storm(0), 0)
    alarms.update(OUTCOME, storm(4), 2)
    again = replace(OUTCOME, ports=tuple(replace(port, uuid=f"new-{port.name}") for port in OUTCOME.ports))
    alarms.follow(again)
    assert alarms.update(again, storm(4), 70) == []
    assert alarms.current(70) == []


def test_interfaces_of_a_port_count_each_for_itself() -> None:
    """One that takes another's place may have counted as much as that one; its neighbour's count stays."""
    bond = PortOutcome("bond0", "u3", "br0", PortConfig("bond0"), ("p11", "p12"), 3)
    before, after = (
        replace(
            OUTCOME,
            ports=(bond,),
            interfaces=tuple(
                InterfaceOutcome(f"p{number}", f"i{number}", "br0", "bond0", "system", number, number)
                for number in numbers
            ),
        )
        for numbers in ((11, 12), (11, 13))
    )

    def counts(**drops: int) -> Reading:
        return Reading({(int(name[1:]), DropReason.STORM_BROADCAST): count for name, count in drops.items()})

    alarms = Alarms()
    alarms.update(before, counts(p11=7, p12=5), 0)
    alarms.follow(after)
    alarms.update(after, counts(p11=7, p12=5, p13=5), 2)
    assert [alarm.count for alarm in alarms.current(2)] == [5]
    alarms.update(after, counts(p11=8, p13=5), 4)
    assert [alarm.count for alarm in alarms.current(4)] == [6]


def test_the_last_address_that_offended_is_named() -> None:
    alarms = Alarms()
    alarms.update(OUTCOME, Reading(), 0)
    guard = GuardState(offence=int(DropReason.MAC_STICKY), vlan=7, mac=bytes.fromhex("02000000000a"))
    reading = Reading(drops={(12, DropReason.MAC_STICKY): 1}, guards={2: guard})
    (sentence,) = alarms.update(OUTCOME, reading, 2)
    assert sentence.startswith("br0: port p2: ")
    assert "(the last one was 02:00:00:00:00:0a in VLAN 7)" in sentence


def test_who_crowds_the_table_is_named_and_who_suffers_from_it_is_not() -> None:
    alarms = Alarms()
    alarms.update(OUTCOME, Reading(), 0)
    ports = {1: PortState(entries=90, evicted=40, refused=2), 2: PortState(entries=10, refused=3)}
    reading = Reading(ports=ports, bridges={1: BridgeState(entries=100, evicted=40, refused=5)})
    (sentence,) = alarms.update(OUTCOME, reading, 2)
    assert sentence.startswith(
        "br0: port p1: more source addresses than there is room for (it has 90 of the 100 in"
    )
    assert sentence.endswith(": 42 times an address was not learned or had to go")
