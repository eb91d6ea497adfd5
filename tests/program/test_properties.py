"""Random switches and traffic: the compiled program does what the model says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield.datapath import _abi
from jackfield.model import (
    BondConfig,
    BondMode,
    BondState,
    BridgeConfig,
    DropReason,
    Fdb,
    Lacp,
    State,
    SwitchConfig,
    step,
    table_invariants,
)
from jackfield.model.bond import initial
from jackfield.model.fdb import Entry
from tests.program.recorder import Recorder, is_cut_in_inner_tag, seen
from tests.program.test_scenarios import START
from tests.scenarios.kit import BROADCAST, access, bridge, ctag, frame, switch, trunk
from tests.strategies import Arrival, bond_states, conversations, runs

Run = tuple[SwitchConfig, list[Arrival]]
Parts = list[tuple[dict[str, BondState], list[Arrival]]]

PROPERTY = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@PROPERTY
@given(run=runs(dei=True))
def test_outputs_bytes_table_and_counters_are_the_model_s(run: Run, recorder: Recorder) -> None:
    assert_all_is_the_model_s(*run, recorder)


def test_decisions_that_are_kept_are_the_model_s(recorder: Recorder) -> None:
    before = recorder.kept_followed()

    @settings(PROPERTY, max_examples=100)
    @given(run=conversations())
    def check(run: Run) -> None:
        assert_all_is_the_model_s(*run, recorder)

    check()

    assert recorder.kept_followed() > before


@settings(PROPERTY, max_examples=100)
@given(run=runs(dei=True, with_bonds=True), data=st.data())
def test_bonds_in_any_state_are_the_model_s(run: Run, data: st.DataObject, recorder: Recorder) -> None:
    config, traffic = run
    states = {name: data.draw(bond_states(bond)) for name, bond in bonds_of(config).items()}
    assert_bonds_are_the_model_s(config, [(states, traffic)], recorder)


@pytest.mark.parametrize("mode", BondMode)
def test_decisions_that_are_kept_about_bonds_are_the_model_s(mode: BondMode, recorder: Recorder) -> None:
    followed: Counter[BondMode] = Counter()

    @settings(PROPERTY, max_examples=50)
    @given(run=conversations(mode), data=st.data())
    def check(run: Run, data: st.DataObject) -> None:
        config, traffic = run
        bonds = bonds_of(config)
        at_first = {name: working(bond) for name, bond in bonds.items()}
        later = {name: data.draw(bond_states(bond)) for name, bond in bonds.items()}
        parts = [(at_first, traffic), (later, traffic)]
        followed.update(assert_bonds_are_the_model_s(config, parts, recorder))

    check()

    assert followed[mode]


def bonds_of(config: SwitchConfig) -> dict[str, BondConfig]:
    return {port.name: port.bond for bridge in config.bridges for port in bridge.ports if port.bond}


def working(bond: BondConfig) -> BondState:
    return replace(initial(bond), lacp=Lacp.NEGOTIATED if bond.lacp else Lacp.OFF)


def assert_bonds_are_the_model_s(config: SwitchConfig, parts: Parts, recorder: Recorder) -> Counter[BondMode]:
    """Traffic while the bonds are in some states, then in others. How many frames left by bonds of each mode
    by a decision that the program had kept."""
    state, now = State(), START
    modes = {name: bond.mode for bond in bonds_of(config).values() for name in bond.members}
    followed: Counter[BondMode] = Counter()
    with recorder.configured(config):
        recorder.taken_up()
        for states, traffic in parts:
            state = replace(state, bonds=states)
            for name, bond in states.items():
                recorder.set_bond(name, bond)
            for arrival in traffic:
                if is_cut_in_inner_tag(arrival.frame):
                    continue
                now += arrival.after
                before = recorder.kept_followed()
                expected = step(config, state, arrival.frame, arrival.port, now)
                decided = recorder.send(arrival.port, arrival.frame, now)
                assert decided.outputs == {output.port: seen(output.frame) for output in expected.outputs}
                assert Counter(decided.drops) == Counter((drop.port, drop.reason) for drop in expected.drops)
                assert recorder.taken_up() == expected.taken_up
                state = expected.state
                if recorder.kept_followed() > before:
                    followed.update(modes[name] for name in decided.outputs if name in modes)
        for bridge in config.bridges:
            assert table(recorder, bridge) == dict(state.fdb(bridge.name).entries)
            for name in (name for port in bridge.ports for name in port.interfaces):
                assert recorder.counters(name) == state.counters(name)
    return followed


@PROPERTY
@given(run=runs(dei=True, table_sizes=(2, 3, 5), max_frames=40))
def test_a_full_table_is_shared_fairly(run: Run, recorder: Recorder) -> None:
    config, traffic = run
    now = START
    owners = {
        name: (bridge, port.name)
        for bridge in config.bridges
        for port in bridge.ports
        for name in port.interfaces
    }
    with recorder.configured(config):
        for arrival in traffic:
            now += arrival.after
            bridge, learner = owners[arrival.port]
            before = Fdb(table(recorder, bridge))
            recorder.send(arrival.port, arrival.frame, now)
            after = Fdb(table(recorder, bridge))
            assert table_invariants(bridge, before, after, learner, now) == []
            assert_accounts_are_true(recorder, bridge)


def assert_all_is_the_model_s(config: SwitchConfig, traffic: list[Arrival], recorder: Recorder) -> None:
    state, now = State(), START
    with recorder.configured(config):
        for arrival in traffic:
            if is_cut_in_inner_tag(arrival.frame):
                continue
            now += arrival.after
            expected = step(config, state, arrival.frame, arrival.port, now)
            decided = recorder.send(arrival.port, arrival.frame, now)
            assert decided.outputs == {output.port: seen(output.frame) for output in expected.outputs}
            assert Counter(decided.drops) == Counter((drop.port, drop.reason) for drop in expected.drops)
            state = expected.state
        for bridge in config.bridges:
            assert table(recorder, bridge) == dict(state.fdb(bridge.name).entries)
            assert recorder.table_counters(bridge.name) == state.fdb(bridge.name).counters
            for name in (name for port in bridge.ports for name in port.interfaces):
                assert recorder.counters(name) == state.counters(name)


def test_a_frame_cut_within_its_inner_tag_is_not_sent_mangled(recorder: Recorder) -> None:
    config = switch(access("p1", 10), access("p2", 10), trunk("p3"))
    whole = frame("A", BROADCAST, ctag(0, pcp=3), ctag(7))
    with recorder.configured(config):
        decided = recorder.send("p1", whole[:20], START)
    assert decided.outputs.keys() <= {"p3"}
    assert ("p2", DropReason.VLAN_EDIT_FAILED) in decided.drops


def assert_accounts_are_true(recorder: Recorder, bridge: BridgeConfig) -> None:
    entries = table(recorder, bridge).values()
    learned = Counter(entry.port for entry in entries if not entry.static)
    statics = sum(entry.static for entry in entries)
    assert recorder.accounts(bridge.name) == (learned.total(), statics, dict(learned))


def table(recorder: Recorder, bridge: BridgeConfig) -> dict[object, Entry]:
    return {
        address: Entry(
            recorder.port_name(entry.port),
            entry.seen_ns,
            bool(entry.flags & _abi.FdbFlag.STATIC),
            entry.locked_ns,
        )
        for address, entry in recorder.entries(bridge.name).items()
    }


@pytest.mark.parametrize("size", [10, 64, 8192])
def test_a_flood_of_addresses_takes_nothing_from_other_ports(size: int, recorder: Recorder) -> None:
    config = switch(bridge("br0", trunk("p1"), trunk("p2"), trunk("p3"), mac_table_size=size))
    share = size // 3
    with recorder.configured(config):
        for number in range(share):
            recorder.send("p1", frame(address(0x10, number), BROADCAST), START)
        held = set(recorder.entries("br0"))
        for number in range(size * 3):
            recorder.send("p2", frame(address(0x20, number), BROADCAST), START)
        entries, _, by_port = recorder.accounts("br0")
        assert held <= set(recorder.entries("br0"))
        assert entries == size
        assert by_port == {"p1": share, "p2": size - share}
        # A port below its share finds room, at the latest after a sweep.
        for number in range(share):
            source = frame(address(0x30, number), BROADCAST)
            recorder.send("p3", source, START)
            recorder.sweep(START)
            recorder.send("p3", source, START)
        _, _, by_port = recorder.accounts("br0")
        assert by_port["p3"] == share
        assert held <= set(recorder.entries("br0"))


def address(group: int, number: int) -> str:
    return ":".join(f"{byte:02x}" for byte in (2, group, *number.to_bytes(4, "big")))


def test_a_table_made_smaller_gives_up_entries_of_who_holds_most(recorder: Recorder) -> None:
    big = bridge("br0", trunk("p1"), trunk("p2"), mac_table_size=64)
    with recorder.configured(switch(big)):
        for number in range(50):
            recorder.send("p1", frame(address(0x10, number), BROADCAST), START)
        for number in range(5):
            recorder.send("p2", frame(address(0x20, number), BROADCAST), START)
        recorder.resize("br0", 20)
        recorder.sweep(START)
        entries, _, by_port = recorder.accounts("br0")
    assert entries == 20
    assert by_port == {"p1": 15, "p2": 5}
