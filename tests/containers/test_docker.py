"""Attaching real Docker containers, and following them."""

from __future__ import annotations

import os
import signal
import socket
import threading
from tempfile import TemporaryDirectory

import pytest

from tests.containers.conftest import World
from tests.netlab import until


def test_attached_containers_reach_each_other(docker_world: World) -> None:
    world = docker_world
    web = world.container("web1")
    world.container("web2")
    said = world.do("attach", "web1", "br0", "--ip", "10.0.0.11/24", "--gw", "10.0.0.1", "--tag", "100")
    assert said.startswith("web1 attached eth1: port web1-eth1 of br0, MAC ")
    world.do("attach", "docker:web2", "br0", "--ip", "10.0.0.12/24", "--tag", "100", "--veth")
    until(lambda: world.docker.pings("web1", "10.0.0.12"), what="an answer")
    assert "default via 10.0.0.1 dev eth1" in world.inside("web1", "ip", "route")
    assert world.switch.get("Interface", "web1-eth1", "external_ids:container_id") == web
    world.do("detach", web[:12])
    assert world.ports() == ["web2-eth1"]
    assert "eth1" not in world.inside("web1", "ip", "link")


def test_a_container_that_starts_again_is_as_it_was(docker_world: World) -> None:
    world = docker_world
    for name, number in (("web1", 11), ("web2", 12)):
        world.container(name)
        gateway = ("--gw", "10.0.0.254", "--route", "10.9.0.0/16=10.0.0.253")
        world.do("attach", name, "br0", "--ip", f"10.0.0.{number}/24", "--tag", "100", *gateway)
    before = (world.inside("web1", "ip", "route"), _mac(world, "web1"))
    world.agent_pid()
    world.docker.docker("kill", "web1")
    until(lambda: world.ports() == ["web2-eth1"], what="the port of a stopped container to go")
    assert "web1-eth1" not in world.switch.vsctl("list", "Interface")
    assert world.states() == {"web1": "waiting for it to start", "web2": "attached"}
    world.docker.docker("start", "web1")
    until(lambda: world.docker.pings("web2", "10.0.0.11"), what="an answer of the container that started")
    assert (world.inside("web1", "ip", "route"), _mac(world, "web1")) == before
    assert world.switch.get("Port", "web1-eth1", "tag") == "100"
    world.docker.docker("restart", "-t", "0", "web1")
    until(lambda: world.docker.pings("web2", "10.0.0.11"), what="an answer after a restart")


@pytest.mark.parametrize("kind", [(), ("--veth",)], ids=["internal", "veth"])
def test_a_container_that_started_again_unseen_is_as_it_was(
    docker_world: World, kind: tuple[str, ...]
) -> None:
    """Its new namespace often has the number of the one before, so that this tells nothing."""
    world = docker_world
    for name, number in (("web1", 11), ("web2", 12)):
        world.container(name)
        world.do("attach", name, "br0", "--ip", f"10.0.0.{number}/24", *kind)
    agent = world.agent_pid()
    until(lambda: world.docker.pings("web2", "10.0.0.11"), what="an answer")
    os.kill(agent, signal.SIGSTOP)
    try:
        world.docker.docker("restart", "-t", "0", "web1")
    finally:
        os.kill(agent, signal.SIGCONT)
    until(lambda: world.docker.pings("web2", "10.0.0.11"), what="an answer after a restart")


def test_a_container_that_is_removed_leaves_nothing(docker_world: World) -> None:
    world = docker_world
    world.container("web1")
    world.do("attach", "web1", "br0", "--ip", "10.0.0.11/24")
    world.agent_pid()
    world.docker.docker("rm", "-f", "web1")
    until(lambda: world.attachments() == [], what="the attachment to go")
    assert world.ports() == []
    assert world.switch.get("Bridge", "br0", "external_ids") == "{}"


