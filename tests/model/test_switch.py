"""What `step` tells besides outputs, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jackfield.model import DropReason, State, Visit, step, sweep
from tests.scenarios.kit import BROADCAST, access, bridge, patch, switch, trunk, untagged

ABI = Path(__file__).parents[2] / "bpf" / "abi.h"


def test_a_port_that_is_not_there_is_refused() -> None:
    with pytest.raises(LookupError, match="no interface p9"):
        step(switch(trunk("p1")), State(), untagged("A", "B"), "p9", 0)


def test_a_result_tells_the_vlan_and_where_the_destination_was_known() -> None:
    config = switch(
        bridge("br0", access("p1", 10), patch("to1", "to0")),
        bridge("br1", access("p2", 10), patch("to0", "to1")),
    )
    first = step(config, State(), untagged("A", BROADCAST), "p1", 0)
    assert first.visits == (Visit("br0", "p1", 10, None), Visit("br1", "to0", 10, None))
    second = step(config, first.state, untagged("B", "A"), "p2", 0)
    assert second.visits == (Visit("br1", "p2", 10, "to0"), Visit("br0", "to1", 10, "p1"))


def test_an_address_known_on_a_port_that_is_gone_is_unknown() -> None:
    before = step(switch(trunk("p1"), trunk("p2"), trunk("p3")), State(), untagged("A", "B"), "p3", 0)
    after = step(switch(trunk("p1"), trunk("p2")), before.state, untagged("B", "A"), "p1", 0)
    assert [output.port for output in after.outputs] == ["p2"]


def test_a_sweep_reaches_every_bridge() -> None:
    config = switch(bridge("br0", trunk("p1")), bridge("br1", trunk("p2")))
    state = step(config, State(), untagged("A", "B"), "p1", 0).state
    state = step(config, state, untagged("A", "B"), "p2", 0).state
    swept = sweep(config, state, 300 * 10**9)
    assert [swept.fdb(name).counters.expired for name in ("br0", "br1")] == [1, 1]


def test_drop_reasons_are_those_of_the_data_path_in_its_order() -> None:
    listed = re.findall(r'X\((\w+), "([^"]+)", "([^"]+)"\)', ABI.read_text())
    assert [(reason.name, reason.value, reason.text) for reason in DropReason] == listed
