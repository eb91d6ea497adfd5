"""Addresses for internal ports from the programs that configure hosts, with the examples of the guide."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.switch import Switch, new_switch
from tests.netlab import Namespace, until
from tests.patience import PATIENCE
from tests.service.managers import NETWORK_MANAGER, NETWORKD, example, netplan, running

START_SECONDS = 30.0 * PATIENCE
FIXED, LEASED = "192.0.2.10/24", "203.0.113.30/24"
LEASES = """\
interface lan30
start 203.0.113.30
end 203.0.113.30
lease_file {folder}/leases
pidfile {folder}/pid
option subnet 255.255.255.0
"""


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    """A bridge with an internal port in VLAN 20, and one in VLAN 30, in which there is a DHCP server."""
    with new_switch() as switch:
        server = switch.lab.namespace("server")
        switch.vsctl("add-br", "br0")
        for name, tag in {"vlan20": 20, "vlan30": 30, "lan30": 30}.items():
            switch.vsctl(
                "add-port", "br0", name, f"tag={tag}", "--", "set", "Interface", name, "type=internal"
            )
        switch.move("lan30", server)
        switch.up("lan30", "203.0.113.1/24", namespace=server)
        (tmp_path / "udhcpd.conf").write_text(LEASES.format(folder=tmp_path))
        (tmp_path / "leases").touch()
        dhcp = server.popen("busybox", "udhcpd", "-f", str(tmp_path / "udhcpd.conf"))
        try:
            yield switch
        finally:
            dhcp.kill()
            dhcp.communicate()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


def wait_for_addresses(host: Namespace, **addresses: str) -> None:
    for device, address in addresses.items():
        until(
            lambda device=device, address=address: address in host.ip("-4", "address", "show", "dev", device),
            deadline=START_SECONDS,
            what=f"{device} with address {address}",
        )


def check(switch: Switch, root: Path, script: str) -> None:
    """Both internal ports get addresses, the default route is there, the switch's ends have no address."""
    with running(script, root, switch.host):
        wait_for_addresses(switch.host, vlan20=FIXED, vlan30=LEASED)
        switch.host.ping("203.0.113.1")
        assert "default via 192.0.2.1 dev vlan20" in switch.host.ip("route")
        ends = [name for name in switch.host.devices() if name.startswith("jf")]
        assert len(ends) == 4
        for name in ends:
            assert "inet " not in switch.host.ip("address", "show", "dev", name)
        assert switch.daemon.log_warnings() == []


def test_systemd_networkd_gives_internal_ports_their_addresses(switch: Switch, root: Path) -> None:
    example(root, "With systemd-networkd")
    check(switch, root, NETWORKD)


def test_network_manager_gives_internal_ports_their_addresses(switch: Switch, root: Path) -> None:
    example(root, "With NetworkManager")
    check(switch, root, NETWORK_MANAGER)


def test_netplan_has_the_bridge_made_and_internal_ports_given_their_addresses(
    switch: Switch, root: Path
) -> None:
    switch.lab.cable(switch.host, "eth1", switch.lab.namespace("far"), "eth0")
    example(root, "With netplan")
    netplan(root)
    unit = (root / "run/systemd/system/netplan-ovs-br0.service").read_text()
    for line in unit.splitlines():
        if line.startswith("ExecStart="):
            done = switch.daemon.run(*shlex.split(line.removeprefix("ExecStart=")))
            assert done.returncode == 0, line + done.stderr
    assert "eth1" in switch.vsctl("list-ports", "br0").split()
    check(switch, root, NETWORKD)
