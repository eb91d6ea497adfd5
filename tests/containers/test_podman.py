"""Attaching real containers of Podman."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.containers.conftest import World
from tests.containers.podman import Podman
from tests.netlab import until


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    with TemporaryDirectory(prefix="jft") as root, Podman(Path(root)) as podman:
        trouble = podman.trouble()
        if trouble:
            pytest.skip(f"podman cannot run containers on this machine: {trouble}")
        yield podman


@pytest.fixture
def served(world: World, podman: Podman) -> Iterator[World]:
    """A world whose commands ask that Podman."""
    world.hosts["CONTAINER_HOST"] = f"unix://{podman.socket}"
    yield world
    podman.do("rm", "-a", "-f", "-t", "0")


def test_a_container_of_podman_is_attached_and_comes_back_when_it_is_started_again(
    served: World, podman: Podman
) -> None:
    number = podman.container("web1")
    other = served.switch.lab.namespace("other")
    served.do("attach", f"netns:{other.name}", "br0", "--ip", "10.0.0.1/24", "--tag", "7")
    said = served.do("attach", "podman:web1", "br0", "--ip", "10.0.0.2/24", "--gw", "10.0.0.1", "--tag", "7")
    assert said.startswith("web1 attached eth1: port web1-eth1 of br0, MAC ")
    assert served.do(
        "attach", number[:12], "br0", "--ip", "10.0.0.2/24", "--gw", "10.0.0.1", "--tag", "7"
    ) == (said.replace(" attached ", " is attached already: "))
    before = podman.inside("web1", "ip", "-o", "link", "show", "eth1").split("link/ether")[1]
    assert other.pings("10.0.0.2")
    podman.do("stop", "-t", "0", "web1")
    until(lambda: "web1-eth1" not in served.ports(), what="the end of the port")
    assert served.states()["web1"] == "waiting for it to start"
    podman.do("start", "web1")
    until(lambda: served.states()["web1"] == "attached", what="the port again")
    until(lambda: other.pings("10.0.0.2"), what="an answer again")
    assert podman.inside("web1", "ip", "-o", "link", "show", "eth1").split("link/ether")[1] == before
    assert "default via 10.0.0.1" in podman.inside("web1", "ip", "route")
    podman.do("rm", "-f", "-t", "0", "web1")
    until(lambda: "web1" not in served.states(), what="the end of the attachment")


def test_a_service_of_podman_that_is_restarted_is_followed_again(served: World, podman: Podman) -> None:
    podman.container("web1")
    served.do("attach", "web1", "br0", "--ip", "10.0.0.2/24")
    podman.stop()
    until(lambda: "Podman at" in served.switch.daemon.output(), what="a word about it in the log")
    podman.start()
    podman.do("restart", "-t", "0", "web1")
    until(lambda: "eth1" in podman.inside("web1", "ip", "link"), what="the interface again")
    assert served.ports() == ["web1-eth1"]
    assert "there is no container" in served.refuses("attach", "podman:nobody", "br0")
