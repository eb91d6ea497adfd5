"""GC and STATUS, which are about a network and not about a container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cni.runtime import Runtime
from tests.e2e.switch import Switch

VALID = "cni.dev/valid-attachments"


def network(name: str = "jftl2", **keys: Any) -> dict[str, Any]:
    return {"cniVersion": "1.1.0", "name": name, "type": "jackfield-cni", "bridge": "br0", **keys}


@pytest.fixture
def recording(tmp_path: Path) -> tuple[dict[str, Any], str, Path]:
    """A network with an IPAM plugin of version 1.1.0 that writes down what it is called for."""
    log = tmp_path / "calls"
    plugin = tmp_path / "jft-ipam"
    plugin.write_text(
        "#!/bin/sh\nset -eu\n"
        f'echo "$CNI_COMMAND" >>{log}\n'
        f"if [ -e {tmp_path}/fail ]; then\n"
        """    echo '{"cniVersion": "1.1.0", "code": 50, "msg": "no addresses left"}'\n"""
        "    exit 1\nfi\n"
    )
    plugin.chmod(0o755)
    return network(ipam={"type": "jft-ipam"}), str(tmp_path), log


def test_gc_removes_what_is_not_to_be_kept(switch: Switch, runtime: Runtime) -> None:
    boxes = {name: switch.lab.namespace(name) for name in ("one", "two", "three")}
    for name, box in boxes.items():
        runtime.attachment("ADD", network("jftother" if name == "three" else "jftl2"), box, container=name)
    switch.internal("br0", "jftmine")
    kept = [{"containerID": "one", "ifname": "eth0"}, {"containerID": "two", "ifname": "eth9"}]
    assert runtime.call("GC", network(**{VALID: kept})).ok is None
    ports = set(switch.vsctl("list-ports", "br0").split())
    containers = {switch.get("Interface", port, "external_ids:container_id") for port in ports - {"jftmine"}}
    assert containers == {"one", "three"}
    assert "jftmine" in ports
    assert boxes["two"].devices() == {"lo"}


def test_gc_goes_on_to_the_ipam_plugin(switch: Switch, recording: tuple[dict[str, Any], str, Path]) -> None:
    config, folder, log = recording
    Runtime(switch.daemon, folder).call("GC", config | {VALID: []}).ok  # noqa: B018
    assert log.read_text() == "GC\n"


def test_gc_goes_on_when_the_switch_is_away(
    switch: Switch, recording: tuple[dict[str, Any], str, Path], tmp_path: Path
) -> None:
    config, folder, log = recording
    call = Runtime(switch.daemon, folder).call("GC", config | {VALID: []}, {"OVS_RUNDIR": str(tmp_path)})
    assert call.error[0] == 11
    assert log.read_text() == "GC\n"


def test_status_says_yes(switch: Switch, recording: tuple[dict[str, Any], str, Path]) -> None:
    config, folder, log = recording
    assert Runtime(switch.daemon, folder).call("STATUS", config).ok is None
    assert log.read_text() == "STATUS\n"


def test_status_says_what_is_missing(
    switch: Switch, runtime: Runtime, recording: tuple[dict[str, Any], str, Path], tmp_path: Path
) -> None:
    code, message = runtime.call("STATUS", network(bridge="br9")).error
    assert (code, message.partition(";")[0]) == (50, "there is no bridge br9")
    code, message = runtime.call("STATUS", network(), {"OVS_RUNDIR": str(tmp_path)}).error
    assert code == 50
    assert "cannot be reached" in message
    config, folder, _ = recording
    (tmp_path / "fail").touch()
    answer = Runtime(switch.daemon, folder).call("STATUS", config)
    assert answer.error == (50, "the IPAM plugin jft-ipam: no addresses left")
