from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.docker_network.dockerd import Dockerd
from tests.e2e.switch import Switch, new_switch
from tests.netlab import Lab, until

JACKFIELD = str(Path(sys.executable).parent / "jackfield")


class World:
    """A switch with a bridge br0, perhaps with a Docker daemon beside it, and the commands under test."""

    def __init__(self, switch: Switch, docker: Dockerd | None = None) -> None:
        self.switch = switch
        self._docker = docker
        self.hosts: dict[str, str] = {}
        if docker is not None:
            self.hosts["DOCKER_HOST"] = docker.environment["DOCKER_HOST"]

    @property
    def docker(self) -> Dockerd:
        assert self._docker is not None
        return self._docker

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command of `jackfield`, whatever comes of it."""
        settings = [f"{name}={value}" for name, value in (environment | self.hosts).items()]
        return self.switch.daemon.run("env", *settings, JACKFIELD, *words)

    def do(self, *words: str) -> str:
        """A command of `jackfield`, which must succeed; its output."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refuses(self, *words: str) -> str:
        """The sentence with which a command is refused; nothing may have changed."""
        before = self.configuration()
        done = self.run(*words)
        assert done.returncode == 1, done.stdout + done.stderr
        assert done.stdout == ""
        assert self.configuration() == before
        (sentence,) = done.stderr.splitlines()
        return sentence.removeprefix("jackfield: ")

    def configuration(self) -> list[str]:
        """What the database says of ports and attachments, in a stable order."""
        columns = {
            "Port": "name,tag,trunks,external_ids",
            "Interface": "name,type,options,external_ids,mac,mtu_request",
            "Bridge": "name,external_ids",
        }
        words = [
            word for table, names in columns.items() for word in ("--", f"--columns={names}", "list", table)
        ]
        rows = self.switch.vsctl(*words).replace("\nname ", "\n\nname ").split("\n\n")
        return sorted(row.strip() for row in rows if row.strip())

    def attachments(self) -> list[dict[str, Any]]:
        """What `jackfield attachments` lists."""
        return list(json.loads(self.do("attachments", "--json"))["attachments"])

    def states(self) -> dict[str, str]:
        """The state of every attachment, by the name of its target."""
        return {each["target"]["name"]: each["state"] for each in self.attachments()}

    def ports(self, bridge: str = "br0") -> list[str]:
        return self.switch.vsctl("list-ports", bridge).split()

    def container(self, name: str) -> str:
        """A running container without a network; its id."""
        return self.docker.container("none", name, "--stop-timeout", "0")

    def inside(self, name: str, *command: str) -> str:
        """The output of a command in a container."""
        return self.docker.docker("exec", name, *command)

    def agent_pid(self) -> int:
        """The process of the agent, once there is one."""
        return until(lambda: _children(self.switch.daemon.pid), what="an agent")[0]


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture(scope="package")
def shared_switch() -> Iterator[Switch]:
    with new_switch() as switch:
        yield switch


@pytest.fixture(scope="package")
def shared_docker(shared_switch: Switch) -> Iterator[Dockerd]:
    with TemporaryDirectory(prefix="jft") as root, Dockerd(Path(root), shared_switch.host.name) as docker:
        yield docker


@pytest.fixture
def world(shared_switch: Switch) -> Iterator[World]:
    """A switch with an empty bridge, which logs no warning, in a laboratory of the test's own."""
    with _cleaned(shared_switch) as world:
        yield world


@pytest.fixture
def docker_world(shared_switch: Switch, shared_docker: Dockerd) -> Iterator[World]:
    """The same with a Docker daemon."""
    with _cleaned(shared_switch, shared_docker) as world:
        try:
            yield world
        finally:
            containers = shared_docker.docker("ps", "-aq").split()
            if containers:
                shared_docker.docker("rm", "-f", *containers)


class _cleaned:
    """A world that is empty again afterwards."""

    def __init__(self, shared: Switch, docker: Dockerd | None = None) -> None:
        self._lab = Lab()
        self._switch = Switch(self._lab, shared.daemon, shared.host)
        self._docker = docker

    def __enter__(self) -> World:
        self._lab.__enter__()
        self._devices = self._switch.host.devices()
        self._switch.vsctl("add-br", "br0")
        return World(self._switch, self._docker)

    def __exit__(self, *_: object) -> None:
        try:
            self._switch.vsctl(
                "--", "--if-exists", "del-br", "br0", "--", "clear", "Open_vSwitch", ".", "other_config"
            )
        finally:
            self._lab.__exit__(None, None, None)
        # A pair goes some time after the namespace that its other end was in.
        until(lambda: self._switch.host.devices() == self._devices, what="the end of all devices")
