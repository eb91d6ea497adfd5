"""Random switches and traffic: the real switch does what the model says, tags in the kernel's hands included.

Ports with an even number are network cards, the others internal ports in another namespace. MTUs are left
alone, for a real device refuses what is too long for it before the switch sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from jackfield.model import PortConfig, State, SwitchConfig, step
from tests.e2e.bench import WireBench, configured, devices
from tests.e2e.switch import Switch, new_switch
from tests.netlab import Namespace
from tests.scenarios.bench import play
from tests.scenarios.kit import Counted, Known, Scenario, Send, Step, TableCounted
from tests.strategies import Arrival, runs

BRIDGES, PORTS = 3, 5
MTU = 1500


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[Switch, Namespace]]:
    with new_switch() as switch:
        outside = switch.lab.namespace("outside")
        for bridge in range(BRIDGES):
            for port in range(0, PORTS, 2):
                switch.lab.cable(switch.host, f"p{bridge}.{port}", outside, f"p{bridge}.{port}")
        yield switch, outside


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(run=runs(BRIDGES, PORTS, dei=True, malformed=False))
def test_the_real_switch_does_what_the_model_says(
    run: tuple[SwitchConfig, list[Arrival]], site: tuple[Switch, Namespace]
) -> None:
    switch, outside = site
    scenario = foretold(with_mtu(run[0]), run[1])
    with configured(switch, scenario, settings_of), ExitStack() as stack:
        taps = {}
        for name, port in devices(scenario).items():
            if not is_card(port):
                switch.move(name, outside)
                switch.up(name, namespace=outside)
            taps[name] = stack.enter_context(outside.tap(name))
        play(scenario, WireBench(switch, scenario, taps))


def is_card(port: PortConfig) -> bool:
    return int(port.name[-1]) % 2 == 0


def settings_of(port: PortConfig) -> list[str]:
    return ["type=system"] if is_card(port) else ["type=internal", f"mtu_request={MTU}"]


def with_mtu(config: SwitchConfig) -> SwitchConfig:
    """The same switch with every device's MTU that of Ethernet."""
    return replace(
        config,
        bridges=tuple(
            replace(
                bridge,
                ports=tuple(replace(port, mtu=None if port.patch_peer else MTU) for port in bridge.ports),
            )
            for bridge in config.bridges
        ),
    )


def foretold(config: SwitchConfig, traffic: list[Arrival]) -> Scenario:
    """A scenario of the traffic, with what the model says comes of it. It takes no time."""
    state, steps = State(), list[Step]()
    for arrival in traffic:
        result = step(config, state, arrival.frame, arrival.port, 0)
        outputs = {output.port: output.frame for output in result.outputs}
        drops = tuple((drop.port, drop.reason) for drop in result.drops)
        steps.append(Send(arrival.port, arrival.frame, outputs, drops))
        state = result.state
    for bridge in config.bridges:
        fdb = state.fdb(bridge.name)
        entries = {address: entry.port for address, entry in fdb.entries.items()}
        steps += [Known(entries, bridge.name), TableCounted(fdb.counters, bridge.name)]
        for port in bridge.ports:
            counters = state.counters(port.name)
            steps.append(
                Counted(
                    port.name,
                    counters.rx_packets,
                    counters.rx_bytes,
                    counters.tx_packets,
                    counters.tx_bytes,
                    counters.drops,
                )
            )
    return Scenario("the model says so", config, tuple(steps))
