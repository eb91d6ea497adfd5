"""How a scenario is run: a bench is anything that can take frames and be asked what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from jackfield.model import Address, DropReason, FdbCounters
from tests.scenarios.kit import (
    AddStatic,
    Counted,
    Disabled,
    Known,
    Link,
    Negotiated,
    Scenario,
    Send,
    Storm,
    TableCounted,
    Wait,
    Watched,
)


@dataclass(frozen=True)
class Outcome:
    """What became of a frame: copies that left (port, bytes), and ends (port where counted, reason)."""

    outputs: Iterable[tuple[str, bytes]]
    drops: Iterable[tuple[str, DropReason]]


class Bench(Protocol):
    """A switch that has been given a scenario's configuration."""

    def send(self, port: str, frame: bytes) -> Outcome:
        """Let a frame enter by a port, and see what becomes of it."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""

    def add_static(self, bridge: str, address: Address, port: str) -> None:
        """Put a static entry into a learning table."""

    def set_link(self, bond: str, member: str, up: bool) -> None:
        """Have the link of a bond's member come or go."""

    def set_disabled(self, port: str, disabled: bool) -> None:
        """Have a port carry no frames, or carry them again."""

    def negotiate(self, bond: str, members: Sequence[str]) -> None:
        """Have LACP come about on a bond, with these members."""

    def watch(self, seconds: float) -> None:
        """Say that somebody looks after loops for so long."""

    def known(self, bridge: str) -> Mapping[Address, str]:
        """The entries of a learning table that are not too old, static ones included."""

    def counted(self, port: str) -> Counted:
        """The counters of a port."""

    def table_counted(self, bridge: str) -> FdbCounters:
        """The counters of a learning table."""


def play(scenario: Scenario, bench: Bench) -> None:
    """Go through the steps of a scenario; AssertionError tells where the switch does something else."""
    for number, step in enumerate(scenario.steps, 1):
        where = f"step {number}, {step}"
        match step:
            case Send(port, frame, outputs, drops):
                outcome = bench.send(port, frame)
                _expect(Counter(outputs.items()), Counter(outcome.outputs), where)
                _expect(Counter(drops), Counter(outcome.drops), where)
            case Wait(seconds):
                bench.wait(seconds)
            case Watched(seconds):
                bench.watch(seconds)
            case Storm(ports, frame, times):
                for _ in range(times):
                    for port in ports:
                        bench.send(port, frame)
            case AddStatic():
                bench.add_static(step.bridge, step.address, step.port)
            case Link(bond, member, up):
                bench.set_link(bond, member, up)
            case Disabled(port, disabled):
                bench.set_disabled(port, disabled)
            case Negotiated(bond, members):
                bench.negotiate(bond, members)
            case Known(entries, bridge):
                _expect(dict(entries), dict(bench.known(bridge)), where)
            case Counted(port):
                _expect(step, bench.counted(port), where)
            case TableCounted(counters, bridge):
                _expect(counters, bench.table_counted(bridge), where)


def _expect(expected: object, actual: object, where: str) -> None:
    if expected != actual:
        raise AssertionError(f"{where}\nexpected {expected}\n     got {actual}")
