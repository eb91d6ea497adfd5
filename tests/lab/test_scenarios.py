"""Every scenario, on every switch that it is for."""

from __future__ import annotations

import pytest

from tests.lab.laboratory import failures, outcome

# The time of one is spent waiting; each is run where it says something that the others do not.
RUNS = [
    ("learning", "jackfield"),
    ("nics-on-a-bridge", "jackfield,linux,ovs"),
    ("internal-port", "jackfield,ovs"),
    ("bonded-access-port", "jackfield,ovs"),
    ("one-interface-outside", "jackfield,ovs"),
    ("container-nic", "jackfield"),
]


@pytest.mark.parametrize(("name", "switches"), RUNS, ids=[name for name, _ in RUNS])
def test_every_check_of_the_scenario_holds(name: str, switches: str) -> None:
    told = outcome(name, "--switch", switches)
    assert failures(told) == []
    (scenario,) = told["scenarios"]
    assert [play["switch"] for play in scenario["plays"]] == switches.split(",")
    assert all(play["checks"] for play in scenario["plays"])


def test_internal_port_is_measured_beside_veth() -> None:
    told = outcome(
        "internal-port-vs-veth", "--switch", "jackfield,linux", "--rounds", "1", "--seconds", "0.05"
    )
    (play,) = told["scenarios"][0]["plays"]
    assert play["error"] is None
    rates, trips = play["tables"]
    assert [row[0] for row in rates["rows"]] == [
        "Jackfield, internal ports",
        "Jackfield, veth",
        "Linux bridge",
        "plain veth pair",
    ]
    assert len(rates["headings"]) == 5
    assert all(cell for row in (*rates["rows"], *trips["rows"]) for cell in row)
    sentences = [check["check"] for check in play["checks"]]
    assert sum("at least as fast as veth" in sentence for sentence in sentences) == 4
