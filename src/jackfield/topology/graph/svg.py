"""Drawings as SVG. Every text is escaped: names are their users'."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import category
from xml.sax.saxutils import escape

from jackfield.topology.graph.drawing import (
    HEADER,
    MONO,
    PADDING,
    ROW,
    Drawing,
    Placed,
    Wire,
    badge_width,
    columns,
)

SANS_FONT = "system-ui, 'DejaVu Sans', 'Segoe UI', Helvetica, Arial, sans-serif"
MONO_FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
STYLE = f"""
.title {{ font: 600 14px {SANS_FONT}; fill: #1f2328; }}
.note {{ font: 11px {SANS_FONT}; fill: #656d76; text-anchor: end; }}
.name {{ font: 12px {MONO_FONT}; fill: #1f2328; }}
.text {{ font: 11px {SANS_FONT}; fill: #656d76; }}
.badge {{ font: 11px {MONO_FONT}; text-anchor: middle; }}
.heading {{ font: 600 16px {SANS_FONT}; fill: #1f2328; }}
.card {{ fill: #ffffff; stroke: #d0d7de; }}
.head {{ fill: #f6f8fa; }}
.wire {{ fill: none; stroke-width: 2; stroke-linecap: round; opacity: 0.75; }}
"""
STATES = {"up": "#1a7f37", "down": "#d0d7de", "error": "#cf222e"}
HEADING = 40
BOW = 56


def render(parts: list[tuple[str, Drawing]]) -> str:
    """One picture of drawings below each other, each under its heading."""
    width = max((drawing.width for _, drawing in parts), default=200.0)
    height = sum(drawing.height + (HEADING if heading else 0) for heading, drawing in parts) or 60.0
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<style>{STYLE}</style>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
    ]
    top = 0.0
    for heading, drawing in parts:
        if heading:
            lines.append(f'<text class="heading" x="28" y="{top + 32:.0f}">{_text(heading)}</text>')
            top += HEADING
        lines.append(f'<g transform="translate(0 {top:.0f})">')
        lines += _drawing(drawing)
        lines.append("</g>")
        top += drawing.height
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


def _drawing(drawing: Drawing) -> Iterator[str]:
    for wire, one, other, bows in drawing.wires:
        yield _wire(wire, one, other, bows)
    for placed in drawing.cards:
        yield from _card(placed)
    for wire, one, other, _ in drawing.wires:
        for x, y in (one, other):
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{wire.colour}" stroke="#ffffff"/>'


def _wire(wire: Wire, one: tuple[float, float], other: tuple[float, float], bows: bool) -> str:
    (ax, ay), (bx, by) = one, other
    bend = -BOW if bows else (bx - ax) / 2
    curve = f"C {ax + bend:.1f} {ay:.1f} {bx + (bend if bows else -bend):.1f} {by:.1f} {bx:.1f} {by:.1f}"
    return f'<path class="wire" stroke="{wire.colour}" d="M {ax:.1f} {ay:.1f} {curve}"/>'


def _card(placed: Placed) -> Iterator[str]:
    card, x, y, width = placed.card, placed.x, placed.y, placed.width
    size = f'width="{width:.1f}" height="{placed.height:.1f}"'
    yield f'<rect class="card" x="{x:.1f}" y="{y:.1f}" {size} rx="9"/>'
    head = f"M {x + 0.5:.1f} {y + HEADER:.1f} v {9.5 - HEADER} q 0 -9 9 -9 h {width - 19:.1f} q 9 0 9 9"
    if card.rows:
        yield f'<path class="head" d="{head} v {HEADER - 9.5} z"/>'
    middle = y + HEADER / 2
    yield f'<text class="title" x="{x + 14:.1f}" y="{middle + 5:.1f}">{_text(card.title)}</text>'
    if card.note:
        yield f'<text class="note" x="{x + width - 14:.1f}" y="{middle + 4:.1f}">{_text(card.note)}</text>'
    names = max((columns(row.name) for row in card.rows), default=0)
    for number, row in enumerate(card.rows):
        line = y + HEADER + PADDING / 2 + ROW * number + ROW / 2
        tip = f"<title>{_text(row.tip)}</title>" if row.tip else ""
        yield f"<g>{tip}"
        if row.state:
            yield f'<circle cx="{x + 16:.1f}" cy="{line:.1f}" r="3.5" fill="{STATES[row.state]}"/>'
        yield f'<text class="name" x="{x + 26:.1f}" y="{line + 4:.1f}">{_text(row.name)}</text>'
        if row.text:
            at = x + 26 + names * MONO + 12
            yield f'<text class="text" x="{at:.1f}" y="{line + 4:.1f}">{_text(row.text)}</text>'
        if row.badge:
            yield from _badge(row.badge, row.colour or "#6e7781", x + width - 12, line)
        yield "</g>"


def _badge(text: str, colour: str, right: float, line: float) -> Iterator[str]:
    width = badge_width(text)
    yield (
        f'<rect x="{right - width:.1f}" y="{line - 9:.1f}" width="{width:.1f}" height="18" rx="9" '
        f'fill="{colour}" fill-opacity="0.12"/>'
    )
    place = f'x="{right - width / 2:.1f}" y="{line + 4:.1f}"'
    yield f'<text class="badge" {place} fill="{colour}">{_text(text)}</text>'


def _text(text: str) -> str:
    """A text that is nothing but text; characters that XML cannot have are replaced."""
    plain = "".join(char if category(char) not in ("Cc", "Cs", "Cn") else "\ufffd" for char in text)
    return escape(plain, {'"': "&quot;"})
