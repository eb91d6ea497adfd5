"""The table of scenarios on a real switch: configured by ovs-vsctl, frames on devices, what ovs-appctl says.

Once every port is a network card of the host, once every port is an internal port: those with odd names in
another namespace, those with even names in the host, of netkit where the kernel has it. A bridge has its
local port besides; it is kept out by a VLAN that no scenario uses. Scenarios that need another clock, frames
that no device sends, or a learning table smaller than OVS allows, are left to the other benches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from jackfield.model import PortConfig
from tests.e2e.bench import WireBench, configured, devices
from tests.e2e.commands import LEAST_TABLE_SIZE
from tests.e2e.switch import Switch, new_switch
from tests.netlab import Namespace
from tests.scenarios import SCENARIOS
from tests.scenarios.bench import play
from tests.scenarios.kit import Reach, Scenario

LONGEST = 9000  # bytes of payload that stations may send


def fits(scenario: Scenario) -> bool:
    """Whether a real switch of OVS's kind can be brought to this."""
    sizes = [bridge.mac_table_size for bridge in scenario.config.bridges]
    return scenario.reach is Reach.WIRE and min(sizes) >= LEAST_TABLE_SIZE


def moves(name: str) -> bool:
    """Whether an internal port goes to another namespace."""
    return int(name.lstrip("p")) % 2 == 1


REAL = tuple(filter(fits, SCENARIOS))


@pytest.fixture(scope="module")
def cards() -> Iterator[tuple[Switch, Namespace]]:
    """A switch whose host has a network card for every port name, and where the cables end."""
    names = {name for scenario in REAL for name in devices(scenario)}
    with new_switch() as switch:
        outside = switch.lab.namespace("outside")
        for name in sorted(names):
            switch.lab.cable(switch.host, name, outside, name, mtu=LONGEST)
        yield switch, outside


@pytest.fixture(scope="module")
def internals() -> Iterator[tuple[Switch, Namespace]]:
    """A switch whose host has no network card, and a namespace to move ports to."""
    with new_switch() as switch:
        yield switch, switch.lab.namespace("outside")


@pytest.mark.parametrize("scenario", REAL, ids=lambda scenario: scenario.sentence)
def test_on_network_cards(scenario: Scenario, cards: tuple[Switch, Namespace]) -> None:
    switch, outside = cards

    def interface(port: PortConfig) -> list[str]:
        for name in port.interfaces:
            switch.host.ip("link", "set", name, "mtu", str(port.mtu))
        return ["type=system"]

    with configured(switch, scenario, interface), ExitStack() as stack:
        taps = {name: stack.enter_context(outside.tap(name)) for name in devices(scenario)}
        play(scenario, WireBench(switch, scenario, taps))


@pytest.mark.parametrize("scenario", REAL, ids=lambda scenario: scenario.sentence)
def test_on_internal_ports(scenario: Scenario, internals: tuple[Switch, Namespace]) -> None:
    switch, outside = internals

    def interface(port: PortConfig) -> list[str]:
        kind = "veth" if any(map(moves, port.interfaces)) else "prefer-netkit"
        return ["type=internal", f"mtu_request={port.mtu}", f"other_config:device-kind={kind}"]

    with configured(switch, scenario, interface), ExitStack() as stack:
        taps = {}
        for name in devices(scenario):
            where = switch.host
            if moves(name):
                switch.move(name, outside)
                where = outside
            switch.up(name, namespace=where)
            taps[name] = stack.enter_context(where.tap(name))
        play(scenario, WireBench(switch, scenario, taps))
