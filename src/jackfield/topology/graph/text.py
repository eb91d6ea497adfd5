"""Pictures for a terminal, of box-drawing characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import category, east_asian_width

from jackfield.topology.graph.scene import PortNode, Scene
from jackfield.topology.graph.subnets import Subnet, subnets
from jackfield.topology.graph.words import host_name, port_note

Row = tuple[Sequence[str], str]
"""The cells of a line in a box, and what the line leads to."""


def l2(scene: Scene) -> str:
    """Bridges as boxes, a line a port, and what is at its other end."""
    bridge_of = {port.name: bridge.name for bridge in scene.bridges for port in bridge.ports}
    boxes = []
    for bridge in scene.bridges:
        rows: list[Row] = []
        for port in bridge.ports:
            note = port_note(port) + (" (down)" if port.up is False else "")
            cells = (port.name, note, port.vlan)
            rows.append((cells, _far(port, bridge_of)))
            rows += [((f"  {member}", "member", ""), "") for member in port.members]
        boxes.append(_box(f"bridge {bridge.name}", rows))
    for one, other in scene.cables:
        ends = " ─── ".join(f"{host_name(end.namespace)}: {end.device}" for end in (one, other))
        boxes.append(f"cable  {ends}\n")
    return "\n".join(map(_safe, boxes))


def l3(scene: Scene) -> str:
    """Subnets as boxes, a line an address, and who has it."""
    return "\n".join(_safe(_subnet(subnet)) for subnet in subnets(scene))


def _subnet(subnet: Subnet) -> str:
    rows: list[Row] = [
        (
            (leg.address.partition("/")[0],),
            f"{host_name(leg.host.name)}: {leg.device.name}"
            + ("  (forwards)" if leg.host.forwarding else ""),
        )
        for leg in subnet.legs
    ]
    return _box(f"{subnet.network}" + (f"  {subnet.segment}" if subnet.segment else ""), rows)


def _far(port: PortNode, bridge_of: dict[str, str]) -> str:
    if port.error:
        return f"! {port.error}"
    if port.peer:
        return f"bridge {bridge_of[port.peer]}: {port.peer}" if port.peer in bridge_of else f"? {port.peer}"
    if port.far is not None:
        return f"{host_name(port.far.namespace)}: {port.far.device}"
    return "outside" if port.kind in ("system", "bond") else ""


def _box(title: str, rows: Sequence[Row]) -> str:
    columns = range(max((len(cells) for cells, _ in rows), default=0))
    widths = [max(_width(cells[index]) for cells, _ in rows) for index in columns]
    inner = max(sum(widths) + 2 * max(0, len(widths) - 1), _width(title) + 2)
    lines = [f"╭─ {title} {'─' * (inner - _width(title) - 1)}╮"]
    for cells, far in rows:
        body = "  ".join(_padded(cell, width) for cell, width in zip(cells, widths, strict=True))
        body = _padded(body, inner)
        lines.append(f"│ {body} ├── {far}" if far else f"│ {body} │")
    lines.append(f"╰{'─' * (inner + 2)}╯")
    return "\n".join(lines) + "\n"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if east_asian_width(char) in "WF" else 0 if category(char) == "Mn" else 1 for char in text)


def _safe(text: str) -> str:
    """Without characters that would do something to a terminal."""
    return "".join(char if char == "\n" or category(char)[0] != "C" else "�" for char in text)


def both(scene: Scene) -> str:
    """One view below the other."""
    parts: Iterable[str] = (part for part in (l2(scene), l3(scene)) if part)
    return "\n".join(parts)
