"""Numbered traffic between namespaces, and the verdict on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.loss.queues import Dropped, watched
from tests.netlab import Namespace

UNDER_WAY_SECONDS = 0.3


@dataclass(frozen=True)
class End:
    """A station: a device in a namespace, with the address by which others know it."""

    namespace: Namespace
    device: str
    mac: str


@dataclass(frozen=True)
class FlowPlan:
    """A flow from one station to another. `source` is the address it sends from, if not its own."""

    name: str
    sender: End
    receiver: End
    rate: float
    source: str | None = None
    stations: int = 1


@dataclass(frozen=True)
class Verdict:
    """What became of a flow's frames. `lost` are those that the switch has to answer for, `queued` those that
    the kernel dropped because a queue was full. `elsewhere` counts those that reached a station they were not
    for, `longest_ms` is the longest silence at the receiver."""

    name: str
    sent: int
    lost: int
    queued: int
    doubled: int
    overtaken: int
    elsewhere: int
    longest_ms: float

    @property
    def faults(self) -> int:
        return self.lost + self.doubled + self.overtaken + self.elsewhere


@dataclass
class Traffic:
    """Runs until `stop`."""

    plans: Sequence[FlowPlan]
    senders: list[subprocess.Popen[str]]
    receivers: dict[End, subprocess.Popen[str]]
    dropped: Dropped

    def stop(self) -> list[Verdict]:
        """End it; the verdict on each flow."""
        sent = {report["flow"]: report["sent"] for report in map(_ended, self.senders)}
        time.sleep(UNDER_WAY_SECONDS)  # what has left is still to arrive
        seen = {end: _ended(process) for end, process in self.receivers.items()}
        overrun = {f"{end.namespace.name} {end.device}": report["overrun"] for end, report in seen.items()}
        assert not any(overrun.values()), f"receivers were too slow, nothing can be said: {overrun}"
        return [
            _verdict(number, plan, sent[number], seen, self.dropped) for number, plan in enumerate(self.plans)
        ]


@contextmanager
def traffic(plans: Sequence[FlowPlan]) -> Iterator[Traffic]:
    """Start receivers at all ends, make all stations known to the switch, then start the senders."""
    started: list[subprocess.Popen[str]] = []
    mark = os.urandom(4)

    def start(end: End, what: str, *words: object) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "tests.loss.numbered", what, mark.hex(), end.device, *map(str, words)]
        process = end.namespace.popen(*argv)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
        return process

    with watched(mark) as dropped:
        try:
            ends = {end for plan in plans for end in (plan.sender, plan.receiver)}
            receivers = {end: start(end, "receive") for end in ends}
            for end in ends:
                with end.namespace.tap(end.device) as tap:
                    # A broadcast, of no flow: all switches learn the sender.
                    tap.send(b"\xff" * 6 + bytes.fromhex(end.mac.replace(":", "")) + b"\x88\xb6" + bytes(46))
            senders = [
                start(plan.sender, "send", number, plan.receiver.mac,
                      plan.source or plan.sender.mac, plan.rate, plan.stations)
                for number, plan in enumerate(plans)
            ]  # fmt: skip
            yield Traffic(plans, senders, receivers, dropped)
        finally:
            for process in started:
                if process.poll() is None:
                    process.kill()
                process.communicate()


def _ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    process.terminate()
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 0, f"exit {process.returncode}: {errors}"
    report: dict[str, Any] = json.loads(output)
    return report


def _verdict(
    number: int, plan: FlowPlan, sent: int, seen: dict[End, dict[str, Any]], dropped: Dropped
) -> Verdict:
    nothing = {"expected": 0, "arrived": 0, "missing": [], "doubled": 0, "overtaken": 0, "longest_ms": 0.0}
    there = seen[plan.receiver]["flows"].get(str(number), nothing)
    elsewhere = sum(
        report["flows"].get(str(number), nothing)["arrived"]
        for end, report in seen.items()
        if end != plan.receiver
    )
    missing = [*there["missing"], *range(there["expected"], sent)]
    queued = sum(dropped.has(number, each) for each in missing)
    return Verdict(
        name=plan.name,
        sent=sent,
        lost=len(missing) - queued,
        queued=queued,
        doubled=there["doubled"],
        overtaken=there["overtaken"],
        elsewhere=elsewhere,
        longest_ms=there["longest_ms"],
    )
