"""The page about speed, made from counts: goals and whether they are met, tables, and a chart. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from bench.counts.names import (
    CONTAINERS,
    HOST,
    JACKFIELD_INTERNAL,
    JACKFIELD_NETKIT,
    JACKFIELD_VETH,
    LINUX_BRIDGE,
    NIC,
    OVS_INTERNAL,
    OVS_VETH,
    VETH,
    path_name,
)
from bench.report import table_head, table_row

LIMIT = path_name(VETH, CONTAINERS)
KINDS = {
    CONTAINERS: "Container to container",
    HOST: "Container to an internal port of the host",
    NIC: "Internal port of the host to a NIC",
}
MOST_CONTAINERS, MOST_PROGRAM, SAME = 1700, 350, 0.05
FLOOD_SHARE = 1.1
UNICAST = "known unicast"

Counts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal and what was counted."""

    text: str
    goal: float
    counted: float

    @property
    def met(self) -> bool:
        return self.counted <= self.goal


def over_limit(paths: Mapping[str, Any], test: str, name: str) -> float:
    """Instructions a packet beyond those of a plain veth pair in the same test."""
    each = paths[test]
    return float(each[name]["middle"] - each[LIMIT]["middle"])


def goals(counts: Counts) -> Iterator[Goal]:
    """The goals about what was counted."""
    paths = counts.get("paths", {})
    for test in paths:
        found = over_limit(paths, test, path_name(JACKFIELD_INTERNAL, CONTAINERS))
        yield Goal(f"{KINDS[CONTAINERS]}, {test}, over {VETH}", MOST_CONTAINERS, found)
        for kind in (HOST, NIC):
            for ours, of in ((JACKFIELD_INTERNAL, ""), (JACKFIELD_NETKIT, ", of netkit")):
                if path_name(ours, kind) not in paths[test]:
                    continue
                found = over_limit(paths, test, path_name(ours, kind))
                for peer in (OVS_INTERNAL, LINUX_BRIDGE):
                    if (name := path_name(peer, kind)) in paths[test]:
                        text = f"{KINDS[kind]}{of}, {test}: below {peer}"
                        yield Goal(text, over_limit(paths, test, name), found)
    if flood := counts.get("flood"):
        most = FLOOD_SHARE * flood[LINUX_BRIDGE]["middle"]
        yield Goal(
            f"A flooded copy: {FLOOD_SHARE} times {LINUX_BRIDGE}", most, flood[JACKFIELD_VETH]["middle"]
        )
    program = counts.get("program", {}) | counts.get("scale", {})
    if UNICAST in program:
        yield Goal("The program by itself, known unicast", MOST_PROGRAM, program[UNICAST])
        for name, found in program.items():
            if name.endswith(("ports", "addresses", "VLANs", "bridges")):
                yield Goal(f"The program: {name}", round(program[UNICAST] * (1 + SAME)), found)


def markdown(counts: Counts, chart: str) -> Iterator[str]:
    """The tables and the chart's place."""
    paths = counts.get("paths", {})
    if paths:
        yield f"![Instructions a packet, over a plain veth pair]({chart})"
    for test, each in paths.items():
        yield ""
        yield from table_head(f"UDP, {test}", "instructions a packet", f"over {VETH}")
        for name, value in each.items():
            yield table_row(name, f"{value['middle']:.0f}", f"{over_limit(paths, test, name):+.0f}")
    if flood := counts.get("flood"):
        yield ""
        yield from table_head("A flooded frame", "instructions a copy")
        for name, value in flood.items():
            yield table_row(name, f"{value['middle']:.0f}")
    program = counts.get("program", {}) | counts.get("scale", {})
    if program:
        yield ""
        yield from table_head("The program by itself", "instructions a frame")
        for name, value in program.items():
            yield table_row(name, f"{value:.0f}")
    yield ""
    yield from table_head("Goal", "at most", "counted", "met")
    for goal in goals(counts):
        missed = f"**no**, by {goal.counted - goal.goal:.0f}"
        yield table_row(goal.text, f"{goal.goal:.0f}", f"{goal.counted:.0f}", "yes" if goal.met else missed)


LABELS, BARS, ROW, MARGIN = 250, 440, 22, 16
COLOURS = {
    JACKFIELD_INTERNAL: "#2f6f9f",
    JACKFIELD_NETKIT: "#4f9f8f",
    OVS_INTERNAL: "#c98d3c",
    OVS_VETH: "#e2bf8b",
    LINUX_BRIDGE: "#8a8a8a",
}
OTHERS = "#8fb3cc"


def svg(counts: Counts) -> str:
    """What each switch adds to a packet on each way, as bars: shorter is better."""
    paths = counts["paths"]
    test = next(iter(paths))
    added = {name: over_limit(paths, test, name) for name in paths[test] if name != LIMIT}
    longest = max(added.values())
    parts, y = [_text(MARGIN, MARGIN + 8, f"Instructions a packet over a {VETH}: UDP, {test}", "bold")], 40.0
    for kind, title in KINDS.items():
        parts.append(_text(MARGIN, y + 12, title, "bold"))
        y += ROW
        for name, value in added.items():
            peer, _, of_kind = name.partition(": ")
            if of_kind == kind:
                width = max(value, 0) / longest * BARS
                bar = f'<rect x="{LABELS}" y="{y:.0f}" width="{width:.0f}" height="{ROW - 6}"'
                parts.append(_text(MARGIN, y + 12, peer))
                parts.append(f'{bar} fill="{COLOURS.get(peer, OTHERS)}"/>')
                parts.append(_text(LABELS + width + 6, y + 12, f"+{value:.0f}"))
                y += ROW
        y += ROW / 2
    said = f"Linux {counts['kernel']}, {counts.get('date', '')}: exact counts in an emulated machine"
    parts.append(_text(MARGIN, y + 8, said))
    width, height = LABELS + BARS + 80, y + 24
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}"'
    paper = '<rect width="100%" height="100%" fill="#fff"/>'
    return "\n".join([f'{head} font-family="sans-serif" font-size="13">', paper, *parts, "</svg>", ""])


def _text(x: float, y: float, text: str, weight: str = "normal") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-weight="{weight}">{escape(text)}</text>'
