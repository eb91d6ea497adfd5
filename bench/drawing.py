"""Charts of bars as SVG, for light and dark pages. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

ROW, HEAD, MARGIN, GAP = 19, 36, 16, 10
BREADTH = 1.25  # a spread beyond this much of the longest bar is cut
NARROW = 6.0  # about the width of a letter

_LIGHT = {
    "paper": "#ffffff", "ink": "#1f2328", "faint": "#59636e", "rule": "#8c959f",
    "ours": "#1f6feb", "ours2": "#79b0f5", "ours3": "#2a9d8f", "bridge": "#8250df", "ovs": "#d97706",
    "ovs2": "#f0b866", "limit": "#afb8c1", "met": "#2da44e", "missed": "#cf222e",
}  # fmt: skip
_DARK = {
    "paper": "#0d1117", "ink": "#e6edf3", "faint": "#9198a1", "rule": "#6e7681",
    "ours": "#58a6ff", "ours2": "#2f6db5", "ours3": "#4cc2b3", "bridge": "#b392f0", "ovs": "#f0a33e",
    "ovs2": "#a8742c", "limit": "#484f58", "met": "#3fb950", "missed": "#f85149",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """A median with its spread; `style` is a name of the palette, `text` stands behind the bar."""

    label: str
    style: str
    low: float
    middle: float
    high: float
    text: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars on one scale under a heading; `note` says which way is better, `line` is compared with."""

    title: str
    note: str
    bars: Sequence[Bar]
    line: float | None = None

    @property
    def height(self) -> float:
        return HEAD + ROW * len(self.bars) + GAP


@dataclass(frozen=True, slots=True)
class Widths:
    """Of a panel's three columns, in pixels."""

    labels: int
    bars: int
    values: int

    @property
    def whole(self) -> int:
        return self.labels + self.bars + self.values


def style_of(subject: str) -> str:
    """The palette's name for what was measured: the same colour in all charts."""
    if subject.startswith("Jackfield"):
        return (
            "ours3"
            if "netkit" in subject
            else "ours2"
            if "veth" in subject or "," in subject[10:]
            else "ours"
        )
    if subject.startswith("OVS"):
        return "ovs2" if "veth" in subject else "ovs"
    return "bridge" if "bridge" in subject else "limit"


def draw(title: str, panels: Sequence[Panel], footnote: str, widths: Widths, columns: int = 1) -> str:
    """The chart. Raises ValueError when there is nothing to draw."""
    if not any(panel.bars for panel in panels):
        raise ValueError("a chart needs something to show")
    top = MARGIN + 22.0
    ends = [top] * columns
    parts = [_text(MARGIN, MARGIN + 12, title, "title")]
    for panel in panels:
        column = ends.index(min(ends))
        parts.extend(_panel(panel, MARGIN + column * (widths.whole + MARGIN), ends[column], widths))
        ends[column] += panel.height
    bottom = max(ends) + 8
    parts.append(_text(MARGIN, bottom + 8, footnote, "faint"))
    width, height = MARGIN + columns * (widths.whole + MARGIN), bottom + 22
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}"'
        f' role="img" aria-label={quoteattr(title)}>'
    )
    paper = '<rect width="100%" height="100%" class="paper"/>'
    return "\n".join([head, f"<style>{_css()}</style>", paper, *parts, "</svg>", ""])


def _css() -> str:
    def rules(palette: dict[str, str]) -> str:
        fills = "".join(f".{name}{{fill:{colour}}}" for name, colour in palette.items() if name != "rule")
        ink, rule = palette["ink"], palette["rule"]
        return f"{fills}.spread{{stroke:{ink}}}.line{{stroke:{rule}}}.title,.head{{fill:{ink}}}"

    letters = (
        "text{font:12px system-ui,sans-serif}.title{font-size:15px;font-weight:600}.head{font-weight:600}"
    )
    return f"{letters}{rules(_LIGHT)}@media (prefers-color-scheme:dark){{{rules(_DARK)}}}"


def _panel(panel: Panel, left: float, top: float, widths: Widths) -> Iterator[str]:
    longest = max([*(bar.middle for bar in panel.bars), panel.line or 0, 1e-12])
    full = min(max([longest, *(bar.high for bar in panel.bars)]), BREADTH * longest)
    start = left + widths.labels

    def x(value: float) -> float:
        return start + widths.bars * min(max(value, 0), full) / full

    yield _text(left, top + 15, panel.title, "head")
    yield _text(left, top + 30, panel.note, "faint")
    y = top + HEAD
    for bar in panel.bars:
        yield _text(start - 8, y + 12, _cut(bar.label, widths.labels), "ink", "end")
        size = f'width="{x(bar.middle) - start:.1f}" height="{ROW - 6}"'
        yield f'<rect x="{start}" y="{y + 2:.0f}" {size} class="{bar.style}"/>'
        if bar.low != bar.high:
            yield f'<path d="M{x(bar.low):.1f} {y + 8.5:.1f}H{x(bar.high):.1f}" class="spread"/>'
        yield _text(start + widths.bars + 8, y + 12, bar.text, "ink")
        y += ROW
    if panel.line is not None:
        yield f'<path d="M{x(panel.line):.1f} {top + HEAD:.0f}V{y:.0f}" class="line" stroke-dasharray="4 3"/>'


def _cut(text: str, width: float) -> str:
    most = int(width / NARROW)
    return text if len(text) <= most else text[: most - 1] + "…"


def _text(x: float, y: float, text: str, style: str, anchor: str = "start") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{style}" text-anchor="{anchor}">{escape(text)}</text>'
