"""What the switches that ovs-vsctl configures have in common."""

from __future__ import annotations

import json
from collections.abc import Sequence

from jackfield.lab import namespaces
from jackfield.lab.switches.base import Learned, Switch


def vsctl() -> str:
    """The command that configures the switch: OVS's own where it is installed."""
    return "ovs-vsctl" if namespaces.is_installed("ovs-vsctl") else "jackfield vsctl"


def appctl() -> str:
    """The command that asks the daemon."""
    return "ovs-appctl" if namespaces.is_installed("ovs-appctl") else "jackfield appctl"


class OvsLike(Switch):
    """A switch with a database of OVS's schema."""

    new_bridge = ""  # what to add to `add-br`, {} being the bridge's name

    def vsctl(self, words: str, *, shown: bool = True) -> str:
        """Configure it; the command returns when the switch has taken that up."""
        return self.host.run(f"{vsctl()} {words}", shown=shown)

    def appctl(self, words: str, *, shown: bool = True) -> str:
        """Ask its daemon."""
        return self.host.run(f"{appctl()} {words}", shown=shown)

    def add_bridge(self, bridge: str) -> None:
        self.vsctl(f"add-br {bridge}{self.new_bridge.format(bridge)}")

    def add_ports(self, bridge: str, devices: Sequence[str]) -> None:
        self.vsctl(" -- ".join(f"add-port {bridge} {device}" for device in devices))

    def add_internal_port(self, bridge: str, name: str, *, tag: int = 0, mac: str = "") -> None:
        """An internal port; an access port of VLAN `tag` if that is not 0."""
        columns = "type=internal" + f" mac='\"{mac}\"'" * bool(mac)
        self.vsctl(f"add-port {bridge} {name}{f' tag={tag}' * bool(tag)} -- set Interface {name} {columns}")

    def add_virtual_port(self, bridge: str, name: str, mac: str = "") -> str:
        self.add_internal_port(bridge, name, mac=mac)
        return name

    def set_ageing(self, bridge: str, seconds: int) -> None:
        self.vsctl(f"set Bridge {bridge} other_config:mac-aging-time={seconds}")

    def learned(self, bridge: str, *, shown: bool = True) -> list[Learned]:
        names = self._names()
        rows = (line.split() for line in self.appctl(f"fdb/show {bridge}", shown=shown).splitlines()[1:])
        return [Learned(names.get(row[0], row[0]), int(row[1]), row[2]) for row in rows if row[0] != "LOCAL"]

    def _names(self) -> dict[str, str]:
        """Interface names by OpenFlow port number, which the table of addresses speaks of."""
        text = self.vsctl("--format=json --columns=ofport,name list Interface", shown=False)
        return {str(number): name for number, name in json.loads(text)["data"]}
