"""Tables of database records as text, HTML, CSV or JSON: ovs-vsctl(8), "Table Formatting Options"."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from jackfield.cli.vsctl.schema import ColumnType
from jackfield.cli.vsctl.values import bare_text, value_text
from jackfield.wire.notation import Value, encode

FORMATS = ("table", "list", "html", "csv", "json")
CELL_FORMATS = ("string", "bare", "json")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Style(NamedTuple):
    """How to print: `width` limits a column of the table format, 0 for no limit."""

    format: str = "list"
    cells: str = "string"
    headings: bool = True
    pretty: bool = False
    width: int = 0


class Listing:
    """Records to print: the columns with their types, and rows of values."""

    def __init__(self, columns: list[tuple[str, ColumnType]]) -> None:
        self.columns = columns
        self.rows: list[list[Value]] = []

    def texts(self, style: Style) -> list[list[str]]:
        """The cells as the style wants them."""
        return [
            [_cell(kind, value, style) for (_, kind), value in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]


class Printer:
    """Formats listings one after another, with a blank line between."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._is_first = True

    def text(self, listing: Listing) -> str:
        """The listing as text that ends in a newline."""
        style = self._style
        if style.format == "json":
            return _json(listing, style)
        if style.format == "html":
            return _html(listing, style)
        separator = "" if self._is_first else "\n"
        self._is_first = False
        make = {"table": _table, "list": _list, "csv": _csv}[style.format]
        return separator + make(listing, style)


def _cell(kind: ColumnType, value: Value, style: Style) -> str:
    if style.cells == "json":
        return dump(encode(value))
    return value_text(kind, value) if style.cells == "string" else bare_text(value)


def _table(listing: Listing, style: Style) -> str:
    texts = listing.texts(style)
    widths: list[int] = []
    for index, (heading, _) in enumerate(listing.columns):
        width = max((len(row[index].encode()) for row in texts), default=0)
        width = min(width, style.width) if style.width > 0 else width
        widths.append(max(width, len(heading)) if style.headings else width)
    lines: list[list[str]] = list(texts)
    if style.headings:
        lines = [[name for name, _ in listing.columns], ["-" * width for width in widths], *texts]
    return "".join(
        " ".join(cell[:width].ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip(" ")
        + "\n"
        for line in lines
    )


def _list(listing: Listing, style: Style) -> str:
    names = [f"{name:<20}: " if style.headings else "" for name, _ in listing.columns]
    records = [
        "".join(f"{name}{text}\n" for name, text in zip(names, row, strict=True))
        for row in listing.texts(style)
    ]
    return "\n".join(records)


def _csv(listing: Listing, style: Style) -> str:
    lines = [[name for name, _ in listing.columns]] if style.headings else []
    return "".join(",".join(map(_csv_cell, line)) + "\n" for line in [*lines, *listing.texts(style)])


def _csv_cell(text: str) -> str:
    if not any(char in text for char in '\n",'):
        return text
    return '"' + text.replace('"', '""') + '"'


def _html(listing: Listing, style: Style) -> str:
    lines = ["<table border=1>"]
    if style.headings:
        lines += ["  <tr>", *(f"    <th>{_linked(name)}</th>" for name, _ in listing.columns), "  </tr>"]
    for row in listing.texts(style):
        lines.append("  <tr>")
        for (name, _), text in zip(listing.columns, row, strict=True):
            if name == "_uuid":
                lines.append(f'    <td><a name="{_escaped(text)}">{_escaped(text[:8])}</a></td>')
            else:
                lines.append(f"    <td>{_linked(text)}</td>")
        lines.append("  </tr>")
    return "\n".join([*lines, "</table>", ""])


def _linked(text: str) -> str:
    out, at = [], 0
    for found in _UUID.finditer(text):
        out += [_escaped(text[at : found.start()]), f'<a href="#{found[0]}">{found[0][:8]}</a>']
        at = found.end()
    return "".join([*out, _escaped(text[at:])])


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _json(listing: Listing, style: Style) -> str:
    content = {
        "data": [[encode(value) for value in row] for row in listing.rows],
        "headings": [name for name, _ in listing.columns],
    }
    return dump(content, style.pretty) + "\n"


def dump(value: Any, pretty: bool = False) -> str:
    """JSON as OVS writes it: object members sorted, no blanks unless `pretty`."""
    if not pretty:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    # OVS closes brackets behind the last element instead of on lines of their own.
    return re.sub(r"\n *(?=[]}])", "", json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True))
