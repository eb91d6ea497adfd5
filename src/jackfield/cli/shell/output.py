"""Tables: drawn with colours on a terminal, plain aligned columns in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, whether its cells are numbers, and the colour of its cells on a terminal."""

    heading: str
    is_number: bool = False
    style: str = ""


def cell(value: object) -> str:
    """A value as people read it: nothing for None, grouped digits for counters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def show_table(columns: Sequence[Column], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """Print rows under their headings."""
    texts = [[cell(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _draw(columns, texts, title)
    else:
        if title:
            print(title)
        print(plain_table(columns, texts), end="")


def plain_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns, two blanks apart, without anything that a program would have to strip."""
    lines = [[column.heading for column in columns], *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return "".join(
        "  ".join(
            text.rjust(width) if column.is_number else text.ljust(width)
            for text, width, column in zip(line, widths, columns, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def show_json(content: Any) -> None:
    """Print JSON for programs, indented for those who look at it."""
    print(msgspec.json.format(msgspec.json.encode(content), indent=2).decode())


def _draw(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column.heading, justify="right" if column.is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(text, style=column.style) for text, column in zip(row, columns, strict=True)))
    Console().print(table)