def test_attachments_outlive_the_end_of_docker_and_of_the_daemon(docker_world: World) -> None:
    world = docker_world
    world.container("web1")
    world.container("web2")
    for name, number in (("web1", 11), ("web2", 12)):
        world.do("attach", name, "br0", "--ip", f"10.0.0.{number}/24")
    world.agent_pid()
    world.docker.stop()
    until(lambda: world.ports() == [], what="the ports of containers that ended to go")
    world.switch.daemon.restart()
    world.docker.start()
    world.docker.docker("start", "web1", "web2")
    until(lambda: world.docker.pings("web1", "10.0.0.12"), what="an answer", deadline=10)


def test_what_docker_does_not_run_is_refused(docker_world: World) -> None:
    world = docker_world
    assert world.refuses("attach", "nobody", "br0").startswith("there is no container nobody: Docker at ")
    world.container("web1")
    world.docker.docker("kill", "web1")
    said = world.refuses("attach", "web1", "br0")
    assert said == "container web1 is not running (exited); `docker start web1` starts it"
    world.docker.container("host", "hosty")
    assert "uses this host's own network" in world.refuses("attach", "hosty", "br0")


def test_a_container_that_is_renamed_is_known_by_its_new_name(docker_world: World) -> None:
    world = docker_world
    world.container("web1")
    world.do("attach", "web1", "br0", "--ip", "10.0.0.11/24")
    world.docker.docker("rename", "web1", "web2")
    until(lambda: world.states() == {"web2": "attached"}, what="the new name")
    world.docker.docker("kill", "web2")
    until(lambda: world.ports() == [], what="the end of the port")
    world.docker.docker("rename", "web2", "web3")
    assert world.do("detach", "web3") == "web2: detached eth1\n"
    assert world.attachments() == []


def test_no_engine_and_one_that_hangs_are_told_apart(world: World) -> None:
    with TemporaryDirectory(prefix="jft") as folder:
        path = f"{folder}/docker.sock"
        said = world.run(
            "attach", "web1", "br0", DOCKER_HOST=f"unix://{path}", CONTAINER_HOST=f"unix://{path}"
        )
        assert said.returncode == 1
        assert "neither Docker nor Podman runs here" in said.stderr
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            said = world.run("attach", "web1", "br0", DOCKER_HOST=f"unix://{path}")
        assert said.returncode == 1
        assert said.stderr == f"jackfield: Docker at {path} has not answered within 5 seconds\n"


def test_a_container_can_be_attached_and_stopped_in_any_order(docker_world: World) -> None:
    """Whoever is first, command or agent, in the end the port is there if the container runs."""
    world = docker_world
    world.container("web1")
    for _ in range(3):
        killer = threading.Thread(target=world.docker.docker, args=("kill", "web1"))
        killer.start()
        world.run("attach", "web1", "br0", "--ip", "10.0.0.11/24")
        killer.join()
        until(lambda: world.ports() == [], what="the port to go")
        world.docker.docker("start", "web1")
    world.do("attach", "web1", "br0", "--ip", "10.0.0.11/24")
    assert world.ports() == ["web1-eth1"]


def test_ovs_docker_works_unmodified(docker_world: World) -> None:
    world = docker_world
    world.container("web1")
    world.container("web2")

    def ovs_docker(*words: str) -> str:
        done = world.switch.daemon.run(
            "env", f"DOCKER_HOST={world.docker.environment['DOCKER_HOST']}", "ovs-docker", *words
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    for number in (1, 2):
        ovs_docker("add-port", "br0", "eth7", f"web{number}", f"--ipaddress=10.7.0.{number}/24", "--mtu=1400")
    until(lambda: world.docker.pings("web1", "10.7.0.2"), what="an answer")
    ovs_docker("set-vlan", "br0", "eth7", "web1", "55")
    assert not world.docker.pings("web1", "10.7.0.2")
    ovs_docker("set-vlan", "br0", "eth7", "web2", "55")
    until(lambda: world.docker.pings("web1", "10.7.0.2"), what="an answer in the VLAN")
    ovs_docker("del-port", "br0", "eth7", "web1")
    assert len(world.ports()) == 1
    ovs_docker("del-ports", "br0", "web2")
    assert world.ports() == []


def _mac(world: World, name: str) -> str:
    return world.inside(name, "cat", "/sys/class/net/eth1/address")
