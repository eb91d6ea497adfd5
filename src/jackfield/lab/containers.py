"""Containers of an experiment: network namespaces with a process in them, or real ones of Docker."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path

from jackfield.lab import namespaces
from jackfield.lab.errors import LabError
from jackfield.lab.host import Host
from jackfield.lab.stage import Stage

IMAGE = "jackfield-lab"
BUSYBOX = "busybox"
DOCKER_SECONDS = 30.0
ASK_SECONDS = 5.0


class Container(ABC):
    """A container. `host` runs commands in its network namespace, `target` names it to `jackfield attach`."""

    host: Host
    target: str

    @abstractmethod
    def pid(self) -> int:
        """A process of it."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it, and with it its network namespace."""

    @abstractmethod
    def start(self) -> None:
        """Start it again, with a network namespace that is new."""


class Namespace(Container):
    """A named network namespace with a process in it, and an eth0 that somebody else gave it."""

    def __init__(self, stage: Stage, name: str, number: int) -> None:
        """`number` tells its eth0's address from others'."""
        self.target = f"netns:{name}"
        self._stage, self._name, self._number = stage, name, number
        self._process: subprocess.Popen[str] | None = None
        stage.containers.callback(self._end)
        self.start()

    def pid(self) -> int:
        if self._process is None:
            raise LabError(f"{self._name} does not run")
        return self._process.pid

    def start(self) -> None:
        stage = self._stage
        self.host = stage.host(self._name)
        # What a container runtime gives: a cable to a network of its own, and the default route.
        stage.cable(self.host, "eth0", stage.switch_host, f"rt-{self._name}")
        self.host.look(f"ip addr add 172.17.0.{self._number}/24 dev eth0")
        self.host.look("ip route add default via 172.17.0.254 metric 1000")
        self._process = self.host.start("sleep infinity")

    def stop(self) -> None:
        self._end()
        self._stage.remove_host(self._name)

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


class DockerContainer(Container):
    """A container that a Docker daemon runs, without a network of Docker's."""

    def __init__(self, stage: Stage, name: str) -> None:
        """`name` is what the story calls it; to Docker it has one that nobody else has."""
        self.target = f"{stage.run_name}-{name}"
        self._stage, self._name = stage, name
        stage.containers.callback(docker, "rm", "--force", self.target)
        line = f"docker run --detach --name {self.target} --network none {IMAGE} sleep 1000000"
        stage.switch_host.run(line, only="^$")
        self._enter()

    def pid(self) -> int:
        return int(docker("inspect", "--format", "{{.State.Pid}}", self.target))

    def start(self) -> None:
        self._stage.switch_host.run(f"docker start {self.target}", only="^$")
        self._enter()

    def stop(self) -> None:
        self._stage.switch_host.run(f"docker kill {self.target}", only="^$")

    def _enter(self) -> None:
        self.host = self._stage.guest(self._name, Path(f"/proc/{self.pid()}/ns/net"))


def docker_missing() -> str:
    """Why there are no Docker containers here; "" if there can be."""
    if not namespaces.is_installed("docker"):
        return "the command docker is not installed"
    try:
        namespaces.quiet("docker", "version", "--format", "json", seconds=ASK_SECONDS)
    except LabError:
        return "no Docker daemon answers"
    if not _has_image() and shutil.which(BUSYBOX) is None:
        return f"{BUSYBOX}, of which their image is made, is not installed"
    return ""


def docker(*words: str) -> str:
    """A docker command that the story does not show."""
    return namespaces.quiet("docker", *words, seconds=DOCKER_SECONDS).strip()


def make_image() -> None:
    """An image of nothing but busybox, made here and fetched from nowhere. Raises LabError."""
    if _has_image():
        return
    busybox = shutil.which(BUSYBOX)
    if busybox is None:
        raise LabError(f"{BUSYBOX} is not installed")
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.add(Path(busybox).resolve(), "bin/busybox")
            for name in ("sh", "sleep", "ping", "ip"):
                link = tarfile.TarInfo(f"bin/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
        file.flush()
        docker("import", file.name, IMAGE)


def _has_image() -> bool:
    try:
        return bool(json.loads(docker("image", "inspect", IMAGE)))
    except (LabError, ValueError):
        return False
