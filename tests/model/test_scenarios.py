"""The table of scenarios, held against the model."""

from __future__ import annotations

from collections import Counter

import pytest

from jackfield.model import PortCounters, State, SwitchConfig, step
from jackfield.model.fdb import NSEC_PER_SEC, is_aged
from tests.scenarios import SCENARIOS
from tests.scenarios.kit import AddStatic, Counted, Known, Scenario, Send, TableCounted, Wait


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.sentence)
def test_model(scenario: Scenario) -> None:
    run(scenario)


def test_every_scenario_has_a_sentence_of_its_own() -> None:
    assert [text for text, times in Counter(s.sentence for s in SCENARIOS).items() if times > 1] == []


def run(scenario: Scenario) -> None:
    config, state, now = scenario.config, State(), 0
    for action in scenario.steps:
        match action:
            case Send(port, frame, outputs, drops):
                result = step(config, state, frame, port, now)
                assert Counter((out.port, out.frame) for out in result.outputs) == Counter(outputs.items())
                assert Counter((drop.port, drop.reason) for drop in result.drops) == Counter(drops)
                state = result.state
            case Wait(seconds):
                now += int(seconds * NSEC_PER_SEC)
            case AddStatic():
                fdb = state.fdb(action.bridge).add_static(action.address, action.port, now)
                state = state.with_fdb(action.bridge, fdb)
            case Known(entries, bridge):
                assert live_entries(config, state, bridge, now) == dict(entries)
            case Counted(port, rx_packets, rx_bytes, tx_packets, tx_bytes, drops):
                expected = PortCounters(rx_packets, rx_bytes, tx_packets, tx_bytes, drops)
                assert state.counters(port) == expected
            case TableCounted(counters, bridge):
                assert state.fdb(bridge).counters == counters


def live_entries(config: SwitchConfig, state: State, name: str, now: int) -> dict[object, str]:
    bridge = next(bridge for bridge in config.bridges if bridge.name == name)
    entries = state.fdb(name).entries
    return {address: entry.port for address, entry in entries.items() if not is_aged(bridge, entry, now)}
