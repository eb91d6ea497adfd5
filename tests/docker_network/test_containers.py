"""Real containers on networks of the driver."""

from __future__ import annotations

from tests.docker_network.conftest import World


def test_containers_of_a_network_reach_each_other(world: World) -> None:
    world.network("jftnet", "10.7.0.0/24")
    world.docker.container("jftnet", "one")
    world.docker.container("jftnet", "two", "--ip", "10.7.0.77", "--mac-address", "02:00:00:00:07:77")
    assert world.docker.pings("one", "10.7.0.77")
    shown = world.docker.docker("exec", "two", "ip", "addr", "show", "eth0")
    assert "02:00:00:00:07:77" in shown
    assert "10.7.0.77/24" in shown
    assert len(world.ports()) == 2
    assert "default via 10.7.0.1 dev eth0" in world.docker.docker("exec", "one", "ip", "route")
