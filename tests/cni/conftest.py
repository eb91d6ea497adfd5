from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cni.runtime import Runtime
from tests.e2e.switch import Switch, new_switch
from tests.netlab import Lab


@pytest.fixture(scope="package")
def package_switch() -> Iterator[Switch]:
    with new_switch() as switch:
        switch.vsctl("add-br", "br0")
        yield switch


@pytest.fixture
def switch(package_switch: Switch) -> Iterator[Switch]:
    """A switch with a bridge br0 without ports, in a laboratory of the test's own."""
    warnings = package_switch.daemon.log_warnings()
    with Lab() as lab:
        yield Switch(lab, package_switch.daemon, package_switch.host)
    assert package_switch.daemon.log_warnings() == warnings
    words = [word for port in ports(package_switch) for word in ("--", "del-port", port)]
    package_switch.vsctl("get", "Open_vSwitch", ".", "_uuid", *words)


def ports(switch: Switch) -> list[str]:
    return switch.vsctl("list-ports", "br0").split()


@pytest.fixture
def runtime(switch: Switch) -> Runtime:
    return Runtime(switch.daemon)


@pytest.fixture
def network(tmp_path: Path) -> dict[str, Any]:
    """A network with addresses from Debian's host-local."""
    return {
        "cniVersion": "1.0.0",
        "name": "jftnet",
        "type": "jackfield-cni",
        "bridge": "br0",
        "ipam": {
            "type": "host-local",
            "dataDir": str(tmp_path / "leases"),
            "ranges": [[{"subnet": "10.5.0.0/24", "gateway": "10.5.0.1"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
