"""ADD, CHECK and DEL as a container runtime runs them, on a real switch with a real IPAM plugin."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.cni.runtime import IPAM_FOLDER, Runtime
from tests.e2e.switch import Switch
from tests.netlab import Namespace


def l2(**keys: Any) -> dict[str, Any]:
    """A network without addresses."""
    return {"cniVersion": "1.0.0", "name": "jftl2", "type": "jackfield-cni", "bridge": "br0", **keys}


def ports(switch: Switch) -> list[str]:
    return switch.vsctl("list-ports", "br0").split()


def leases(network: dict[str, Any]) -> list[str]:
    folder = Path(network["ipam"]["dataDir"]) / network["name"]
    return sorted(path.name for path in folder.glob("10.*")) if folder.exists() else []


@pytest.fixture
def box(switch: Switch) -> Namespace:
    return switch.lab.namespace("box")


def test_two_containers_reach_each_other(switch: Switch, runtime: Runtime, network: dict[str, Any]) -> None:
    one, two = switch.lab.namespace("one"), switch.lab.namespace("two")
    first = runtime.attachment("ADD", network, one, container="c1").ok
    second = runtime.attachment("ADD", network, two, container="c2").ok
    assert first["ips"] == [{"address": "10.5.0.2/24", "gateway": "10.5.0.1", "interface": 0}]
    assert first["routes"] == [{"dst": "0.0.0.0/0"}]
    (interface,) = first["interfaces"]
    assert interface == {"name": "eth0", "mac": one.mac("eth0"), "sandbox": str(one.path)}
    one.ping(second["ips"][0]["address"].partition("/")[0])
    assert "default via 10.5.0.1 dev eth0" in one.ip("route")


def test_the_port_tells_whose_it_is(switch: Switch, runtime: Runtime, box: Namespace) -> None:
    runtime.attachment("ADD", l2(), box, container="abc", ifname="net1").ok  # noqa: B018
    (port,) = ports(switch)
    assert switch.get("Interface", port, "external_ids:container_id") == "abc"
    assert switch.get("Interface", port, "external_ids:container_iface") == "net1"
    assert switch.get("Interface", port, "external_ids:cni-network") == "jftl2"
    assert switch.get("Interface", port, "error") == "[]"


def test_del_takes_everything_back(
    switch: Switch, runtime: Runtime, network: dict[str, Any], box: Namespace
) -> None:
    runtime.attachment("ADD", network, box)
    assert leases(network) == ["10.5.0.2"]
    for _ in range(2):
        assert runtime.attachment("DEL", network, box).ok is None
        assert (ports(switch), leases(network), box.devices()) == ([], [], {"lo"})


def test_del_works_when_the_namespace_is_gone(
    switch: Switch, runtime: Runtime, network: dict[str, Any], box: Namespace
) -> None:
    runtime.attachment("ADD", network, box)
    switch.lab.remove(box)
    runtime.attachment("DEL", network, "")
    assert (ports(switch), leases(network)) == ([], [])


@pytest.mark.parametrize("config", [b"", b"{}", b'{"cniVersion": "1.0.0", "bridge": 7, "vlan": "x"}'])
def test_del_works_when_the_configuration_is_gone(
    switch: Switch, runtime: Runtime, box: Namespace, config: bytes
) -> None:
    runtime.attachment("ADD", l2(), box)
    runtime.attachment("DEL", config, box)
    assert ports(switch) == []


def test_vlans_keep_containers_apart(switch: Switch, runtime: Runtime, network: dict[str, Any]) -> None:
    one, two, three = (switch.lab.namespace(name) for name in ("one", "two", "three"))
    runtime.attachment("ADD", {**network, "vlan": 10}, one, container="c1")
    runtime.attachment("ADD", {**network, "vlan": 10}, two, container="c2")
    runtime.attachment("ADD", {**network, "vlan": 20}, three, container="c3")
    one.ping("10.5.0.3")
    assert not one.pings("10.5.0.4")


def test_a_trunk_carries_its_vlans_only(switch: Switch, runtime: Runtime, box: Namespace) -> None:
    config = l2(trunk=[{"id": 42}, {"minID": 1000, "maxID": 1002}])
    runtime.attachment("ADD", config, box)
    (port,) = ports(switch)
    assert switch.get("Port", port, "trunks") == "[42, 1000, 1001, 1002]"
    assert switch.get("Port", port, "tag") == "[]"


def test_a_trunk_with_a_vlan_has_that_one_untagged(switch: Switch, runtime: Runtime, box: Namespace) -> None:
    runtime.attachment("ADD", l2(vlan=5, trunk=[{"id": 42}]), box)
    (port,) = ports(switch)
    assert switch.get("Port", port, "vlan_mode") == "native-untagged"


@pytest.mark.parametrize(
    ("keys", "arguments"),
    [
        ({}, "IgnoreUnknown=1;MAC=02:11:22:33:44:55;K8S_POD_NAME=web"),
        ({"args": {"cni": {"mac": "02:11:22:33:44:55"}}}, "MAC=02:00:00:00:00:01"),
        ({"runtimeConfig": {"mac": "02:11:22:33:44:55"}, "capabilities": {"mac": True}}, ""),
    ],
)
def test_a_mac_can_be_asked_for(
    runtime: Runtime, box: Namespace, keys: dict[str, Any], arguments: str
) -> None:
    result = runtime.attachment("ADD", l2(**keys), box, arguments=arguments).ok
    assert result["interfaces"][0]["mac"] == box.mac("eth0") == "02:11:22:33:44:55"


def test_the_mac_of_a_container_stays_the_same(runtime: Runtime, box: Namespace) -> None:
    first = runtime.attachment("ADD", l2(), box).ok["interfaces"][0]["mac"]
    runtime.attachment("DEL", l2(), box)
    assert runtime.attachment("ADD", l2(), box).ok["interfaces"][0]["mac"] == first


def test_mtu_and_port_number_are_those_asked_for(switch: Switch, runtime: Runtime, box: Namespace) -> None:
    config = l2(mtu=1400, ofport_request=77, cniVersion="1.1.0")
    assert runtime.attachment("ADD", config, box).ok["interfaces"][0]["mtu"] == 1400
    assert switch.get("Interface", ports(switch)[0], "ofport") == "77"
    assert "mtu 1400" in box.ip("link", "show", "eth0")


def test_a_container_has_several_interfaces(switch: Switch, runtime: Runtime, box: Namespace) -> None:
    for name in ("eth0", "eth1"):
        runtime.attachment("ADD", l2(), box, ifname=name)
    assert len(ports(switch)) == 2
    runtime.attachment("DEL", l2(), box, ifname="eth0")
    assert box.devices() == {"lo", "eth1"}


def test_ipv6_works_at_once(switch: Switch, runtime: Runtime, network: dict[str, Any]) -> None:
    network["ipam"]["ranges"] = [[{"subnet": "fd05::/64", "gateway": "fd05::1"}]]
    network["ipam"]["routes"] = [{"dst": "::/0"}]
    one, two = switch.lab.namespace("one"), switch.lab.namespace("two")
    runtime.attachment("ADD", network, one, container="c1")
    runtime.attachment("ADD", network, two, container="c2")
    assert "default via fd05::1 dev eth0" in one.ip("-6", "route")
    one.run("ping", "-6", "-c", "1", "-W", "2", "fd05::3")


def test_a_neighbour_learns_of_the_new_holder_of_an_address(
    switch: Switch, runtime: Runtime, network: dict[str, Any]
) -> None:
    network["ipam"]["ranges"] = [
        [{"subnet": "10.5.0.0/24", "rangeStart": "10.5.0.9", "rangeEnd": "10.5.0.9"}]
    ]
    one, two, watcher = (switch.lab.namespace(name) for name in ("one", "two", "watcher"))
    switch.internal_in("br0", "jftw", watcher, "10.5.0.200/24")
    runtime.attachment("ADD", network, one, container="c1")
    watcher.ping("10.5.0.9")
    runtime.attachment("DEL", network, one, container="c1")
    mac = runtime.attachment("ADD", network, two, container="c2").ok["interfaces"][0]["mac"]
    assert mac in watcher.ip("neigh", "show", "10.5.0.9")


@pytest.mark.parametrize("version", ["0.3.0", "0.3.1", "0.4.0", "1.0.0"])
def test_the_result_has_the_form_of_the_version(
    runtime: Runtime, network: dict[str, Any], box: Namespace, version: str
) -> None:
    result = runtime.attachment("ADD", {**network, "cniVersion": version}, box).ok
    assert result["cniVersion"] == version
    assert result["ips"][0].get("version") == (None if version == "1.0.0" else "4")
    assert result["dns"] == {}


def test_dns_goes_through(runtime: Runtime, box: Namespace) -> None:
    dns = {"nameservers": ["10.0.0.53"], "search": ["example.com"]}
    assert runtime.attachment("ADD", l2(dns=dns), box).ok["dns"] == dns


def test_a_result_of_an_earlier_plugin_is_kept(runtime: Runtime, box: Namespace) -> None:
    earlier = {
        "cniVersion": "1.0.0",
        "interfaces": [{"name": "x0", "mac": "02:00:00:00:00:01"}],
        "ips": [{"address": "10.9.0.2/24", "interface": 0}],
        "dns": {"nameservers": ["10.9.0.1"]},
    }
    result = runtime.attachment("ADD", l2(prevResult=earlier), box).ok
    assert [interface["name"] for interface in result["interfaces"]] == ["x0", "eth0"]
    assert (result["ips"], result["dns"]) == (earlier["ips"], earlier["dns"])


@pytest.mark.parametrize("version", ["0.3.1", "0.4.0", "1.0.0"])
def test_other_plugins_of_a_chain_understand_the_result(
    runtime: Runtime, network: dict[str, Any], box: Namespace, version: str
) -> None:
    network |= {"cniVersion": version}
    result = runtime.attachment("ADD", network, box).ok
    tuning = {
        "cniVersion": version,
        "name": network["name"],
        "type": "tuning",
        "prevResult": result,
        "mac": "02:00:00:00:00:99",
    }
    plugin = Path(IPAM_FOLDER) / "tuning"
    changed = runtime.attachment("ADD", tuning, box, plugin=plugin).ok
    assert changed["ips"] == result["ips"]
    assert box.mac("eth0") == "02:00:00:00:00:99"
    if version != "0.3.1":
        runtime.attachment("CHECK", {**network, "prevResult": changed}, box).ok  # noqa: B018
    runtime.attachment("DEL", {**network, "prevResult": changed}, box).ok  # noqa: B018


def test_the_port_is_there_again_after_a_restart_of_the_daemon(
    switch: Switch, runtime: Runtime, network: dict[str, Any], box: Namespace
) -> None:
    result = runtime.attachment("ADD", network, box).ok
    switch.daemon.restart()
    runtime.attachment("CHECK", {**network, "prevResult": result}, box).ok  # noqa: B018


def test_many_containers_are_added_at_once(switch: Switch, runtime: Runtime, network: dict[str, Any]) -> None:
    boxes = [switch.lab.namespace(f"b{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda box: runtime.attachment("ADD", network, box, container=box.name), boxes)
        )
    addresses = {answer.ok["ips"][0]["address"] for answer in answers}
    assert len(addresses) == len(ports(switch)) == 8
    boxes[0].ping("10.5.0.9" if "10.5.0.2/24" in boxes[0].ip("addr") else "10.5.0.2")


class TestCheck:
    def test_says_nothing_when_all_is_well(
        self, runtime: Runtime, network: dict[str, Any], box: Namespace
    ) -> None:
        network |= {"vlan": 10, "mtu": 1400}
        result = runtime.attachment("ADD", network, box).ok
        assert runtime.attachment("CHECK", {**network, "prevResult": result}, box).ok is None

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            ("ip link set eth0 down", "eth0 is down"),
            ("ip addr flush dev eth0", "eth0 has lost its address 10.5.0.2/24"),
            ("ip route del default", "the container has lost its route to 0.0.0.0/0"),
            ("ip link set eth0 address 02:00:00:00:00:77", "the address of eth0 is 02:00:00:00:00:77, not"),
        ],
    )
    def test_names_what_is_missing_in_the_container(
        self, runtime: Runtime, network: dict[str, Any], box: Namespace, damage: str, message: str
    ) -> None:
        result = runtime.attachment("ADD", network, box).ok
        box.run("sh", "-c", damage)
        code, said = runtime.attachment("CHECK", {**network, "prevResult": result}, box).error
        assert code == 101
        assert said.startswith(message)

    def test_names_what_is_missing_in_the_switch(
        self, switch: Switch, runtime: Runtime, network: dict[str, Any], box: Namespace
    ) -> None:
        config = {
            **network,
            "vlan": 10,
            "prevResult": runtime.attachment("ADD", {**network, "vlan": 10}, box).ok,
        }
        (port,) = ports(switch)
        switch.vsctl("set", "Port", port, "tag=11")
        assert runtime.attachment("CHECK", config, box).error == (101, f"port {port}: its tag is 11, not 10")
        switch.vsctl("del-port", port)
        assert runtime.attachment("CHECK", config, box).error == (
            101,
            f"the switch has no port {port} for it",
        )

    def test_passes_on_what_the_ipam_plugin_misses(
        self, runtime: Runtime, network: dict[str, Any], box: Namespace
    ) -> None:
        config = {**network, "prevResult": runtime.attachment("ADD", network, box).ok}
        (Path(network["ipam"]["dataDir"]) / network["name"] / "10.5.0.2").unlink()
        assert "the IPAM plugin host-local" in runtime.attachment("CHECK", config, box).error[1]


class TestFailedAdd:
    """Nothing of it is left."""

    @pytest.fixture(autouse=True)
    def nothing_left(self, switch: Switch, network: dict[str, Any]) -> Any:
        yield
        assert (ports(switch), leases(network)) == ([], [])

    def test_because_no_address_is_left(
        self, runtime: Runtime, network: dict[str, Any], box: Namespace
    ) -> None:
        network["ipam"]["ranges"][0][0] |= {"rangeStart": "10.5.0.1", "rangeEnd": "10.5.0.1"}
        assert "the IPAM plugin host-local" in runtime.attachment("ADD", network, box).error[1]
        assert box.devices() == {"lo"}

    def test_because_a_route_is_impossible(
        self, runtime: Runtime, network: dict[str, Any], box: Namespace
    ) -> None:
        network["ipam"]["routes"] = [{"dst": "10.77.0.0/16", "gw": "192.168.7.7"}]
        code, message = runtime.attachment("ADD", network, box).error
        assert code == 100
        assert "10.77.0.0/16" in message
        assert box.devices() == {"lo"}

    def test_because_the_bridge_is_not_there(
        self, runtime: Runtime, network: dict[str, Any], box: Namespace
    ) -> None:
        code, message = runtime.attachment("ADD", {**network, "bridge": "br9"}, box).error
        assert (code, message.partition(";")[0]) == (100, "there is no bridge br9")

    def test_because_the_name_is_taken(
        self, runtime: Runtime, network: dict[str, Any], box: Namespace
    ) -> None:
        box.ip("link", "add", "eth0", "type", "veth", "peer", "name", "far")
        code, message = runtime.attachment("ADD", network, box).error
        assert (code, message) == (4, "CNI_IFNAME: the container has a network device eth0 already")

    def test_because_the_ipam_plugin_is_not_there(
        self, runtime: Runtime, network: dict[str, Any], box: Namespace
    ) -> None:
        network["ipam"]["type"] = "jft-none"
        answer = runtime.attachment("ADD", network, box)
        assert answer.error == (7, "there is no IPAM plugin jft-none in /usr/lib/cni")
        # That undoing fails for the same reason is not told too.
        assert answer.stderr == ""
        assert box.devices() == {"lo"}

    def test_because_there_is_no_such_namespace(self, runtime: Runtime, network: dict[str, Any]) -> None:
        code, message = runtime.attachment("ADD", network, "/run/netns/jft-none").error
        assert (code, message) == (3, "CNI_NETNS: there is no network namespace /run/netns/jft-none")

    def test_because_it_is_the_hosts_own_namespace(
        self, switch: Switch, runtime: Runtime, network: dict[str, Any]
    ) -> None:
        assert runtime.attachment("ADD", network, switch.host).error[0] == 4

    def test_because_the_ipam_plugin_answers_nonsense(
        self, switch: Switch, network: dict[str, Any], box: Namespace, tmp_path: Path
    ) -> None:
        fake = tmp_path / "jft-fake"
        fake.write_text('#!/bin/sh\nset -eu\necho \'{"ips": [{"address": "10.5.0.300/24"}]}\'\n')
        fake.chmod(0o755)
        network["ipam"]["type"] = "jft-fake"
        code, message = Runtime(switch.daemon, str(tmp_path)).attachment("ADD", network, box).error
        assert code == 6
        assert message.startswith("the result of the IPAM plugin jft-fake cannot be understood")
        assert box.devices() == {"lo"}


@pytest.fixture
def saboteur(network: dict[str, Any], tmp_path: Path) -> Any:
    """Puts a script in the place of the IPAM plugin."""

    def put(script: str) -> str:
        plugin = tmp_path / "jft-ipam"
        plugin.write_text(f'#!/bin/sh\nset -eu\n[ "$CNI_COMMAND" = ADD ] || exit 0\n{script}\n')
        plugin.chmod(0o755)
        network["ipam"]["type"] = "jft-ipam"
        return str(tmp_path)

    return put


def test_del_puts_in_order_what_a_killed_add_has_left(
    switch: Switch, network: dict[str, Any], box: Namespace, saboteur: Any
) -> None:
    runtime = Runtime(switch.daemon, saboteur("kill -KILL $PPID"))
    assert runtime.attachment("ADD", network, box).status == -9
    assert len(ports(switch)) == 1
    runtime.attachment("DEL", network, box).ok  # noqa: B018
    assert (ports(switch), box.devices()) == ([], {"lo"})


def test_a_namespace_that_vanishes_in_the_middle_leaves_nothing(
    switch: Switch, network: dict[str, Any], box: Namespace, saboteur: Any
) -> None:
    answer = '{"ips": [{"address": "10.5.0.7/24"}]}'
    runtime = Runtime(switch.daemon, saboteur(f"ip -n {box.name} link delete eth0 >&2\necho '{answer}'"))
    code, message = runtime.attachment("ADD", network, box).error
    assert code == 100
    assert "10.5.0.7/24" in message
    assert ports(switch) == []


def test_a_port_that_an_earlier_container_left_is_replaced(
    switch: Switch, runtime: Runtime, box: Namespace
) -> None:
    runtime.attachment("ADD", l2(vlan=5), box)
    switch.lab.remove(box)
    again = switch.lab.namespace("again")
    runtime.attachment("ADD", l2(vlan=6), again)
    (port,) = ports(switch)
    assert switch.get("Port", port, "tag") == "6"
    assert "eth0" in again.devices()


def test_the_database_may_be_elsewhere(
    switch: Switch, runtime: Runtime, box: Namespace, tmp_path: Path
) -> None:
    flat = tmp_path / "ovs.conf"
    flat.write_text(json.dumps({"socket_file": f"unix:{switch.daemon.rundir}/db.sock", "mtu": 1300}))
    environment = {"OVS_RUNDIR": str(tmp_path), "CNI_CONTAINERID": "c1", "CNI_IFNAME": "eth0"}
    config = l2(configuration_path=str(flat), mtu=1350)
    runtime.call("ADD", config, environment | {"CNI_NETNS": str(box.path)}).ok  # noqa: B018
    assert "mtu 1350" in box.ip("link", "show", "eth0")


def test_without_a_switch_the_runtime_is_told_to_try_again(
    runtime: Runtime, box: Namespace, tmp_path: Path
) -> None:
    environment = {"OVS_RUNDIR": str(tmp_path), "CNI_CONTAINERID": "c1", "CNI_IFNAME": "eth0"}
    for command in ("ADD", "DEL"):
        code, message = runtime.call(command, l2(), environment | {"CNI_NETNS": str(box.path)}).error
        assert code == 11
        assert "cannot be reached" in message
