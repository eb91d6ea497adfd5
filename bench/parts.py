"""The parts of a report: what each is, about how long it takes, and how it is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench import control, flooding, program, rates, scale, traffic
from bench.effort import Effort
from bench.measure import Found, Measure, Tell
from bench.peers import LIMIT
from bench.rfc2889 import run as rfc2889
from bench.rfc2889.trials import MEASURES as RFC2889_MEASURES


@dataclass(frozen=True, slots=True)
class Part:
    """`seconds` is an estimate; `limit` is what every value is a share of, in tables and charts."""

    title: str
    seconds: Callable[[Effort], float]
    measure: Callable[[Effort, Tell], Found]
    measures: Callable[[Effort], Mapping[str, Measure]]
    limit: str = ""


RATES, RFC2889, SCALE, FLOODING, PROGRAM, CONTROL = (
    "rates",
    "rfc2889",
    "scale",
    "flooding",
    "program",
    "control",
)
PARTS = {
    RATES: Part(
        "Rates and round trips",
        lambda effort: 30 + effort.rounds * (18 * max(effort.seconds, 1) + 27 * effort.seconds + 15),
        rates.measure,
        lambda _: traffic.MEASURES,
        LIMIT,
    ),
    RFC2889: Part(
        "RFC 2889 (section)",
        lambda effort: 5 + effort.rounds * (11 + 24 * effort.trial_seconds) + effort.addresses[-1] / 15_000,
        rfc2889.measure,
        lambda _: RFC2889_MEASURES,
    ),
    SCALE: Part(
        "Scale",
        lambda effort: 50 + effort.rounds * 22 * (effort.trial_seconds + 0.2) + effort.ports / 25,
        scale.measure,
        scale.measures,
    ),
    FLOODING: Part(
        "A broadcast flooded",
        lambda effort: 5 + len(effort.flooded) * effort.rounds * 3 * (effort.trial_seconds + 0.2)
        + effort.flooded[-1] / 30,
        flooding.measure,
        flooding.measures,
    ),
    PROGRAM: Part(
        "The program by itself",
        lambda effort: 3 + effort.addresses[-1] / 150_000,
        program.measure,
        program.measures,
    ),
    CONTROL: Part(
        "Control plane",
        lambda effort: effort.control_rounds * (8 + effort.ports / 50) + effort.ports / 15,
        control.measure,
        control.measures,
    ),
}  # fmt: skip
