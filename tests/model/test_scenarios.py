"""The table of scenarios, held against the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from jackfield.model import Address, BondConfig, BondState, FdbCounters, Lacp, State, SwitchConfig, step
from jackfield.model.bond import linked
from jackfield.model.fdb import NSEC_PER_SEC, is_aged
from tests.scenarios import SCENARIOS
from tests.scenarios.bench import Outcome, play
from tests.scenarios.kit import Counted, Scenario


class ModelBench:
    """The model as a bench."""

    def __init__(self, config: SwitchConfig) -> None:
        self._config = config
        self._state = State()
        self._now = 0

    def send(self, port: str, frame: bytes) -> Outcome:
        result = step(self._config, self._state, frame, port, self._now)
        self._state = result.state
        return Outcome(
            [(output.port, output.frame) for output in result.outputs],
            [(drop.port, drop.reason) for drop in result.drops],
        )

    def wait(self, seconds: float) -> None:
        self._now += int(seconds * NSEC_PER_SEC)

    def add_static(self, bridge: str, address: Address, port: str) -> None:
        fdb = self._state.fdb(bridge).add_static(address, port, self._now)
        self._state = self._state.with_fdb(bridge, fdb)

    def set_link(self, bond: str, member: str, up: bool) -> None:
        self._set_bond(bond, linked(self._config_of(bond), self._bond(bond), member, up))

    def set_disabled(self, port: str, disabled: bool) -> None:
        now = self._state.disabled | {port} if disabled else self._state.disabled - {port}
        self._state = replace(self._state, disabled=now)

    def watch(self, seconds: float) -> None:
        watched = self._now + int(seconds * NSEC_PER_SEC)
        self._state = replace(self._state, damping=replace(self._state.damping, watched=watched))

    def negotiate(self, bond: str, members: Sequence[str]) -> None:
        able = frozenset(members)
        state = replace(self._bond(bond), enabled=able, collecting=able, lacp=Lacp.NEGOTIATED)
        self._set_bond(bond, state)

    def _config_of(self, name: str) -> BondConfig:
        ports = (port for bridge in self._config.bridges for port in bridge.ports)
        config = next(port.bond for port in ports if port.name == name)
        assert config is not None
        return config

    def _bond(self, name: str) -> BondState:
        return self._state.bond(name, self._config_of(name))

    def _set_bond(self, name: str, bond: BondState) -> None:
        self._state = replace(self._state, bonds={**self._state.bonds, name: bond})

    def known(self, bridge: str) -> Mapping[Address, str]:
        config = next(one for one in self._config.bridges if one.name == bridge)
        entries = self._state.fdb(bridge).entries
        return {a: entry.port for a, entry in entries.items() if not is_aged(config, entry, self._now)}

    def counted(self, port: str) -> Counted:
        counters = self._state.counters(port)
        return Counted(
            port,
            counters.rx_packets,
            counters.rx_bytes,
            counters.tx_packets,
            counters.tx_bytes,
            counters.drops,
        )

    def table_counted(self, bridge: str) -> FdbCounters:
        return self._state.fdb(bridge).counters


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.sentence)
def test_model(scenario: Scenario) -> None:
    play(scenario, ModelBench(scenario.config))


def test_every_scenario_has_a_sentence_of_its_own() -> None:
    assert [text for text, times in Counter(s.sentence for s in SCENARIOS).items() if times > 1] == []
