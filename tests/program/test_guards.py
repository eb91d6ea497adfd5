"""Protections in any combination, under random traffic: the compiled program does what the model says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.model import GuardConfig, MacLimitAction, PortConfig, PortSecurity, State, SwitchConfig, step
from jackfield.model.fdb import NSEC_PER_SEC, Address
from tests.program.recorder import Recorder, is_cut_in_inner_tag, seen
from tests.program.test_properties import PROPERTY, Run, table
from tests.program.test_scenarios import START
from tests.scenarios.kit import mac
from tests.strategies import STATIONS, VLANS, runs

rates = st.sampled_from((None, None, 1, 3))

guards = st.builds(
    GuardConfig,
    storm_broadcast=rates,
    storm_multicast=rates,
    storm_unknown_unicast=rates,
    storm_burst=st.sampled_from((1, 2)),
    mac_limit=st.sampled_from((None, None, 1, 2)),
    mac_limit_action=st.sampled_from(MacLimitAction),
    security=st.sampled_from(PortSecurity),
    allowed_macs=st.frozensets(st.sampled_from([mac(name) for name in STATIONS]), max_size=3),
)


@st.composite
def guarded(draw: st.DrawFn, config: SwitchConfig) -> SwitchConfig:
    """The same switch with protections on some of its ports, where nothing ages during a test."""

    def port(each: PortConfig) -> PortConfig:
        return replace(each, guard=draw(st.none() | guards))

    return replace(
        config,
        bridges=tuple(
            replace(bridge, mac_aging_time=300, ports=tuple(map(port, bridge.ports)))
            for bridge in config.bridges
        ),
    )


@settings(PROPERTY, max_examples=150)
@given(run=runs(dei=True, max_bridges=2, with_bonds=True, max_frames=25), data=st.data())
def test_protections_are_the_model_s(run: Run, data: st.DataObject, recorder: Recorder) -> None:
    config, traffic = data.draw(guarded(run[0])), run[1]
    state, now = State(), START
    with recorder.configured(config):
        for bridge in config.bridges:
            if bridge.ports and data.draw(st.booleans()):
                address = Address(
                    data.draw(st.sampled_from(VLANS)), mac(data.draw(st.sampled_from(STATIONS)))
                )
                port = data.draw(st.sampled_from(bridge.ports)).name
                recorder.add_static(bridge.name, address, port, now)
                state = state.with_fdb(bridge.name, state.fdb(bridge.name).add_static(address, port, now))
        for arrival in traffic:
            if is_cut_in_inner_tag(arrival.frame):
                continue
            now += min(arrival.after, NSEC_PER_SEC)
            expected = step(config, state, arrival.frame, arrival.port, now)
            decided = recorder.send(arrival.port, arrival.frame, now)
            assert decided.outputs == {output.port: seen(output.frame) for output in expected.outputs}
            assert Counter(decided.drops) == Counter((drop.port, drop.reason) for drop in expected.drops)
            state = expected.state
        for bridge in config.bridges:
            assert table(recorder, bridge) == dict(state.fdb(bridge.name).entries)
            assert recorder.table_counters(bridge.name) == state.fdb(bridge.name).counters
