"""Reports of experiments: a page to look at, the same as Markdown, charts, and the captured packets."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from jackfield.client.errors import Failure
from jackfield.lab.record import Capture, Chart, Record
from jackfield.lab.report.html import page
from jackfield.lab.report.layout import About, capture_path, chart_path
from jackfield.lab.report.markdown import document


def prepare(directory: Path) -> None:
    """Make the directory. Raises Failure when it cannot be made or written to."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / "report.md"
        probe.touch()
    except OSError as error:
        raise Failure(f"{directory}: no report can be written there: {error.strerror}") from error


def write(directory: Path, records: Sequence[Record], about: About) -> Path:
    """Write report.html, report.md, charts and captures; returns the page. Raises Failure."""
    try:
        for record in records:
            for play in record.plays:
                for item in play.items:
                    if isinstance(item, Capture):
                        _copy(item.file, directory / capture_path(play, item))
                    elif isinstance(item, Chart):
                        _put(directory / chart_path(play, item), item.svg)
        _put(directory / "report.md", document(records, about))
        _put(directory / "report.html", page(records, about))
    except OSError as error:
        raise Failure(f"{error.filename or directory}: {error.strerror}") from error
    return directory / "report.html"


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _copy(source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, path)
