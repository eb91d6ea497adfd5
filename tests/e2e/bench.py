"""A real switch as a bench for scenarios: frames go in and come out at devices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from jackfield.model import Address, DropReason, FdbCounters, PortConfig
from tests.e2e.commands import build, destroy, ofports
from tests.e2e.switch import Switch
from tests.netlab import Tap, eventually, until
from tests.patience import PATIENCE
from tests.scenarios.bench import Outcome
from tests.scenarios.kit import Counted, Scenario, Send, mac


def is_daemons(frame: bytes) -> bool:
    """Whether the daemon has sent this by itself: it is none that a station of a scenario has sent."""
    return frame[12:14] == b"\x88\x09" and frame[6:11] != mac("A")[:5]


class WireBench:
    """A real switch as a bench, with a tap at every port; counters count from here on."""

    def __init__(self, switch: Switch, scenario: Scenario, taps: Mapping[str, Tap]) -> None:
        self._switch = switch
        self._taps = taps
        for port in devices(scenario).values():
            if port.bond is not None and not port.bond.lacp:
                self._wait_for_members(port)
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
            outputs.update(
                (name, got) for name, tap in self._taps.items() for got in tap.drain() if not is_daemons(got)
            )
            drops.clear()
            drops.update(self._drops() - before)
            return outputs >= Counter(expected.outputs.items()) and drops >= Counter(expected.drops)

        self._taps[port].send(frame)
        eventually(look, deadline=2.0 * PATIENCE)
        look()
        return Outcome(outputs.elements(), drops.elements())

    def _wait_for_members(self, bond: PortConfig) -> None:
        """Until the daemon, too, has heard that all of them have a link."""

        def enabled() -> bool:
            shown = self._switch.appctl("bond/show", bond.name)
            return all(f"member {name}: enabled" in shown for name in bond.interfaces)

        until(enabled, what=f"all members of {bond.name} enabled")

    def _drops(self) -> Counter[tuple[str, DropReason]]:
        return Counter(
            {
                (name, DropReason(reason)): times
                for name, report in self._switch.ports().items()
                for reason, times in report.drops.items()
            }
        )

    def set_link(self, bond: str, member: str, up: bool) -> None:
        raise AssertionError(f"the link of {member} of {bond} is the business of other tests (up: {up})")

    def set_disabled(self, port: str, disabled: bool) -> None:
        raise AssertionError(f"{port} is not disabled by hand ({disabled})")

    def negotiate(self, bond: str, members: Sequence[str]) -> None:
        raise AssertionError(f"{bond} has no partner here to let {members} in")

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


def devices(scenario: Scenario) -> dict[str, PortConfig]:
    """The names of the devices, and their ports: all but patch ports have some."""
    return {
        name: port
        for bridge in scenario.config.bridges
        for port in bridge.ports
        if port.patch_peer is None
        for name in port.interfaces
    }
