"""Cards in three columns and wires between their rows: where everything is, in pixels. Pure.

A card stands beside what it is wired to: the middle column is stacked as given, the outer ones follow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from unicodedata import east_asian_width

LEFT, MIDDLE, RIGHT = range(3)
MARGIN, GAP = 28, 22
HEADER, ROW, PADDING = 44, 24, 10
GUTTER = 110
MONO, SANS = 7.3, 8.0  # pixels a character of the fonts, at the sizes that are used
LEAST_WIDTH = 130


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a card: a name, a text behind it, and a badge at the right with its colour. `state` is up,
    down, error or "" for none."""

    key: str
    name: str
    text: str = ""
    badge: str = ""
    colour: str = ""
    state: str = ""
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A box with a heading. Wires lead to its rows, or to the card itself by its own key."""

    key: str
    column: int
    title: str
    note: str = ""
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Wire:
    """A line between two rows or cards, given by their keys."""

    one: str
    other: str
    colour: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A card with its place."""

    card: Card
    x: float
    y: float
    width: float
    height: float

    def row_y(self, number: int) -> float:
        """The middle of a row."""
        return self.y + HEADER + PADDING / 2 + ROW * number + ROW / 2


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything with its place, and how large it is."""

    width: float
    height: float
    cards: tuple[Placed, ...]
    wires: tuple[tuple[Wire, tuple[float, float], tuple[float, float], bool], ...] = field(default=())
    """Each wire with its two ends, and whether both are on the same side, so that it makes a bow."""


def badge_width(text: str) -> float:
    """How wide a badge is."""
    return columns(text) * 6.7 + 14 if text else 0.0


def columns(text: str) -> int:
    """How many characters of the usual width a text is wide."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def arranged(cards: Sequence[Card], wires: Sequence[Wire]) -> Drawing:
    """The drawing of cards and wires. Wires whose ends are not there are left out."""
    widths = {card.key: _width(card) for card in cards}
    column_widths = [max((widths[c.key] for c in cards if c.column == i), default=0.0) for i in range(3)]
    lefts = _lefts(column_widths)
    placed: dict[str, Placed] = {}
    y: float = MARGIN
    for card in (card for card in cards if card.column == MIDDLE):
        placed[card.key] = Placed(card, lefts[MIDDLE], y, column_widths[MIDDLE], _height(card))
        y += _height(card) + GAP
    for column in (LEFT, RIGHT):
        _follow([c for c in cards if c.column == column], wires, placed, lefts[column], column_widths[column])
    last = max((index for index in range(3) if column_widths[index]), default=0)
    return Drawing(
        width=lefts[last] + column_widths[last] + MARGIN,
        height=max((p.y + p.height for p in placed.values()), default=MARGIN) + MARGIN,
        cards=tuple(placed.values()),
        wires=tuple(_wired(wires, placed)),
    )


def _lefts(widths: Sequence[float]) -> list[float]:
    """Where columns begin: those that are empty take no room."""
    lefts: list[float] = []
    x: float = MARGIN
    for width in widths:
        lefts.append(x)
        x += width + GUTTER if width else 0
    return lefts


def _follow(
    cards: Sequence[Card], wires: Iterable[Wire], placed: dict[str, Placed], left: float, width: float
) -> None:
    """Place the cards of an outer column, each as near as there is room to what it is wired to."""
    anchors = _anchors(placed.values())
    wires = tuple(wires)

    def wish(card: Card) -> float:
        heights = []
        for number, key in enumerate([card.key, *(row.key for row in card.rows)]):
            own = HEADER / 2 if number == 0 else HEADER + PADDING / 2 + ROW * (number - 1) + ROW / 2
            for wire in wires:
                if key in (wire.one, wire.other):
                    other = wire.other if wire.one == key else wire.one
                    if other in anchors:
                        heights.append(anchors[other][1] - own)
        return sum(heights) / len(heights) if heights else 1e6

    wishes = {card.key: wish(card) for card in cards}
    y: float = MARGIN
    for card in sorted(cards, key=lambda card: wishes[card.key]):
        wanted = wishes[card.key]
        y = max(y, wanted) if wanted < 1e6 else y
        placed[card.key] = Placed(card, left, y, width, _height(card))
        y += _height(card) + GAP


def _anchors(cards: Iterable[Placed]) -> Mapping[str, tuple[Placed, float]]:
    """For each key its card and the height of its wires."""
    found: dict[str, tuple[Placed, float]] = {}
    for placed in cards:
        found[placed.card.key] = (placed, placed.y + HEADER / 2)
        for number, row in enumerate(placed.card.rows):
            found[row.key] = (placed, placed.row_y(number))
    return found


def _wired(
    wires: Iterable[Wire], placed: Mapping[str, Placed]
) -> Iterable[tuple[Wire, tuple[float, float], tuple[float, float], bool]]:
    anchors = _anchors(placed.values())
    for wire in wires:
        if wire.one not in anchors or wire.other not in anchors:
            continue
        (a, ya), (b, yb) = sorted((anchors[wire.one], anchors[wire.other]), key=lambda anchor: anchor[0].x)
        same = a.card.column == b.card.column
        yield wire, (a.x if same else a.x + a.width, ya), (b.x, yb), same


def _width(card: Card) -> float:
    heading = columns(card.title) * SANS * 1.1 + (columns(card.note) * 6.4 + 24 if card.note else 0) + 28
    names = max((columns(row.name) for row in card.rows), default=0)
    texts = max((columns(row.text) for row in card.rows), default=0)
    badges = max((badge_width(row.badge) for row in card.rows), default=0)
    body = 34 + names * MONO + (texts * 6.7 + 14 if texts else 0) + (badges + 14 if badges else 0)
    return max(LEAST_WIDTH, heading, body if card.rows else 0)


def _height(card: Card) -> float:
    return HEADER + (PADDING + ROW * len(card.rows) if card.rows else 0)
