"""Every scenario, on every switch that it is for."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.docker_network.dockerd import Dockerd
from tests.lab.laboratory import failures, outcome
from tests.netlab import Lab

# The time of one is spent waiting; each is run where it says something that the others do not.
RUNS = [
    ("first-look", "jackfield"),
    ("learning", "jackfield"),
    ("nics-on-a-bridge", "jackfield,linux,ovs"),
    ("internal-port", "jackfield,ovs"),
    ("bonded-access-port", "jackfield,ovs"),
    ("one-interface-outside", "jackfield"),
]


@pytest.mark.parametrize(("name", "switches"), RUNS, ids=[name for name, _ in RUNS])
def test_every_check_of_the_scenario_holds(name: str, switches: str) -> None:
    told = outcome(name, "--switch", switches)
    assert failures(told) == []
    (scenario,) = told["scenarios"]
    assert [play["switch"] for play in scenario["plays"]] == switches.split(",")
    assert all(play["checks"] for play in scenario["plays"])


def test_every_check_of_containers_holds_with_real_ones_too() -> None:
    with (
        TemporaryDirectory(prefix="jft") as root,
        Lab() as lab,
        Dockerd(Path(root), lab.namespace("docker").name) as docker,
    ):
        told = outcome("container-nic", "--switch", "jackfield", env=docker.environment)
        assert failures(told) == []
        (play,) = told["scenarios"][0]["plays"]
        assert sum("Docker, one command" in check["check"] for check in play["checks"]) == 10
        assert docker.docker("ps", "-aq") == ""


def test_internal_port_is_measured_beside_veth() -> None:
    told = outcome(
        "internal-port-vs-veth", "--switch", "jackfield,linux", "--rounds", "2", "--seconds", "0.05"
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
