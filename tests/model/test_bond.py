"""How evenly balance-tcp spreads conversations."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from jackfield.model import BondConfig, BondMode, parse
from jackfield.model.bond import Lacp, initial, leave
from tests.scenarios.bonds import segment, segment6

BOND = BondConfig(("eth0", "eth1"), BondMode.BALANCE_TCP, lacp=True)


def share(bond: BondConfig, frames: list[bytes]) -> float:
    """The share of the first member in so many conversations, in percent."""
    state = replace(initial(bond), lacp=Lacp.NEGOTIATED)
    chosen: Counter[object] = Counter()
    for sent in frames:
        frame = parse(sent, 1)
        chosen[leave(bond, state, frame, 0, frame.rest)] += 1
    return 100 * chosen["eth0"] / len(frames)


@pytest.mark.parametrize(
    "flows",
    [
        [(32768 + at, 80) for at in range(1000)],
        [(40000, 1024 + at) for at in range(1000)],
        [(32768 + 2 * at, 443) for at in range(1000)],
        [(5000 + at, 6000 + 3 * at) for at in range(1000)],
        [(5000 + at, 6000 - at) for at in range(1000)],
        [(32768 + 256 * (at % 100), 80 + at // 100) for at in range(1000)],
    ],
    ids=["clients", "servers", "even ports", "both", "against each other", "round ports"],
)
def test_a_thousand_flows_are_spread_evenly(flows: list[tuple[int, int]]) -> None:
    for segment_of in (segment, segment6):
        assert 45 <= share(BOND, [segment_of("A", "B", ports) for ports in flows]) <= 55


@pytest.mark.parametrize(
    "hosts",
    [
        [(1 + at, 2) for at in range(1000)],
        [(1, 2 + at) for at in range(1000)],
        [(1 + 2 * at, 2) for at in range(1000)],
        [(1, 2 + 2 * at) for at in range(1000)],
        [(1 + at, 5000 + at) for at in range(1000)],
        [(1 + at, 5000 - at) for at in range(1000)],
    ],
    ids=["clients", "servers", "odd clients", "even servers", "both", "against each other"],
)
def test_a_thousand_pairs_of_addresses_are_spread_evenly(hosts: list[tuple[int, int]]) -> None:
    assert 45 <= share(BOND, [segment("A", "B", (40000, 80), hosts=pair) for pair in hosts]) <= 55
    assert 45 <= share(BOND, [segment6("A", "B", (40000, 80), hosts=pair) for pair in hosts]) <= 55
