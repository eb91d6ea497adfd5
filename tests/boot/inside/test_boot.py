"""What came when while the host booted, and what it found."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

from tests.boot.inside.view import ADDRESSES, FAR, MANAGER, SWITCH, moment
from tests.boot.prepare import ONLINE
from tests.netlab import run

LOG = Path("/var/log/openvswitch/ovs-vswitchd.log")


def test_the_switch_was_ready_before_the_network_was_configured_and_long_before_it_was_online() -> None:
    ready = moment(SWITCH, "ActiveEnter")
    assert ready <= moment("network-pre.target", "ActiveEnter")
    configured = moment(MANAGER.unit, "InactiveExit")
    assert ready < configured < moment("network-online.target", "ActiveEnter")


def test_internal_ports_had_their_addresses_when_the_network_counted_as_online() -> None:
    seen = ONLINE.read_text()
    for port in MANAGER.ports:
        assert f" {port}    inet {ADDRESSES[port]}/24 " in seen
        FAR.ping(ADDRESSES[port])
    assert "default via 192.0.2.1 dev vlan20" in seen
    for line in seen.splitlines():
        assert " jf" not in line


def test_links_of_bond_members_are_watched_in_the_kernel_if_it_can() -> None:
    """Debian's can; it takes powers that the service must have been left."""
    alone = "watched by the daemon alone" in LOG.read_text()
    assert not (alone and platform.release().endswith("-amd64"))


def test_the_booted_host_is_in_order() -> None:
    assert run("systemctl", "--failed", "--plain", "--no-legend").stdout == ""
    status = subprocess.run(["jackfield", "status"], capture_output=True, text=True)
    assert status.returncode == 0, status.stdout + status.stderr
    for name in ("vlan20", "vlan30"):
        used = run("ovs-vsctl", "get", "Interface", name, "mac_in_use").stdout.strip().strip('"')
        assert used == Path(f"/sys/class/net/{name}/address").read_text().strip()
    assert not [line for line in LOG.read_text().splitlines() if "|WARN|" in line or "|ERR|" in line]
