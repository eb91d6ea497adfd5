"""Charts of measured shares: a bar for each median, a line for its spread. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from jackfield.lab.measure.figures import Spread

LABELS, BARS, VALUES = 232, 420, 150  # widths of the three columns
ROW, HEAD, MARGIN = 24, 30, 16
INK, FAINT, PAPER = "#1f2933", "#7b8794", "#ffffff"


@dataclass(frozen=True, slots=True)
class Bar:
    """A share of the whole (1.0), what to write behind it, and its colour."""

    label: str
    share: Spread
    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class Group:
    """Bars under one heading."""

    title: str
    bars: tuple[Bar, ...]


def svg(groups: Sequence[Group], footnote: str) -> str:
    """The chart: all groups on one scale, with a dashed line at the whole. A spread out of proportion is cut
    at the edge.
    """
    medians = [bar.share.middle for group in groups for bar in group.bars]
    full = min(
        1.08 * max([1.0, *(bar.share.high for group in groups for bar in group.bars)]),
        1.35 * max([1.0, *medians]),
    )
    parts: list[str] = []
    y = float(MARGIN)
    for group in groups:
        y += HEAD
        parts.append(_text(MARGIN, y - 9, group.title, font_weight="600"))
        whole, end = _x(1.0, full), y + ROW * len(group.bars)
        parts.append(f'<path d="M{whole:.1f} {y:.0f}V{end:.0f}" stroke="{FAINT}" stroke-dasharray="3 3"/>')
        for bar in group.bars:
            parts.extend(_bar(y, bar, full))
            y += ROW
    y += HEAD
    parts.append(_text(MARGIN, y - 9, footnote, fill=FAINT, font_size="12"))
    width, height = LABELS + BARS + VALUES, y + MARGIN / 2
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}"'
        f' font-family="system-ui, sans-serif" font-size="13" fill="{INK}" role="img">'
    )
    return "\n".join([head, f'<rect width="100%" height="100%" fill="{PAPER}"/>', *parts, "</svg>", ""])


def _x(share: float, full: float) -> float:
    return LABELS + BARS * min(share, full) / full


def _text(x: float, y: float, text: str, **style: str) -> str:
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:.0f}" y="{y:.0f}"{attributes}>{escape(text)}</text>'


def _bar(y: float, bar: Bar, full: float) -> Iterator[str]:
    low, middle, high = (_x(share, full) for share in (bar.share.low, bar.share.middle, bar.share.high))
    centre = y + ROW / 2
    yield _text(LABELS - 10, centre + 4, bar.label, text_anchor="end")
    size = f'width="{max(middle - LABELS, 1):.1f}" height="{ROW - 8}"'
    yield f'<rect x="{LABELS}" y="{y + 4:.0f}" {size} rx="2" fill="{bar.colour}"/>'
    if high - low > 1:
        yield (
            f'<path d="M{low:.1f} {centre:.1f}H{high:.1f}M{low:.1f} {centre - 4:.1f}v8M{high:.1f} '
            f'{centre - 4:.1f}v8" stroke="{INK}" stroke-width="1.2" fill="none"/>'
        )
    halo = {"paint_order": "stroke", "stroke": PAPER, "stroke_width": "4"}  # keeps off the dashed line
    yield _text(max(high, middle) + 8, centre + 4, bar.text, font_size="12", **halo)
