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
def test_every_check_of_the_scenario_holds(tmp_path: Path, name: str, switches: str) -> None:
    told = outcome(name, "--switch", switches, "--report", str(tmp_path))
    assert failures(told) == []
    (scenario,) = told["scenarios"]
    assert [play["switch"] for play in scenario["plays"]] == switches.split(",")
    assert all(play["checks"] for play in scenario["plays"])
    assert captured(tmp_path) == {f"{name}-{switch}" for switch in switches.split(",")}


def captured(report: Path) -> set[str]:
    """The plays of a report that have packets in files."""
    return {file.parent.name for file in report.glob("captures/*/*.pcap") if file.stat().st_size > 24}


def test_every_check_of_containers_holds_with_real_ones_too(tmp_path: Path) -> None:
    with (
        TemporaryDirectory(prefix="jft") as root,
        Lab() as lab,
        Dockerd(Path(root), lab.namespace("docker").name) as docker,
    ):
        words = ("--switch", "jackfield", "--report", str(tmp_path))
        told = outcome("container-nic", *words, env=docker.environment)
        assert failures(told) == []
        (play,) = told["scenarios"][0]["plays"]
        assert sum("Docker, one command" in check["check"] for check in play["checks"]) == 11
        assert captured(tmp_path) == {"container-nic-jackfield"}
        assert docker.docker("ps", "-aq") == ""


def test_internal_port_is_measured_beside_veth(tmp_path: Path) -> None:
    words = ("--switch", "jackfield,linux", "--rounds", "2", "--seconds", "0.05", "--report", str(tmp_path))
    told = outcome("internal-port-vs-veth", *words)
    assert captured(tmp_path) == {"internal-port-vs-veth-all"}
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
