"""The experiments. Each module is one, to be read from top to bottom."""

from __future__ import annotations

from jackfield.lab.scenarios import (
    bonded_access_port,
    container_nic,
    first_look,
    internal_port,
    internal_port_vs_veth,
    learning,
    nics_on_a_bridge,
    one_interface_outside,
)
from jackfield.lab.scenarios.scenario import Measuring, Scenario

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        first_look.SCENARIO,
        learning.SCENARIO,
        nics_on_a_bridge.SCENARIO,
        internal_port.SCENARIO,
        bonded_access_port.SCENARIO,
        one_interface_outside.SCENARIO,
        container_nic.SCENARIO,
        internal_port_vs_veth.SCENARIO,
    )
}

__all__ = ["SCENARIOS", "Measuring", "Scenario"]
