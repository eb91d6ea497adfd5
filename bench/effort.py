"""How much is measured: enough for figures to be published, or as little as shows that everything works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """Rounds of turns, whole seconds of a turn of traffic, and how large the large cases are."""

    rounds: int = 5
    seconds: int = 2
    control_rounds: int = 3
    ports: int = 1000
    idle_seconds: float = 5.0
    trial_seconds: float = 0.5
    addresses: tuple[int, ...] = (1_000, 8_000, 100_000, 1_000_000)
    broadcasts: int = 2_000
    vlans: int = 4094
    bridges: int = 100


FULL = Effort()
QUICK = Effort(
    rounds=2,
    seconds=1,
    control_rounds=1,
    ports=40,
    idle_seconds=0.5,
    trial_seconds=0.1,
    addresses=(100, 500),
    broadcasts=100,
    vlans=50,
    bridges=5,
)
