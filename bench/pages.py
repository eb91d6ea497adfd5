"""Parts of a Markdown page that a program makes, between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.netns import BenchError

Marks = tuple[str, str]


def check_marks(page: Path, *parts: Marks) -> None:
    """Raises BenchError when the page cannot be read or lacks one of the marks."""
    for begin, end in parts:
        _split(page, begin, end)


def put_between(page: Path, begin: str, end: str, lines: Sequence[str]) -> None:
    """Put lines between the two marks. Raises BenchError when the page has not both."""
    before, after = _split(page, begin, end)
    page.write_text("\n".join([before + begin, *lines, end + after]), encoding="utf-8")


def _split(page: Path, begin: str, end: str) -> tuple[str, str]:
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise BenchError(f"{page}: {error.strerror}") from error
    before, found, rest = text.partition(begin)
    _, also_found, after = rest.partition(end)
    if not found or not also_found:
        raise BenchError(f"{page} has no part between `{begin}` and `{end}`: put these two lines into it")
    return before, after
