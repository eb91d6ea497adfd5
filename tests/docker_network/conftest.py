from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.docker_network.dockerd import Dockerd
from tests.e2e.switch import Switch, new_switch
from tests.netlab import Lab

JACKFIELD = str(Path(sys.executable).parent / "jackfield")


@dataclass
class World:
    """A switch with a bridge br0, a Docker daemon beside it, and the driver between them."""

    switch: Switch
    docker: Dockerd
    driver: str

    @property
    def socket(self) -> Path:
        """Where Docker finds the driver."""
        return Path(f"/run/docker/plugins/{self.driver}.sock")

    def jackfield(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The switch's own command, whatever comes of it."""
        return self.switch.daemon.run(JACKFIELD, *words)

    def enable(self) -> None:
        """Have Docker served."""
        done = self.jackfield("docker", "enable", "--name", self.driver)
        assert done.returncode == 0, done.stderr

    def disable(self) -> None:
        """Have it served no more."""
        done = self.jackfield("docker", "disable")
        assert done.returncode == 0, done.stderr

    def network(self, name: str, subnet: str, *options: str, bridge: str = "br0") -> str:
        """A network of the driver; its id."""
        driver = ("--driver", self.driver, "-o", f"bridge={bridge}", "--subnet", subnet)
        return self.docker.docker("network", "create", *driver, *options, name)

    def ports(self) -> list[str]:
        return self.switch.vsctl("list-ports", "br0").split()


@pytest.fixture(scope="package")
def package_world() -> Iterator[World]:
    with new_switch() as switch, TemporaryDirectory(prefix="jft") as root:
        docker = Dockerd(Path(root), switch.host.name)
        # The agent asks this one and no other.
        switch.daemon.environment["DOCKER_HOST"] = docker.environment["DOCKER_HOST"]
        switch.daemon.restart()
        switch.vsctl("add-br", "br0")
        world = World(switch, docker, f"jft{os.getpid():x}")
        world.enable()
        with docker:
            yield world
    assert not world.socket.exists()


@pytest.fixture
def world(package_world: World) -> Iterator[World]:
    """The same world for each test, without networks and containers."""
    with Lab() as lab:
        switch = Switch(lab, package_world.switch.daemon, package_world.switch.host)
        world = World(switch, package_world.docker, package_world.driver)
        warnings = switch.daemon.log_warnings()
        try:
            yield world
        finally:
            docker = world.docker
            containers = docker.docker("ps", "-aq").split()
            if containers:
                docker.docker("rm", "-f", *containers)
            networks = docker.docker("network", "ls", "-q", "--filter", f"driver={world.driver}").split()
            if networks:
                docker.docker("network", "rm", *networks)
    assert world.ports() == []
    new = switch.daemon.log_warnings()[len(warnings) :]
    assert [line for line in new if "is served by another process" not in line] == []
    assert "docker-network" not in switch.vsctl("get", "Open_vSwitch", ".", "external_ids")
