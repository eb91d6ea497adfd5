"""Tables: drawn with colours on a terminal, plain aligned columns in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from rich.table import Table

WIDEST_UNBROKEN = 20


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, whether its cells are numbers, the colour of its cells on a terminal, and whether
    it is a remark on the row, named in the second column, that may stand below the table."""

    heading: str
    is_number: bool = False
    style: str = ""
    is_remark: bool = False


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
    from rich.console import Console
    from rich.text import Text

    console = Console()
    table = _table(columns, rows, title)
    unbroken = console.measure(table, options=console.options.update(width=1 << 16)).maximum
    if columns[-1].is_remark and unbroken > console.width:
        console.print(_table(columns[:-1], [row[:-1] for row in rows], title))
        for row in rows:
            if row[-1]:
                console.print(Text(f"{row[1]}: {row[-1]}", style=columns[-1].style))
    else:
        console.print(table)


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=title or None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for index, column in enumerate(columns):
        # Where it is narrow, headings and long texts fold, not names and numbers.
        width = max((len(row[index]) for row in rows), default=0)
        table.add_column(
            column.heading,
            justify="right" if column.is_number else "left",
            overflow="fold",
            min_width=min(max(width, *map(len, column.heading.split())), WIDEST_UNBROKEN),
        )
    for row in rows:
        table.add_row(*(Text(text, style=column.style) for text, column in zip(row, columns, strict=True)))
    return table
