"""How a balancing bond's load is spread over its members: by buckets, of which each flow has one.

Every so often (bond-rebalance-interval) buckets move from the most loaded member to the least loaded one, as
long as that is worth while: the rules are those of OVS.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

BUCKETS = 256
WORTH_BYTES = 100_000
"""A difference of load that is not worth moving anything (some 1 Mb/s over a second)."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A bucket that moves, and the load in bytes that it brings along."""

    bucket: int
    source: str
    target: str
    load: int


def spread(members: Sequence[str]) -> list[str]:
    """All buckets, dealt out in turn. There is one member at least."""
    return [members[bucket % len(members)] for bucket in range(BUCKETS)]


def hand_over(buckets: Sequence[str], losers: Collection[str], heirs: Sequence[str]) -> list[str]:
    """The buckets with those of `losers` dealt out to `heirs` in turn."""
    handed = list(buckets)
    homeless = (bucket for bucket, member in enumerate(buckets) if member in losers)
    for turn, bucket in enumerate(homeless):
        handed[bucket] = heirs[turn % len(heirs)]
    return handed


def halved(loads: Iterable[int]) -> list[int]:
    """Loads as they count next time: what was measured fades away by half a turn."""
    return [load // 2 for load in loads]


def rebalance(buckets: Sequence[str], loads: Sequence[int], enabled: Iterable[str]) -> list[Shift]:
    """The buckets that should move; `loads` are bytes by bucket."""
    totals = dict.fromkeys(enabled, 0)
    carried: dict[str, list[int]] = {member: [] for member in totals}
    for bucket in sorted(range(BUCKETS), key=lambda bucket: -loads[bucket]):
        member = buckets[bucket]
        if member in totals and loads[bucket]:
            totals[member] += loads[bucket]
            carried[member].append(bucket)
    shifts: list[Shift] = []
    considered = set(totals)
    while len(considered) > 1:
        source = max(considered, key=totals.__getitem__)
        target = min(considered, key=totals.__getitem__)
        overload = totals[source] - totals[target]
        if overload < totals[target] >> 5 or overload < WORTH_BYTES:
            break
        moving = _worth_moving(carried[source], loads, totals[source], totals[target])
        if not moving:
            considered.discard(source)
        for bucket in moving:
            carried[source].remove(bucket)
            totals[source] -= loads[bucket]
            totals[target] += loads[bucket]
            shifts.append(Shift(bucket, source, target, loads[bucket]))
    return shifts


def _worth_moving(carried: Sequence[int], loads: Sequence[int], high: int, low: int) -> list[int]:
    """Of the buckets that a member carries, in falling order of load, those to move to a less loaded one.

    They bring the two as near to their middle as can be without crossing it; less than a tenth of the way
    is not worth it.
    """
    if len(carried) < 2:
        return []
    ideal = (high + low) // 2 - low
    threshold = ideal // 10
    moving: list[int] = []
    moved = 0
    for bucket in carried:
        if moved + loads[bucket] <= ideal:
            moving.append(bucket)
            moved += loads[bucket]
        if ideal - moved < threshold:
            break
    if not moving:
        moving = [carried[-1]]
        moved = loads[carried[-1]]
    new_low = min(high - moved, low + moved)
    return moving if new_low > low and new_low - low >= threshold else []


def shares(buckets: Sequence[str], loads: Sequence[int]) -> Mapping[str, int]:
    """The load of each member that has buckets, in bytes."""
    totals: dict[str, int] = {}
    for member, load in zip(buckets, loads, strict=True):
        totals[member] = totals.get(member, 0) + load
    return totals
