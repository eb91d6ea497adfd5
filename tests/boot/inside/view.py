"""What the tests inside a booted host look at."""

from __future__ import annotations

import json
import os
from typing import Any

from tests.boot.prepare import MANAGERS, MARK
from tests.netlab import Namespace, run

FAR = Namespace("far")
SWITCH, MANAGER = "jackfield.service", MANAGERS[os.environ[MARK]]
FIXED, LEASED = "192.0.2.10", "203.0.113.30"
ADDRESSES = {"vlan20": FIXED, "vlan30": LEASED}


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
