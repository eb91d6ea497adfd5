"""All targets, one after the other or a few at a time, each for as long; what came of it, a line each."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

_NEW = re.compile(r"#(\d+)\s+(?:NEW|RELOAD)\b")
_STATE = re.compile(r"cov: (\d+) ft: (\d+)(?: corp: (\d+))?")
_UNITS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_FAULT = re.compile(r"Test unit written to (\S+)")


@dataclass(frozen=True, slots=True)
class Turn:
    """One target's turn: the seconds it took by the clock and of a processor, how many inputs it tried, how
    much code and how many combinations of it they reached, after how many inputs the last new one came, and
    the file of the input that failed."""

    target: str
    seconds: float
    processor: float
    inputs: int
    edges: int
    features: int
    corpus: int
    last_new: int
    failure: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """For how long each target runs, how many at a time, where inputs that are new are kept between turns,
    where failures and the record of turns are put."""

    seconds: int
    jobs: int
    keep: Path
    failures: Path
    record: Path | None = None


def run(targets: Sequence[str], plan: Plan) -> list[Turn]:
    """Give every target its turn."""
    with ThreadPoolExecutor(plan.jobs) as pool:
        return list(pool.map(lambda target: _turn(target, plan), targets))


def table(turns: Sequence[Turn]) -> Iterator[str]:
    """What came of it, as lines of text."""
    yield f"{'target':14}{'seconds':>9}{'processor':>11}{'inputs':>12}{'edges':>8}{'last new':>12}  failure"
    for turn in turns:
        yield (
            f"{turn.target:14}{turn.seconds:9.0f}{turn.processor:11.0f}{turn.inputs:12}{turn.edges:8}"
            f"{turn.last_new:12}  {turn.failure or '-'}"
        )


def _turn(target: str, plan: Plan) -> Turn:
    plan.failures.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "fuzz", target, f"--seconds={plan.seconds}"]
    command += [f"--keep={plan.keep / target}", f"--failures={plan.failures}"]
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        text = process.stdout.read().decode(errors="replace")
        # Asked for here, since only this call says what one of several children took.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    turn = read(target, text, time.monotonic() - started, usage.ru_utime + usage.ru_stime)
    if process.returncode != 0:
        said = plan.failures / f"{target}.txt"
        said.write_text(text[-20000:])
        turn = Turn(**{**asdict(turn), "failure": turn.failure or str(said)})
    if plan.record is not None:
        with plan.record.open("a") as record:
            record.write(json.dumps(asdict(turn)) + "\n")
    return turn


def read(target: str, text: str, seconds: float, processor: float) -> Turn:
    """What libFuzzer says of a run that took so many seconds, so many of them on a processor."""
    states = _STATE.findall(text)
    edges, features, corpus = states[-1] if states else ("0", "0", "0")
    units, fault = _UNITS.search(text), _FAULT.search(text)
    return Turn(
        target=target,
        seconds=round(seconds, 1),
        processor=round(processor, 1),
        inputs=int(units[1]) if units else 0,
        edges=int(edges),
        features=int(features),
        corpus=int(corpus or 0),
        last_new=max((int(number) for number in _NEW.findall(text)), default=0),
        failure=fault[1] if fault and "slow-unit" not in fault[1] else None,
    )
