"""The table of scenarios on a real switch: configured by ovs-vsctl, frames on devices, what ovs-appctl says.

Once every port is a network card of the host, once every port is an internal port: those with odd names in
another namespace, those with even names in the host. A bridge has its local port besides; it is kept out by
a VLAN that no scenario uses. Scenarios that need another clock, frames that no device sends, or a learning
table smaller than OVS allows, are left to the other benches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import pytest

from jackfield.model import Address, DropReason, FdbCounters, PortConfig
from tests.e2e.commands import LEAST_TABLE_SIZE, build, destroy, ofports
from tests.e2e.switch import Switch, new_switch
from tests.netlab import Namespace, Tap, eventually
from tests.scenarios import SCENARIOS
from tests.scenarios.bench import Outcome, play
from tests.scenarios.kit import Counted, Reach, Scenario, Send

LONGEST = 9000  # bytes of payload that stations may send


def fits(scenario: Scenario) -> bool:
    """Whether a real switch of OVS's kind can be brought to this."""
    sizes = [bridge.mac_table_size for bridge in scenario.config.bridges]
    return scenario.reach is Reach.WIRE and min(sizes) >= LEAST_TABLE_SIZE


REAL = tuple(filter(fits, SCENARIOS))


class WireBench:
    """A real switch as a bench, with a tap at every port; counters count from here on."""

    def __init__(self, switch: Switch, scenario: Scenario, taps: Mapping[str, Tap]) -> None:
        self._switch = switch
        self._taps = taps
        self._numbers = {bridge.name: ofports(bridge) for bridge in scenario.config.bridges}
        self._before = switch.ports()
        self._steps = iter([step for step in scenario.steps if isinstance(step, Send)])

    def send(self, port: str, frame: bytes) -> Outcome:
        """What is expected tells only how long to wait: until all of it is there, else to the deadline."""
        expected = next(self._steps)
        outputs: Counter[tuple[str, bytes]] = Counter()
        drops: Counter[tuple[str, DropReason]] = Counter()
        before = self._drops()

        def look() -> bool:
            outputs.update((name, got) for name, tap in self._taps.items() for got in tap.drain())
            drops.clear()
            drops.update(self._drops() - before)
            return outputs >= Counter(expected.outputs.items()) and drops >= Counter(expected.drops)

        self._taps[port].send(frame)
        eventually(look, deadline=2.0)
        look()
        return Outcome(outputs.elements(), drops.elements())

    def _drops(self) -> Counter[tuple[str, DropReason]]:
        return Counter(
            {
                (name, DropReason(reason)): times
                for name, report in self._switch.ports().items()
                for reason, times in report.drops.items()
            }
        )

    def wait(self, seconds: float) -> None:
        raise AssertionError(f"{seconds} s are too long for a test in real time")

    def add_static(self, bridge: str, address: Address, port: str) -> None:
        self._switch.appctl("fdb/add", bridge, port, str(address.vlan), address.mac.hex(":"))

    def known(self, bridge: str) -> Mapping[Address, str]:
        numbers = self._numbers[bridge]
        return {address: numbers[int(port)] for address, port in self._switch.fdb(bridge).items()}

    def counted(self, port: str) -> Counted:
        now, before = self._switch.ports()[port], self._before[port]
        return Counted(
            port,
            now.rx_packets - before.rx_packets,
            now.rx_bytes - before.rx_bytes,
            now.tx_packets - before.tx_packets,
            now.tx_bytes - before.tx_bytes,
            {DropReason(why): n for why, n in now.drops.items() if n - before.drops.get(why, 0)},
        )

    def table_counted(self, bridge: str) -> FdbCounters:
        return self._switch.table_counters(bridge)


@pytest.fixture(scope="module")
def cards() -> Iterator[tuple[Switch, Namespace]]:
    """A switch whose host has a network card for every port name, and where the cables end."""
    names = {port.name for scenario in REAL for port in devices(scenario)}
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
        switch.host.ip("link", "set", port.name, "mtu", str(port.mtu))
        return ["type=system"]

    with configured(switch, scenario, interface), ExitStack() as stack:
        taps = {port.name: stack.enter_context(outside.tap(port.name)) for port in devices(scenario)}
        play(scenario, WireBench(switch, scenario, taps))


@pytest.mark.parametrize("scenario", REAL, ids=lambda scenario: scenario.sentence)
def test_on_internal_ports(scenario: Scenario, internals: tuple[Switch, Namespace]) -> None:
    switch, outside = internals

    def interface(port: PortConfig) -> list[str]:
        return ["type=internal", f"mtu_request={port.mtu}"]

    with configured(switch, scenario, interface), ExitStack() as stack:
        taps = {}
        for port in devices(scenario):
            where = switch.host
            if int(port.name.lstrip("p")) % 2:
                switch.move(port.name, outside)
                where = outside
            switch.up(port.name, namespace=where)
            taps[port.name] = stack.enter_context(where.tap(port.name))
        play(scenario, WireBench(switch, scenario, taps))


@contextmanager
def configured(
    switch: Switch, scenario: Scenario, interface: Callable[[PortConfig], list[str]]
) -> Iterator[None]:
    """The switch as the scenario has it, and afterwards without bridges."""
    switch.vsctl(*build(scenario.config, interface))
    try:
        yield
    finally:
        switch.vsctl(*destroy(scenario.config))


def devices(scenario: Scenario) -> list[PortConfig]:
    """The ports that have devices: all but patch ports."""
    return [port for bridge in scenario.config.bridges for port in bridge.ports if port.patch_peer is None]
