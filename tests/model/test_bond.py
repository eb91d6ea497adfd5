"""How evenly balance-tcp spreads conversations."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from jackfield.model import BondConfig, BondMode, parse
from jackfield.model.bond import Lacp, initial, leave
from tests.scenarios.bonds import segment

BOND = BondConfig(("eth0", "eth1"), BondMode.BALANCE_TCP, lacp=True)


def share(bond: BondConfig, flows: list[tuple[int, int]]) -> float:
    """The share of the first member in so many conversations, in percent."""
    state = replace(initial(bond), lacp=Lacp.NEGOTIATED)
    chosen: Counter[object] = Counter()
    for ports in flows:
        frame = parse(segment("A", "B", ports), 1)
        chosen[leave(bond, state, frame, 0, frame.rest)] += 1
    return 100 * chosen["eth0"] / len(flows)


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
    assert 45 <= share(BOND, flows) <= 55
