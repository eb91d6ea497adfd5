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
ROOT = Path(__file__).resolve().parents[2]


class Plugin:
    """The driver's process."""

    def __init__(self, switch: Switch) -> None:
        self.name = f"jft{os.getpid():x}"
        self.socket = Path(f"/run/docker/plugins/{self.name}.sock")
        self._switch = switch
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                *("nsenter", f"--net=/run/netns/{self._switch.host.name}", "--"),
                *(sys.executable, "-m", "tests.docker_network.plugin", self.name),
            ],
            env=self._switch.daemon.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        enabled = self._switch.daemon.run(JACKFIELD, "docker", "enable", "--name", self.name)
        assert enabled.returncode == 0, enabled.stderr

    def stop(self) -> None:
        process, self._process = self._process, None
        assert process is not None
        process.communicate("", timeout=10)
        assert process.returncode == 0


@dataclass
class World:
    """A switch with a bridge br0, a Docker daemon beside it, and the driver between them."""

    switch: Switch
    docker: Dockerd
    plugin: Plugin

    def network(self, name: str, subnet: str, *options: str, bridge: str = "br0") -> str:
        """A network of the driver; its id."""
        driver = ("--driver", self.plugin.name, "-o", f"bridge={bridge}", "--subnet", subnet)
        return self.docker.docker("network", "create", *driver, *options, name)

    def ports(self) -> list[str]:
        return self.switch.vsctl("list-ports", "br0").split()


@pytest.fixture(scope="package")
def package_world() -> Iterator[World]:
    with new_switch() as switch, TemporaryDirectory(prefix="jft") as root:
        switch.vsctl("add-br", "br0")
        plugin = Plugin(switch)
        plugin.start()
        try:
            with Dockerd(Path(root), switch.host.name) as docker:
                yield World(switch, docker, plugin)
        finally:
            plugin.stop()


@pytest.fixture
def world(package_world: World) -> Iterator[World]:
    """The same world for each test, without networks and containers."""
    with Lab() as lab:
        switch = Switch(lab, package_world.switch.daemon, package_world.switch.host)
        world = World(switch, package_world.docker, package_world.plugin)
        try:
            yield world
        finally:
            docker = world.docker
            containers = docker.docker("ps", "-aq").split()
            if containers:
                docker.docker("rm", "-f", *containers)
            networks = docker.docker("network", "ls", "-q", "--filter", f"driver={world.plugin.name}").split()
            if networks:
                docker.docker("network", "rm", *networks)
    assert world.ports() == []
    assert "docker-network" not in switch.vsctl("get", "Open_vSwitch", ".", "external_ids")
