"""What was seen of the switch's service during and after a boot."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.boot.prepare import MANAGERS, MARK, ONLINE
from tests.netlab import Namespace, run, until
from tests.patience import PATIENCE

FAR = Namespace("far")
SWITCH, MANAGER = "jackfield.service", MANAGERS[os.environ[MARK]]
FIXED, LEASED = "192.0.2.10", "203.0.113.30"
ADDRESSES = {"vlan20": FIXED, "vlan30": LEASED}
START_SECONDS = 60.0 * PATIENCE


def shown(unit: str, *names: str) -> list[str]:
    """Properties of a unit, all at one time."""
    done = run("systemctl", "show", *(f"--property={name}" for name in names), unit)
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    return [found[name] for name in names]


def moment(unit: str, what: str) -> int:
    """When something happened to a unit, in microseconds since the start; it must have."""
    (value,) = shown(unit, f"{what}TimestampMonotonic")
    assert int(value), f"{unit}: {what}"
    return int(value)


def ports() -> list[object]:
    """What the kernel says of the internal ports: numbers, states, addresses."""
    found = json.loads(run("ip", "-j", "address").stdout)
    ports = [link for link in found if link["ifname"] in ("vlan20", "vlan30")]
    return [
        [*(link[key] for key in ("ifname", "ifindex", "flags", "address")), *addresses(link)]
        for link in ports
    ]


def addresses(link: dict[str, Any]) -> list[str]:
    return [address["local"] for address in link["addr_info"]]


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


def test_the_booted_host_is_in_order() -> None:
    assert run("systemctl", "--failed", "--plain", "--no-legend").stdout == ""
    status = subprocess.run(["jackfield", "status"], capture_output=True, text=True)
    assert status.returncode == 0, status.stdout + status.stderr
    for name in ("vlan20", "vlan30"):
        used = run("ovs-vsctl", "get", "Interface", name, "mac_in_use").stdout.strip().strip('"')
        assert used == Path(f"/sys/class/net/{name}/address").read_text().strip()
    log = Path("/var/log/openvswitch/ovs-vswitchd.log").read_text()
    assert not [line for line in log.splitlines() if "|WARN|" in line or "|ERR|" in line]


@pytest.mark.parametrize("words", ["restart jackfield", "kill --signal=KILL jackfield"])
def test_the_service_comes_back_and_no_answer_is_lost_meanwhile(words: str) -> None:
    before, (process,) = ports(), shown(SWITCH, "MainPID")

    def is_another() -> bool:
        state, now = shown(SWITCH, "ActiveState", "MainPID")
        return state == "active" and now not in ("0", process)

    with FAR.pinging(FIXED) as lost:
        run("systemctl", *words.split(), timeout=START_SECONDS)
        until(is_another, what="a new daemon that is ready", deadline=START_SECONDS)
        assert lost() == 0
    assert ports() == before
    assert json.loads(run("jackfield", "plan", "--json").stdout)["steps"] == []


def test_frames_are_forwarded_while_the_service_is_stopped_and_after_it_is_removed() -> None:
    before = ports()
    with FAR.pinging(FIXED) as lost:
        run("systemctl", "stop", "jackfield", timeout=START_SECONDS)
        assert shown(SWITCH, "ActiveState") == ["inactive"]
        run("jackfield", "install-service", "--remove", timeout=START_SECONDS)
        assert lost() == 0
    assert ports() == before
    assert run("systemctl", "list-unit-files", "--no-legend", "jackfield.service", check=False).stdout == ""
