"""What holds for every switch, every frame and every history."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings

from jackfield.model import (
    BridgeConfig,
    PortConfig,
    Result,
    State,
    SwitchConfig,
    step,
    table_invariants,
    vlan,
)
from jackfield.model.frame import is_group, parse
from tests.strategies import Arrival, runs

Run = tuple[SwitchConfig, list[Arrival]]

PROPERTY = settings(max_examples=40, deadline=None)
ANY = runs(dei=True, table_sizes=(2, 3, 5, 8192))


def play(run: Run) -> list[tuple[State, Arrival, int, Result]]:
    """Every step of a run: the state before, what arrived and when, and what became of it."""
    config, traffic = run
    state, now, steps = State(), 0, []
    for arrival in traffic:
        now += arrival.after
        result = step(config, state, arrival.frame, arrival.port, now)
        steps.append((state, arrival, now, result))
        state = result.state
    return steps


def ports_of(config: SwitchConfig) -> dict[str, tuple[BridgeConfig, PortConfig]]:
    return {port.name: (bridge, port) for bridge in config.bridges for port in bridge.ports}


@PROPERTY
@given(ANY)
def test_a_frame_never_leaves_by_the_port_it_came_in_on(run: Run) -> None:
    for _, arrival, _, result in play(run):
        assert arrival.port not in [output.port for output in result.outputs]


@PROPERTY
@given(ANY)
def test_at_most_one_copy_leaves_by_a_port(run: Run) -> None:
    for _, _, _, result in play(run):
        assert max(Counter(output.port for output in result.outputs).values(), default=1) == 1


@PROPERTY
@given(ANY)
def test_every_frame_leaves_or_is_dropped_for_a_reason(run: Run) -> None:
    for _, _, _, result in play(run):
        assert result.outputs or result.drops


@PROPERTY
@given(ANY)
def test_a_flooded_frame_leaves_only_by_ports_that_carry_its_vlan(run: Run) -> None:
    config, _ = run
    ports = ports_of(config)
    for _, arrival, _, result in play(run):
        if not result.visits or result.visits[0].known_at is not None:
            continue
        bridge, in_port = ports[arrival.port]
        known = parse(arrival.frame, vlan.tag_limit(config.vlan_limit)).tags
        stack = vlan.input_stack(in_port, known)
        for output in result.outputs:
            out_bridge, out_port = ports[output.port]
            if out_bridge == bridge:
                assert vlan.includes(out_port, stack)
                assert not (in_port.protected and out_port.protected)


@PROPERTY
@given(ANY)
def test_a_frame_to_a_known_address_leaves_by_one_port_of_a_bridge_at_most(run: Run) -> None:
    config, _ = run
    for _, arrival, _, result in play(run):
        if result.visits and result.visits[0].known_at is not None:
            bridge, _ = ports_of(config)[arrival.port]
            inside = {port.name for port in bridge.ports}
            left = [output.port for output in result.outputs if output.port in inside]
            assert set(left) <= {result.visits[0].known_at}


@PROPERTY
@given(ANY)
def test_the_sender_of_an_admitted_frame_is_known_there_at_once(run: Run) -> None:
    config, _ = run
    for _, arrival, now, result in play(run):
        if not result.visits:
            continue
        bridge, _ = ports_of(config)[arrival.port]
        before, fdb = result.visits[0], result.state.fdb(bridge.name)
        address = (before.vlan, arrival.frame[6:12])
        entry = fdb.entries.get(address)  # type: ignore[call-overload]
        if before.vlan in bridge.flood_vlans:
            assert entry is None
        elif len({visit.bridge for visit in result.visits}) == len(result.visits):
            assert (entry is not None and entry.port == arrival.port) or fdb.counters.refused
            assert entry is None or now - entry.stamp < 1_000_000_000


@PROPERTY
@given(ANY)
def test_a_table_never_outgrows_its_size_and_counts_what_is_in_it(run: Run) -> None:
    config, _ = run
    for _, _, _, result in play(run):
        for bridge in config.bridges:
            fdb = result.state.fdb(bridge.name)
            assert len(fdb.entries) <= bridge.mac_table_size
            assert not any(is_group(address.mac) for address in fdb.entries)
            assert not any(address.vlan in bridge.flood_vlans for address in fdb.entries)
            assert fdb.counters.learned >= len(fdb.entries) + fdb.counters.expired + fdb.counters.evicted


@PROPERTY
@given(ANY)
def test_a_frame_on_one_port_never_costs_another_its_fair_share_of_the_table(run: Run) -> None:
    config, _ = run
    for before, arrival, now, result in play(run):
        bridge, _ = ports_of(config)[arrival.port]
        after = result.state.fdb(bridge.name)
        assert table_invariants(bridge, before.fdb(bridge.name), after, arrival.port, now) == []


@PROPERTY
@given(ANY)
def test_the_same_history_gives_the_same_result_and_leaves_states_alone(run: Run) -> None:
    config, _ = run
    for before, arrival, now, result in play(run):
        assert step(config, before, arrival.frame, arrival.port, now) == result


@PROPERTY
@given(ANY)
def test_counters_say_what_went_in_and_out(run: Run) -> None:
    config, traffic = run
    steps = play(run)
    final = steps[-1][3].state
    outputs = [output for _, _, _, result in steps for output in result.outputs]
    drops = [drop for _, _, _, result in steps for drop in result.drops]
    for name, (_, port) in ports_of(config).items():
        counters = final.counters(name)
        assert counters.drops == Counter(drop.reason for drop in drops if drop.port == name)
        if port.patch_peer is None:
            came = [arrival.frame for arrival in traffic if arrival.port == name]
            left = [output.frame for output in outputs if output.port == name]
            assert (counters.rx_packets, counters.rx_bytes) == (len(came), sum(map(len, came)))
            assert (counters.tx_packets, counters.tx_bytes) == (len(left), sum(map(len, left)))
        else:
            peer = final.counters(port.patch_peer)
            assert (counters.tx_packets, counters.tx_bytes) == (peer.rx_packets, peer.rx_bytes)


@PROPERTY
@given(ANY)
def test_what_is_behind_the_tags_is_never_changed(run: Run) -> None:
    for _, arrival, _, result in play(run):
        whole = parse(arrival.frame, 8) if len(arrival.frame) >= 14 else None
        for output in result.outputs:
            sent = parse(output.frame, 8)
            assert whole is not None
            assert (sent.dst, sent.src, sent.rest) == (whole.dst, whole.src, whole.rest)
