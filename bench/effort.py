"""How much is measured: enough for figures to be published, or as little as shows that everything works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Effort:
    """Rounds of turns, seconds of a turn (of iperf3 at least one), and how large the large cases are."""

    rounds: int = 5
    seconds: float = 0.5
    control_rounds: int = 3
    ports: int = 1000
    idle_seconds: float = 2.0
    trial_seconds: float = 0.2
    addresses: tuple[int, ...] = (1_000, 8_000, 100_000, 1_000_000)
    broadcasts: int = 2_000
    vlans: int = 4094
    bridges: int = 100
    flooded: tuple[int, ...] = (2, 16, 128, 1000)
    commits: int = 300
    runs: int = 100_000

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> Effort:
        """As JSON gives it, which knows lists only."""
        fields: dict[str, Any] = {
            name: tuple(each) if isinstance(each, list) else each for name, each in found.items()
        }
        return cls(**fields)


FULL = Effort()
QUICK = Effort(
    rounds=2,
    seconds=0.3,
    control_rounds=1,
    ports=40,
    idle_seconds=0.5,
    trial_seconds=0.1,
    addresses=(100, 500),
    broadcasts=100,
    vlans=50,
    bridges=5,
    flooded=(2, 8),
    commits=20,
    runs=1_000,
)


def kind_of_run(effort: Effort) -> str:
    """What a reader must know about a run that is smaller than the full one; "" of the full one."""
    if effort == FULL:
        return ""
    if effort == QUICK:
        return "**A `--quick` run**: two short rounds and small sizes, which show that everything works."
    what = f"{effort.rounds} rounds, turns of {effort.seconds:g} s, up to {effort.ports} ports"
    return f"**Not the full run**: {what}."
