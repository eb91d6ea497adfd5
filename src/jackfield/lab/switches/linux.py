"""The kernel's own bridge: the bridge's device is the host's port on it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jackfield.lab import namespaces
from jackfield.lab.errors import LabError
from jackfield.lab.switches.base import Learned, Switch

_ENTRY = re.compile(r"^([0-9a-f:]{17}) dev (\S+)(?: vlan (\d+))? (?!.*\b(?:permanent|static)\b)", re.M)
_PROBE = "jflab-probe"


class LinuxBridge(Switch):
    """A bridge of ip-link(8)."""

    kind = "linux"
    title = "Linux bridge"
    speaks_ovs = False
    _bridges: tuple[str, ...] = ()

    @classmethod
    def missing(cls) -> str:
        namespaces.delete(_PROBE)
        namespaces.add(_PROBE)
        try:
            namespaces.ip("-n", _PROBE, "link", "add", "probe", "type", "bridge")
        except LabError:
            return "this kernel has no bridge"
        finally:
            namespaces.delete(_PROBE)
        return ""

    def start(self) -> None:
        pass

    def stop(self) -> None:
        for bridge in self._bridges:
            if self.host.has(bridge):
                self.host.look(f"ip link del {bridge}")

    def kill(self) -> None:
        for bridge in self._bridges:
            self.host.run(f"ip link del {bridge}")

    def add_bridge(self, bridge: str) -> None:
        self.host.run(f"ip link add {bridge} type bridge")
        self.host.run(f"ip link set {bridge} up")
        self._bridges += (bridge,)

    def add_ports(self, bridge: str, devices: Sequence[str]) -> None:
        for device in devices:
            self.host.run(f"ip link set {device} master {bridge}")

    def add_virtual_port(self, bridge: str, name: str, mac: str = "") -> str:
        del name  # it is the bridge's
        if mac:
            self.host.run(f"ip link set {bridge} address {mac}")
        return bridge

    def set_ageing(self, bridge: str, seconds: int) -> None:
        self.host.run(f"ip link set {bridge} type bridge ageing_time {seconds * 100}")

    def learned(self, bridge: str, *, shown: bool = True) -> list[Learned]:
        text = self.host.run(f"bridge fdb show br {bridge} dynamic", shown=shown)
        return [Learned(port, int(vlan or 0), mac) for mac, port, vlan in _ENTRY.findall(text)]
