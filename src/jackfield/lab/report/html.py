"""The report as one page that needs nothing else. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from jackfield.lab.record import (
    ALL,
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
from jackfield.lab.report.layout import About, capture_path, outcome, score
from jackfield.lab.report.style import STYLE

HUES = 6  # colours of prompts in the style sheet


def page(records: Sequence[Record], about: About) -> str:
    """The whole page."""
    body = "\n".join(line for record in records for line in _record(record))
    failed = " failed" * (not all(record.holds for record in records))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Jackfield lab</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>Jackfield lab</h1>
<p class="outcome{failed}">{escape(outcome(records))}</p>
<p class="about">{escape(about.line())}</p>
{_contents(records)}
</header>
<main>
{body}
</main>
</body>
</html>
"""


def _contents(records: Sequence[Record]) -> str:
    rows = []
    for record in records:
        plays = " ".join(
            f'<span class="chip {_state(play)}">{escape(play.switch_title)} {escape(score(play))}</span>'
            for play in record.plays
        )
        rows.append(f'<li><a href="#{record.name}">{escape(record.title)}</a> {plays}</li>')
    return f"<nav><ol>{''.join(rows)}</ol></nav>"


def _state(play: Play) -> str:
    if play.skipped:
        return "skipped"
    return "holds" if play.holds else "fails"


def _record(record: Record) -> Iterator[str]:
    yield f'<section id="{record.name}"><h2>{escape(record.title)}</h2>'
    yield f'<p class="lead">{_prose(record.about)}</p>'
    for play in record.plays:
        for item in play.items:
            if isinstance(item, Chart):
                yield f"<figure>{item.svg}<figcaption>{escape(item.title)}</figcaption></figure>"
            elif isinstance(item, Grid):
                yield from _grid(item)
    yield from _verdicts(record)
    for play in record.plays:
        yield from _play(play)
    yield "</section>"


def _grid(grid: Grid) -> Iterator[str]:
    yield f'<div class="scroll"><table class="figures"><caption>{escape(grid.title)}</caption><thead><tr>'
    yield from (f"<th>{escape(heading)}</th>" for heading in grid.headings)
    yield "</tr></thead><tbody>"
    for row in grid.rows:
        yield "<tr>" + "".join(f"<td>{_lines(cell)}</td>" for cell in row) + "</tr>"
    yield "</tbody></table></div>"


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


_MARKS = {
    "yes": '<td class="yes">✓</td>',
    "NO": '<td class="no">✗</td>',
    "": '<td class="none" title="not asked">&ndash;</td>',
}


def _verdicts(record: Record) -> Iterator[str]:
    sentences = record.sentences()
    if sentences:
        yield '<div class="scroll"><table class="verdicts"><thead><tr><th></th>'
        yield from (f"<th>{escape(play.switch_title)}</th>" for play in record.plays)
        yield "</tr></thead><tbody>"
        for sentence in sentences:
            marks = "".join(_MARKS[verdict(play, sentence)] for play in record.plays)
            yield f"<tr><td>{escape(sentence)}</td>{marks}</tr>"
        yield "</tbody></table></div>"
    for play in record.plays:
        if play.skipped:
            yield f'<p class="note">{escape(play.switch_title)}: skipped, {escape(play.skipped)}.</p>'
        if play.error:
            yield f'<p class="error">{escape(play.switch_title)}: {escape(play.error)}</p>'


def _play(play: Play) -> Iterator[str]:
    if not play.items:
        return
    opened = " open" * (not play.holds)
    yield f"<details{opened}><summary>The story {_on(play)}, {play.seconds:.0f} s</summary>"
    hues: dict[str, int] = {}
    shell = False
    for item in play.items:
        inside = isinstance(item, Command | Printed)
        if inside != shell:
            yield '<pre class="shell">' if inside else "</pre>"
            shell = inside
        yield from _item(play, item, hues)
    yield "</pre>" * shell + "</details>"


def _on(play: Play) -> str:
    return escape(play.switch_title if play.switch == ALL else f"on {play.switch_title}")


def _item(play: Play, item: Item, hues: dict[str, int]) -> Iterator[str]:
    match item:
        case Step(title, text):
            yield f"<h3>{escape(title)}</h3>" + (f"<p>{_prose(text)}</p>" if text else "")
        case Command(host, line, output, _, in_background):
            yield f"{_prompt(host, hues)}<b>{escape(line)}</b>{' &amp;' * in_background}"
            if output:
                yield escape(output)
        case Printed(host, line, output):
            yield f"{_prompt(host, hues)}<i>{escape(line)}</i>"
            yield escape(output) or "<i>(nothing)</i>"
        case Note(text):
            yield f'<p class="note">{_prose(text)}</p>'
        case Check(sentence, holds, seen):
            kind, mark = ("yes", "✓") if holds else ("no", "✗")
            yield f'<p class="check {kind}"><span>{mark}</span> {escape(sentence)} '
            yield f"<small>{escape(seen)}</small></p>"
        case Capture(host, device, file, frames):
            where = f"{frames} frames on {host}'s {device}"
            yield f'<p class="capture"><a href="{capture_path(play, item)}" download>{escape(file.name)}</a> '
            yield f"{escape(where)}</p>"
        case Chart() | Grid():
            pass  # they stand above


def _prose(text: str) -> str:
    """Text in which `commands` are marked as in Markdown."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _prompt(host: str, hues: dict[str, int]) -> str:
    hue = hues.setdefault(host, len(hues) % HUES)
    return f'<span class="prompt h{hue}">{escape(host)}#</span> '
