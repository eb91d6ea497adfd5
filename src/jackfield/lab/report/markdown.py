"""The report as Markdown. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jackfield.lab.record import (
    Capture,
    Chart,
    Check,
    Command,
    Grid,
    Item,
    Note,
    Play,
    Printed,
    Record,
    Step,
    verdict,
)
from jackfield.lab.report.layout import About, capture_path, chart_path, outcome


def document(records: Sequence[Record], about: About) -> str:
    """The whole report."""
    lines = ["# Jackfield lab", "", f"**{outcome(records)}.** {about.line()}."]
    for record in records:
        lines += ["", f"## {record.title}", "", record.about, "", *_verdicts(record)]
        for play in record.plays:
            lines += _play(play)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _verdicts(record: Record) -> Iterator[str]:
    yield _row("", *(play.switch_title for play in record.plays))
    yield _row("---", *(":---:" for _ in record.plays))
    for sentence in record.sentences():
        marks = (verdict(play, sentence) or "-" for play in record.plays)
        yield _row(sentence, *(f"**{mark}**" if mark == "NO" else mark for mark in marks))


def _play(play: Play) -> Iterator[str]:
    yield ""
    yield f"### {play.switch_title}"
    if play.skipped:
        yield ""
        yield f"Skipped: {play.skipped}."
    fenced = False
    for item in play.items:
        inside = isinstance(item, Command | Printed)
        if inside and not fenced:
            yield from ("", "```console")
        elif fenced and not inside:
            yield "```"
            yield ""
        fenced = inside
        yield from _item(play, item)
    if fenced:
        yield "```"
    if play.error:
        yield from ("", f"**Ended:** {play.error}")


def _item(play: Play, item: Item) -> Iterator[str]:
    match item:
        case Step(title, text):
            yield from ("", f"#### {title}", "", *([text, ""] if text else []))
        case Command(host, line, output, _, in_background):
            yield f"{host}# {line}" + " &" * in_background
            yield from output.splitlines()
        case Printed(host, line, output):
            yield f"{host}: [{line}]"
            yield from output.splitlines() or ["(nothing)"]
        case Note(text):
            yield from ("", f"*{text}*", "")
        case Check(sentence, holds, seen):
            yield f"- {'✓' if holds else '✗'} {sentence} ({seen})"
        case Capture(host, device, file, frames):
            yield f"- [{file.name}]({capture_path(play, item)}): {frames} frames on {host}'s {device}"
        case Chart(title):
            yield from ("", f"![{title}]({chart_path(play, item)})", "")
        case Grid(title, headings, rows):
            yield from ("", f"**{title}**", "", _row(*headings))
            yield _row("---", *("---:" for _ in headings[1:]))
            yield from (_row(*row) for row in rows)
            yield ""


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells) + " |"
