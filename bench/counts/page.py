"""The page about speed, made from counts: goals and whether they are met, tables, and a chart. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.counts.names import (
    CONTAINERS,
    FIRST,
    HOST,
    IN,
    JACKFIELD_INTERNAL,
    JACKFIELD_NETKIT,
    JACKFIELD_VETH,
    LINUX_BRIDGE,
    NEXT,
    NIC,
    OUT,
    OVS_INTERNAL,
    UNICAST,
    VETH,
    PortKind,
    bond_name,
    path_name,
)
from bench.drawing import Bar, Panel, Widths, draw, style_of
from bench.goals import BONDS, FLOODING, INSTRUCTIONS, PROGRAM, RATES, Goal
from bench.goals import HOST as HOSTS_PORT
from bench.table import table_head, table_row

LIMIT = path_name(VETH, CONTAINERS)
KINDS = {
    CONTAINERS: "Container to container",
    HOST: "Container to host",
    NIC: "Host to NIC",
}
MOST_CONTAINERS, MOST_PROGRAM, MOST_BOND, SAME = 1700, 350, 60, 0.05
OVER_IPV6 = PortKind.BALANCE_TCP_IPV6
PLAIN = (PortKind.PLAIN, PortKind.PLAIN_IPV6)
BOND_KINDS = tuple(kind for kind in PortKind if kind not in PLAIN)
FLOOD_SHARE = 1.1
WIDTHS = Widths(206, 170, 60)

Counts = Mapping[str, Any]


def over_limit(paths: Mapping[str, Any], test: str, name: str) -> float:
    """Instructions a packet beyond those of a plain veth pair in the same test."""
    each = paths[test]
    return float(each[name]["middle"] - each[LIMIT]["middle"])


def over_plain(counts: Mapping[str, float], kind: PortKind, way: str, which: str) -> float:
    """Instructions of a frame that passes a bond beyond those of one that passes a plain port."""
    plain = PortKind.PLAIN_IPV6 if kind is OVER_IPV6 else PortKind.PLAIN
    return counts[bond_name(kind, way, which)] - counts[bond_name(plain, way, which)]


def goals(counts: Counts) -> Iterator[Goal]:
    """The goals about what was counted."""
    paths = counts.get("paths", {})
    for test in paths:
        found = over_limit(paths, test, path_name(JACKFIELD_INTERNAL, CONTAINERS))
        yield Goal(f"{KINDS[CONTAINERS]}, {test}, over {VETH}", MOST_CONTAINERS, found, INSTRUCTIONS, RATES)
        for kind in (HOST, NIC):
            for ours, of in ((JACKFIELD_INTERNAL, ""), (JACKFIELD_NETKIT, ", of netkit")):
                if path_name(ours, kind) not in paths[test]:
                    continue
                found = over_limit(paths, test, path_name(ours, kind))
                for peer in (OVS_INTERNAL, LINUX_BRIDGE):
                    if (name := path_name(peer, kind)) in paths[test]:
                        text = f"{KINDS[kind]}{of}, {test}: below {peer}"
                        yield Goal(text, over_limit(paths, test, name), found, INSTRUCTIONS, HOSTS_PORT)
    if flood := counts.get("flood"):
        most, found = FLOOD_SHARE * flood[LINUX_BRIDGE]["middle"], flood[JACKFIELD_VETH]["middle"]
        yield Goal(f"A flooded copy: {FLOOD_SHARE} times {LINUX_BRIDGE}", most, found, INSTRUCTIONS, FLOODING)
    program = counts.get("program", {}) | counts.get("scale", {})
    if UNICAST in program:
        yield Goal(
            "The program by itself, known unicast", MOST_PROGRAM, program[UNICAST], INSTRUCTIONS, PROGRAM
        )
        most = round(program[UNICAST] * (1 + SAME))
        for name, found in program.items():
            if name.endswith(("ports", "addresses", "VLANs", "bridges")):
                yield Goal(f"The program: {name}", most, found, INSTRUCTIONS, PROGRAM)
    if bonds := counts.get("bonds"):
        for kind in BOND_KINDS:
            found = max(over_plain(bonds, kind, way, which) for way in (OUT, IN) for which in (NEXT, FIRST))
            yield Goal(f"A bond: {kind}, over a plain port at most", MOST_BOND, found, INSTRUCTIONS, BONDS)


def markdown(counts: Counts, chart: str) -> Iterator[str]:
    """The tables and the chart's place."""
    paths = counts.get("paths", {})
    yield f"Linux {counts['kernel']}, {counts.get('date', '')}."
    yield ""
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
    if bonds := counts.get("bonds"):
        yield ""
        columns = [(way, which) for which in (NEXT, FIRST) for way in (OUT, IN)]
        heads = (f"{which} {way}" for way, which in columns)
        yield from table_head("A bond, instructions a frame over a plain port", *heads)
        for kind in BOND_KINDS:
            cells = (f"{over_plain(bonds, kind, way, which):+.0f}" for way, which in columns)
            yield table_row(kind, *cells)


def svg(counts: Counts) -> str:
    """What each switch adds to a packet on each way, as bars."""
    paths = counts["paths"]
    panels = []
    for test in paths:
        for kind, title in KINDS.items():
            bars = []
            for name in (each for each in paths[test] if each != LIMIT):
                peer, _, of_kind = name.partition(": ")
                if of_kind == kind:
                    added = over_limit(paths, test, name)
                    bars.append(Bar(peer, style_of(peer), added, added, added, f"{added:+.0f}"))
            panels.append(Panel(title, f"{test}, less is better", bars))
    said = f"Linux {counts['kernel']}, {counts.get('date', '')}: exact counts in an emulated machine"
    return draw(f"Instructions a packet over a {VETH}", panels, said, WIDTHS, columns=2)
