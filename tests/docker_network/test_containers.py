"""Real containers on networks of the driver."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.docker_network.conftest import World
from tests.netlab import until


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


def test_containers_reach_what_else_is_on_the_bridge(world: World) -> None:
    world.network("jftnet", "10.7.0.0/24", "--gateway", "10.7.0.254", "-o", "vlan=100")
    router = world.switch.lab.namespace("router")
    world.switch.internal_in("br0", "jftr", router, "10.7.0.254/24", "tag=100")
    router.up("lo", "198.51.100.1/32")
    world.docker.container("jftnet", "one")
    assert world.docker.pings("one", "198.51.100.1")
    world.switch.vsctl("del-port", "jftr")


def test_vlans_keep_networks_apart(world: World) -> None:
    for vlan in (10, 20):
        world.network(f"jft{vlan}", f"10.7.{vlan}.0/24", "-o", f"vlan={vlan}")
    world.docker.container("jft10", "one")
    world.docker.container("jft10", "two", "--ip", "10.7.10.9")
    world.docker.container("jft20", "three", "--ip", "10.7.20.9")
    assert world.docker.pings("one", "10.7.10.9")
    assert not world.docker.pings("one", "10.7.20.9")
    tags = {world.switch.get("Port", port, "tag") for port in world.ports()}
    assert tags == {"10", "20"}


def test_trunk_and_mtu_are_those_of_the_options(world: World) -> None:
    world.network("jftnet", "10.7.0.0/24", "-o", "trunk=5,10-12", "-o", "vlan=5", "-o", "mtu=1400")
    world.docker.container("jftnet", "one")
    (port,) = world.ports()
    assert world.switch.get("Port", port, "trunks") == "[5, 10, 11, 12]"
    assert world.switch.get("Port", port, "vlan_mode") == "native-untagged"
    assert "mtu 1400" in world.docker.docker("exec", "one", "ip", "link", "show", "eth0")


def test_dockers_own_option_for_the_mtu_works_too(world: World) -> None:
    world.network("jftnet", "10.7.0.0/24", "-o", "com.docker.network.driver.mtu=1300")
    world.docker.container("jftnet", "one")
    assert "mtu 1300" in world.docker.docker("exec", "one", "ip", "link", "show", "eth0")


def test_ipv6(world: World) -> None:
    world.network("jftnet", "10.7.0.0/24", "--ipv6", "--subnet", "fd07::/64", "--gateway", "fd07::fe")
    world.docker.container("jftnet", "one", "--ip6", "fd07::11")
    world.docker.container("jftnet", "two", "--ip6", "fd07::12")
    assert "default via fd07::fe dev eth0" in world.docker.docker("exec", "one", "ip", "-6", "route")
    until(lambda: world.docker.pings("one", "fd07::12"), what="an answer by IPv6")


def test_an_internal_network_has_no_gateway(world: World) -> None:
    world.network("jftnet", "10.7.0.0/24", "--internal")
    world.docker.container("jftnet", "one")
    world.docker.container("jftnet", "two", "--ip", "10.7.0.9")
    assert world.docker.pings("one", "10.7.0.9")
    assert "default" not in world.docker.docker("exec", "one", "ip", "route")


def test_a_network_may_have_no_addresses_at_all(world: World) -> None:
    driver = ("--driver", world.driver, "-o", "bridge=br0", "--ipam-driver", "null")
    world.docker.docker("network", "create", *driver, "jftnet")
    world.docker.container("jftnet", "one")
    assert "inet " not in world.docker.docker("exec", "one", "ip", "addr", "show", "eth0")
    assert len(world.ports()) == 1


def test_the_host_is_the_gateway_when_asked(world: World) -> None:
    options = ("-o", "vlan=30", "-o", "gateway-port=jftgw")
    world.network("jftnet", "10.7.0.0/24", "--gateway", "10.7.0.1", *options)
    world.docker.container("jftnet", "one", "--ip", "10.7.0.9")
    assert world.docker.pings("one", "10.7.0.1")
    world.switch.host.ping("10.7.0.9")
    world.docker.docker("rm", "-f", "one")
    world.docker.docker("network", "rm", "jftnet")
    assert "jftgw" not in world.switch.host.devices()


def test_a_stopped_container_leaves_nothing_and_comes_back_as_it_was(world: World) -> None:
    world.network("jftnet", "10.7.0.0/24")
    world.docker.container("jftnet", "one", "--ip", "10.7.0.9")
    world.docker.container("jftnet", "two")
    link = world.docker.docker("exec", "one", "cat", "/sys/class/net/eth0/address")
    world.docker.docker("kill", "one")
    until(lambda: len(world.ports()) == 1, what="the end of the port")
    assert len([name for name in world.switch.host.devices() if name.startswith("jfd")]) == 0
    world.docker.docker("start", "one")
    assert world.docker.docker("exec", "one", "cat", "/sys/class/net/eth0/address") == link
    assert world.docker.pings("two", "10.7.0.9")
    world.docker.docker("restart", "-t", "0", "one")
    assert world.docker.pings("two", "10.7.0.9")
    assert len(world.ports()) == 2


def test_a_container_may_join_and_leave_while_it_runs(world: World) -> None:
    world.network("jfta", "10.7.1.0/24")
    world.network("jftb", "10.7.2.0/24", "-o", "vlan=7")
    world.docker.container("jfta", "one")
    world.docker.docker("network", "connect", "--ip", "10.7.2.9", "jftb", "one")
    assert "10.7.2.9/24" in world.docker.docker("exec", "one", "ip", "addr", "show", "eth1")
    world.docker.docker("network", "disconnect", "jftb", "one")
    assert len(world.ports()) == 1
    assert "eth1" not in world.docker.docker("exec", "one", "ip", "link")


def test_many_containers_start_at_once(world: World) -> None:
    world.network("jftnet", "10.7.0.0/24")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: world.docker.container("jftnet", f"c{number}"), range(6)))
    assert len(world.ports()) == 6
    assert world.docker.pings("c0", "10.7.0.7")


def test_the_port_tells_whose_it_is(world: World) -> None:
    network = world.network("jftnet", "10.7.0.0/24")
    world.docker.container("jftnet", "one")
    (port,) = world.ports()
    assert world.switch.get("Interface", port, "external_ids:docker-network") == network
    container = world.docker.docker("inspect", "-f", "{{.Id}}", "one")
    world.switch.wait_for("Interface", port, "external_ids:container_id", container)
    sandbox = world.docker.docker("inspect", "-f", "{{.NetworkSettings.SandboxKey}}", "one")
    assert world.switch.get("Interface", port, "external_ids:docker-sandbox") == sandbox


def test_a_restart_of_the_switch_is_not_noticed(world: World) -> None:
    world.network("jftnet", "10.7.0.0/24", "-o", "vlan=9", "-o", "gateway-port=jftgw")
    world.docker.container("jftnet", "one")
    world.docker.container("jftnet", "two", "--ip", "10.7.0.9")
    world.switch.daemon.stop()
    assert world.docker.pings("one", "10.7.0.9")
    world.switch.daemon.start()
    assert world.docker.pings("one", "10.7.0.9")
    until(world.socket.exists, what="the driver's socket")
    world.docker.container("jftnet", "three", "--ip", "10.7.0.33")
    assert world.docker.pings("one", "10.7.0.33")
    assert world.docker.pings("one", "10.7.0.1")


def test_a_gateway_that_is_made_anew_has_its_addresses(world: World) -> None:
    world.network("jftnet", "10.7.0.0/24", "-o", "gateway-port=jftgw")
    world.switch.daemon.stop(cleanup=True)
    assert "jftgw" not in world.switch.host.devices()
    world.switch.daemon.start()
    world.docker.container("jftnet", "one")
    assert world.docker.pings("one", "10.7.0.1")


def test_an_endpoint_that_docker_has_removed_unheard_is_removed_later(world: World) -> None:
    network = world.network("jftnet", "10.7.0.0/24")
    world.docker.container("jftnet", "one")
    world.disable()
    ids = (f"external_ids:docker-network={network}", "external_ids:docker-endpoint=jftgone")
    world.switch.internal("br0", "jftleft", *ids)
    ids = ("external_ids:docker-network=jftother", "external_ids:docker-endpoint=jftkept")
    world.switch.internal("br0", "jftkept", *ids)
    world.enable()
    until(lambda: "jftleft" not in world.ports(), what="the end of the port that was left")
    assert len(world.ports()) == 2
    world.switch.vsctl("del-port", "jftkept")


def test_status_tells_of_networks_and_their_containers(world: World) -> None:
    network = world.network("jftnet", "10.7.0.0/24", "-o", "vlan=9")
    world.docker.container("jftnet", "one")
    status = json.loads(world.jackfield("docker", "status", "--json").stdout)
    assert status == {
        "name": world.driver,
        "socket": str(world.socket),
        "answers": True,
        "networks": [
            {"id": network, "bridge": "br0", "vlan": "9", "gateways": ["10.7.0.1/24"], "containers": 1}
        ],
    }
    table = world.jackfield("docker", "status").stdout
    assert f"Docker is served as network driver {world.driver} on {world.socket}" in table
    assert network[:12] in table


def test_a_name_that_somebody_else_has_is_refused(world: World) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        path = Path(f"/run/docker/plugins/{world.driver}x.sock")
        other.bind(str(path))
        other.listen()
        try:
            done = world.jackfield("docker", "enable", "--name", path.stem)
            assert done.returncode == 1
            assert "is served by another process; choose another name" in done.stderr
        finally:
            path.unlink()
    assert world.jackfield("docker", "enable", "--name", "bridge").returncode == 1
    world.enable()


def test_a_docker_that_was_killed_brings_containers_back_and_no_port_is_left(world: World) -> None:
    world.network("jftnet", "10.7.0.0/24")
    for number, policy in ((7, "no"), (8, "always"), (9, "always")):
        options = (f"--restart={policy}", "--stop-timeout=1", "--ip", f"10.7.0.{number}")
        world.docker.container("jftnet", f"c{number}", *options)
    world.docker.kill()
    world.docker.start()
    until(lambda: world.docker.pings("c8", "10.7.0.9"), deadline=20, what="an answer")
    until(lambda: len(world.ports()) == 2, deadline=20, what="the end of the ports that were left")


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                ("-o", "colour=red"),
                "option colour=red is not supported; there are bridge, gateway-port, mtu,",
            ),
            (("-o", "vlan=5000"), "option vlan: 5000 is not a VLAN"),
            (("-o", "trunk=9-3"), "option trunk: 9-3 ends before it begins"),
            (("-o", "mtu=big"), 'option mtu: "big" is not a number'),
            (("-o", "bridge=br9"), "there is no bridge br9"),
            (("-o", "gateway-port=br0"), "option gateway-port: the switch has a port br0 already"),
        ],
    )
    def test_a_network_with_wrong_options(self, world: World, options: tuple[str, ...], message: str) -> None:
        driver = ("--driver", world.driver, "--subnet", "10.7.0.0/24", "-o", "bridge=br0")
        done = world.docker.run("network", "create", *driver, *options, "jftnet")
        assert done.returncode == 1
        assert message in done.stderr
        assert "jftnet" not in world.docker.docker("network", "ls")

    def test_a_network_without_a_bridge(self, world: World) -> None:
        done = world.docker.run("network", "create", "--driver", world.driver, "jftnet")
        assert "say which bridge of the switch the network is on: -o bridge=NAME" in done.stderr

    def test_publishing_ports(self, world: World) -> None:
        world.network("jftnet", "10.7.0.0/24")
        done = world.docker.run(
            "run", "-d", "--network", "jftnet", "-p", "8080:80", "jft-busybox", "/bin/sleep", "9"
        )
        assert done.returncode != 0
        assert "ports cannot be published on this network" in done.stderr
        assert world.ports() == []

    def test_a_container_when_the_bridge_is_gone(self, world: World) -> None:
        world.switch.vsctl("add-br", "br1")
        world.network("jftnet", "10.7.0.0/24", bridge="br1")
        world.switch.vsctl("del-br", "br1")
        done = world.docker.run("run", "-d", "--network", "jftnet", "jft-busybox", "/bin/sleep", "9")
        assert "there is no bridge br1" in done.stderr
