"""Playing experiments, one after the other, each on the switches that it is for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jackfield.lab.errors import LabError
from jackfield.lab.record import ALL, Item, Note, Play, Record
from jackfield.lab.scenarios import Measuring, Scenario
from jackfield.lab.stage import Stage
from jackfield.lab.switches import SWITCHES, Switch

SIDE_BY_SIDE = "side by side"


class Audience(Protocol):
    """Who hears what happens, while it happens."""

    def scenario(self, record: Record) -> None:
        """An experiment begins."""

    def play(self, play: Play) -> None:
        """It is played on a switch, or skipped."""

    def item(self, item: Item) -> None:
        """Something of a play."""

    def progress(self, text: str) -> None:
        """What is awaited just now; "" when nothing is."""

    def ended(self, play: Play) -> None:
        """A play is over."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to play. `hold` is called when a play has ended, before it is cleared away."""

    switches: tuple[str, ...]
    measuring: Measuring
    hold: Callable[[Stage], None] | None = None


def run(
    scenarios: Sequence[Scenario], settings: Settings, directory: Path, audience: Audience
) -> Iterator[Record]:
    """Play the scenarios; each record is complete when it is given. Captured packets go to `directory`."""
    for scenario in scenarios:
        asked = [kind for kind in scenario.switches if kind in settings.switches]
        if not asked:
            continue
        record = Record(scenario.name, scenario.title, scenario.about)
        audience.scenario(record)
        usable = {kind: SWITCHES[kind] for kind in asked if not SWITCHES[kind].missing()}
        if scenario.compare is not None:
            record.plays.append(_compare(scenario, asked, usable, settings, directory, audience))
        else:
            for kind in asked:
                record.plays.append(_play(scenario, SWITCHES[kind], settings, directory, audience))
        yield record


def _play(
    scenario: Scenario, kind: type[Switch], settings: Settings, directory: Path, audience: Audience
) -> Play:
    play = Play(scenario.name, kind.kind, kind.title, skipped=kind.missing())
    act = scenario.play
    audience.play(play)
    if act is not None and not play.skipped:
        _on_stage(play, kind, settings, directory, audience, act)
    audience.ended(play)
    return play


def _compare(
    scenario: Scenario,
    asked: Sequence[str],
    usable: Mapping[str, type[Switch]],
    settings: Settings,
    directory: Path,
    audience: Audience,
) -> Play:
    play = Play(scenario.name, ALL, SIDE_BY_SIDE)
    compare = scenario.compare
    assert compare is not None
    audience.play(play)

    def act(stage: Stage) -> None:
        for kind in asked:
            if kind not in usable:
                stage.note(f"{SWITCHES[kind].title} is left out: {SWITCHES[kind].missing()}.")
        compare(stage, usable, settings.measuring)

    _on_stage(play, None, settings, directory, audience, act)
    audience.ended(play)
    return play


def _on_stage(
    play: Play,
    kind: type[Switch] | None,
    settings: Settings,
    directory: Path,
    audience: Audience,
    act: Callable[[Stage], None],
) -> None:
    begin = time.monotonic()

    def tell(item: Item) -> None:
        play.items.append(item)
        audience.item(item)

    own = directory / f"{play.scenario}-{play.switch}"
    stage = Stage(own, tell, audience.progress)
    try:
        try:
            if kind is not None:
                stage.use(kind)
            act(stage)
        except LabError as error:
            play.error = str(error)
        if settings.hold is not None:
            settings.hold(stage)
    finally:
        problems = stage.clear()
        audience.progress("")
    play.seconds = time.monotonic() - begin
    for problem in problems:
        tell(Note(f"Not cleared away: {problem}"))
    if problems and not play.error:
        play.error = f"not cleared away: {problems[0]}"
