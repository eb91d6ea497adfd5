"""`jackfield lab`: the scenarios as experiments that run on this machine."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from jackfield.cli.shell.output import Column, show_json, show_table
from jackfield.client.errors import Failure

if TYPE_CHECKING:
    from jackfield.lab.scenarios import Scenario
    from jackfield.lab.stage import Stage

ALL = "all"
_LIST = (Column("name", style="bold"), Column("what it shows"), Column("on"))


@click.group("lab")
def lab() -> None:
    """Run experiments that show what a virtual switch does."""


@lab.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def list_command(as_json: bool) -> None:
    """List the experiments."""
    from jackfield.lab.scenarios import SCENARIOS

    found = SCENARIOS.values()
    if as_json:
        show_json(
            [{"name": s.name, "title": s.title, "about": s.about, "switches": s.switches} for s in found]
        )
    else:
        show_table(_LIST, [(s.name, s.title, ", ".join(s.switches)) for s in found])


@lab.command("run")
@click.argument("names", nargs=-1, required=True, metavar="NAME... | all")
@click.option("--switch", "switches", metavar="KIND,...", default="", help="Only on these switches.")
@click.option(
    "--report", "report_directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
    help="Write report.html, report.md and the captured packets there.",
)  # fmt: skip
@click.option(
    "--keep", is_flag=True, help="Leave each experiment standing until Ctrl-C, to look around in it."
)
@click.option(
    "--rounds", type=click.IntRange(1, 1000), default=3, show_default=True, help="Where speed is measured."
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.05, 3600),
    default=0.6,
    show_default=True,
    help="Of each turn of a round.",
)
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), hidden=True)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON when all is over.")
def run_command(
    names: tuple[str, ...],
    switches: str,
    report_directory: Path | None,
    keep: bool,
    rounds: int,
    seconds: float,
    picture: Path | None,
    as_json: bool,
) -> int:
    """Run experiments, in network namespaces and with daemons of their own."""
    from jackfield.lab.program import Program
    from jackfield.lab.scenarios import Measuring

    scenarios, kinds = _scenarios(names), _switches(switches)
    if not any(kind in scenario.switches for scenario in scenarios for kind in kinds):
        raise click.BadParameter(f"none of these experiments is for {', '.join(kinds)}")
    program = Program(
        scenarios=scenarios,
        switches=kinds,
        measuring=Measuring(rounds, seconds),
        report=report_directory,
        picture=picture,
        hold=_hold if keep else None,
        silent=as_json,
    )
    if os.geteuid() != 0:
        raise Failure("the lab makes network namespaces and loads eBPF programs: run it as root")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    outcome = program.run()
    if as_json:
        show_json(outcome.as_json())
    return 0 if outcome.holds else 1


def _scenarios(names: tuple[str, ...]) -> tuple[Scenario, ...]:
    from jackfield.lab.scenarios import SCENARIOS

    if ALL in names:
        return tuple(SCENARIOS.values())
    for name in names:
        if name not in SCENARIOS:
            raise click.BadParameter(
                f"there is no experiment {name!r}: they are {', '.join(SCENARIOS)}, {ALL}"
            )
    return tuple(SCENARIOS[name] for name in dict.fromkeys(names))


def _switches(text: str) -> tuple[str, ...]:
    from jackfield.lab.switches import SWITCHES

    kinds = tuple(dict.fromkeys(kind.strip() for kind in text.split(",") if kind.strip())) or tuple(SWITCHES)
    for kind in kinds:
        if kind not in SWITCHES:
            raise click.BadParameter(f"there is no switch {kind!r}: they are {', '.join(SWITCHES)}")
    return kinds


def _hold(stage: Stage) -> None:
    """Say how to look around, and wait for a signal."""
    print(f"\nThis stands until Ctrl-C. Its hosts are {', '.join(stage.hosts)}. To enter one, as root:")
    for host in stage.hosts.values():
        directory = host.environment["OVS_RUNDIR"]
        print(f"  nsenter -t {os.getpid()} -m ip netns exec {host.name} env OVS_RUNDIR={directory} bash")
    try:
        signal.pause()
    except KeyboardInterrupt:
        print("clearing it away")


def _interrupted(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)
