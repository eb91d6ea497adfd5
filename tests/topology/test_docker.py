"""Containers of Docker in a network file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.docker_network.dockerd import Dockerd
from tests.e2e.switch import Switch, new_switch

JACKFIELD = str(Path(sys.executable).parent / "jackfield")
FILE = """
bridges:
  br0:
    ports:
      gate: {type: internal, tag: 7, addresses: [10.0.0.1/24]}
containers:
  web1: {bridge: br0, tag: 7, addresses: [10.0.0.11/24], gateways: [10.0.0.1]}
  web2:
    - {bridge: br0, tag: 7, addresses: [10.0.0.12/24], mac: 02:00:00:00:00:12}
    - {bridge: br0, tag: 8, addresses: [10.8.0.12/24], device: eth2}
"""


@pytest.fixture
def world() -> Iterator[tuple[Switch, Dockerd]]:
    with (
        new_switch() as switch,
        TemporaryDirectory(prefix="jft") as root,
        Dockerd(Path(root), switch.host.name) as docker,
    ):
        yield switch, docker


def test_containers_are_attached_exported_drawn_and_detached(
    world: tuple[Switch, Dockerd], tmp_path: Path
) -> None:
    switch, docker = world
    environment = ["env", f"DOCKER_HOST={docker.environment['DOCKER_HOST']}", JACKFIELD]

    def jackfield(*words: str) -> str:
        done = switch.daemon.run(*environment, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    file, exported = tmp_path / "lab.yaml", tmp_path / "now.yaml"
    file.write_text(FILE, encoding="utf-8")
    for name in ("web1", "web2"):
        docker.container("none", name, "--stop-timeout", "0")
    assert jackfield("apply", str(file)).endswith("done: 6 added, 0 changed, 0 removed\n")
    assert docker.pings("web1", "10.0.0.12")
    assert docker.pings("web2", "10.0.0.1")
    assert jackfield("plan", str(file), "--prune") == f"nothing to do: everything is as {file} says\n"

    exported.write_text(jackfield("export"), encoding="utf-8")
    assert jackfield("plan", str(exported), "--prune").startswith("nothing to do")
    assert "├── web2: eth2" in jackfield("graph", "--view", "l2")
    subnets = json.loads(jackfield("graph", "--format", "json", "--view", "l3"))["subnets"]
    assert [leg["host"] for leg in subnets[0]["addresses"]] == ["", "web1", "web2"]

    file.write_text("bridges: {br0: {}}\n", encoding="utf-8")
    plan = jackfield("plan", "--prune", str(file)).splitlines()
    assert plan[:3] == ["- container eth1 of web1", "- container eth1 of web2", "- container eth2 of web2"]
    jackfield("apply", "--prune", str(file))
    assert switch.vsctl("list-ports", "br0") == ""
    assert json.loads(jackfield("attachments", "--json")) == {"attachments": []}
