"""A chart of rates as shares of the limit: a bar for each peer's median, a line for its spread."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from xml.sax.saxutils import escape

from bench.peers import INTERNAL, LIMIT
from bench.report import Results, ratios
from bench.traffic import WORKLOADS

LABELS, BARS, ROW, MARGIN = 240, 460, 26, 16
FULL = 1.2  # the share of the limit at the right edge
COLOURS = {INTERNAL: "#2f6f9f", LIMIT: "#999999"}
OTHERS = "#8fb3cc"


def _x(share: float) -> float:
    return LABELS + BARS * min(share, FULL) / FULL


def _text(x: float, y: float, text: str, **style: str) -> str:
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:.0f}" y="{y:.0f}"{attributes}>{escape(text)}</text>'


def _bar(y: float, peer: str, shares: list[float]) -> Iterator[str]:
    middle = statistics.median(shares)
    low, high, centre = _x(min(shares)), _x(max(shares)), y + ROW / 2
    yield _text(LABELS - 8, centre + 4, peer, text_anchor="end")
    colour = COLOURS.get(peer, OTHERS)
    size = f'width="{_x(middle) - LABELS:.1f}" height="{ROW - 8}"'
    yield f'<rect x="{LABELS}" y="{y + 4:.0f}" {size} fill="{colour}"/>'
    yield f'<path d="M{low:.1f} {centre:.1f}H{high:.1f}" stroke="#333" stroke-width="1.5"/>'
    yield _text(_x(FULL) + 8, centre + 4, f"{middle:.2f}")


def svg(results: Results) -> str:
    """The chart. Raises ValueError when there is nothing to draw, or no limit to compare with."""
    if not results.rates or any(LIMIT not in rates for rates in results.rates.values()):
        raise ValueError(f"a chart needs the {LIMIT}")
    parts: list[str] = []
    y = float(MARGIN)
    for name, rates in results.rates.items():
        y += ROW
        parts.append(_text(MARGIN, y - 8, f"{WORKLOADS[name].title}: share of a {LIMIT}", font_weight="bold"))
        for peer in rates:
            parts.extend(_bar(y, peer, ratios(rates, peer, LIMIT)))
            y += ROW
    said = results.machine
    y += ROW
    parts.append(_text(MARGIN, y - 8, f"{said['cpu']}, Linux {said['kernel']}, {said['date']}", fill="#666"))
    width, height = LABELS + BARS + 64, y + MARGIN
    limit = _x(1.0)
    parts.append(
        f'<path d="M{limit:.1f} {MARGIN + ROW}V{y - ROW:.0f}" stroke="#999" stroke-dasharray="4 3"/>'
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}"'
    paper = '<rect width="100%" height="100%" fill="#fff"/>'
    return "\n".join([f'{head} font-family="sans-serif" font-size="13">', paper, *parts, "</svg>", ""])
