"""The table of scenarios, held against the compiled program, which the kernel runs on bytes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from jackfield.datapath._abi import Watch
from jackfield.model import Lacp, PortCounters
from jackfield.model.bond import initial
from jackfield.model.fdb import NSEC_PER_SEC
from tests.program.recorder import Recorder, seen
from tests.scenarios import SCENARIOS
from tests.scenarios.kit import (
    AddStatic,
    Counted,
    Disabled,
    Known,
    Link,
    Negotiated,
    Reach,
    Scenario,
    Send,
    Storm,
    TableCounted,
    Wait,
    Watched,
)

START = 1_000_000 * NSEC_PER_SEC
RUNNABLE = [scenario for scenario in SCENARIOS if scenario.reach >= Reach.PROGRAM]


@pytest.mark.parametrize("scenario", RUNNABLE, ids=lambda scenario: scenario.sentence)
def test_program(scenario: Scenario, recorder: Recorder) -> None:
    with recorder.configured(scenario.config):
        run(scenario, recorder)


def run(scenario: Scenario, recorder: Recorder) -> None:
    now = START
    for action in scenario.steps:
        match action:
            case Send(port, frame, outputs, drops):
                decided = recorder.send(port, frame, now)
                assert decided.outputs == {name: seen(data) for name, data in outputs.items()}
                assert Counter(decided.drops) == Counter(drops)
            case Storm(ports, frame, times):
                for _ in range(times):
                    for port in ports:
                        recorder.send(port, frame, now)
            case Watched(seconds):
                recorder.datapath.watch.set(0, Watch(now + int(seconds * NSEC_PER_SEC)))
            case Wait(seconds):
                now += int(seconds * NSEC_PER_SEC)
            case Link(bond, member, up):
                recorder.set_link(bond, member, up)
            case Disabled(port, disabled):
                recorder.set_disabled(port, disabled)
            case Negotiated(bond, members):
                config = next(p.bond for b in scenario.config.bridges for p in b.ports if p.name == bond)
                assert config is not None
                able = frozenset(members)
                state = replace(initial(config), enabled=able, collecting=able, lacp=Lacp.NEGOTIATED)
                recorder.set_bond(bond, state)
            case AddStatic():
                recorder.add_static(action.bridge, action.address, action.port, now)
            case Known(entries, bridge):
                assert recorder.known(bridge, now) == dict(entries)
            case Counted(port, rx_packets, rx_bytes, tx_packets, tx_bytes, drops):
                expected = PortCounters(rx_packets, rx_bytes, tx_packets, tx_bytes, drops)
                assert recorder.counters(port) == expected
            case TableCounted(counters, bridge):
                assert recorder.table_counters(bridge) == counters
