"""Parts of a Markdown page that a program makes, between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.netns import BenchError


def put_between(page: Path, begin: str, end: str, lines: Sequence[str]) -> None:
    """Put lines between the two marks. Raises BenchError when the page has not both."""
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, also_found, after = rest.partition(end)
    if not found or not also_found:
        raise BenchError(f"{page} has no part between `{begin}` and `{end}`: put these two lines into it")
    page.write_text("\n".join([before + begin, *lines, end + after]), encoding="utf-8")
