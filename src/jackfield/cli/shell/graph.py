"""`graph`: a picture of the switch, or of what a file describes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from jackfield.cli.shell.output import show_json
from jackfield.client.errors import Failure

if TYPE_CHECKING:
    from jackfield.topology.graph.scene import Scene

FORMATS = ("text", "svg", "mermaid", "json")
VIEWS = ("l2", "l3", "both")
HEADINGS = {"l2": "L2: bridges, ports, VLANs", "l3": "L3: who has which address where"}


@click.command("graph")
@click.argument("file", required=False)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--view", type=click.Choice(VIEWS), default="both", show_default=True, help="Ports, addresses.")
@click.option("-o", "--output", metavar="FILE", help="Write it there instead of printing it.")
def graph_command(file: str | None, form: str, view: str, output: str | None) -> None:
    """Draw the switch with all that is on it, or what FILE describes."""
    views = VIEWS[:2] if view == "both" else (view,)
    found = _live() if file is None else _described(file)
    if form == "json":
        show_json(_json(found, views))
        return
    made = _drawn(found, form, views)
    if output is None:
        # A terminal that cannot show a character shows a question mark.
        encoding = sys.stdout.encoding or "utf-8"
        print(made.encode(encoding, "replace").decode(encoding), end="")
        return
    from pathlib import Path

    try:
        Path(output).write_text(made, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{output}: {error.strerror}") from error


def _live() -> Scene:
    from jackfield.topology import containers
    from jackfield.topology.apply import Present, open_database
    from jackfield.topology.graph.live import facts
    from jackfield.topology.graph.scene import scene
    from jackfield.topology.present import netns_paths
    from jackfield.topology.views import container_views

    with open_database() as database:
        present = Present(database)
        paths = netns_paths(database.tables) | containers.netns_paths(database)
        views = container_views(paths) | present.views
        return scene(present.network, facts(database.tables, views))


def _described(file: str) -> Scene:
    from jackfield.cli.shell.files import wanted_network
    from jackfield.topology.graph.scene import scene

    return scene(wanted_network(file))


def _json(found: Scene, views: tuple[str, ...]) -> object:
    from dataclasses import asdict

    from jackfield.topology.graph.subnets import subnets

    made = asdict(found) if "l2" in views else {}
    if "l3" in views:
        made["subnets"] = [
            {
                "network": subnet.network,
                "segment": subnet.segment,
                "addresses": [
                    {"host": leg.host.name, "device": leg.device.name, "address": leg.address}
                    for leg in subnet.legs
                ],
            }
            for subnet in subnets(found)
        ]
    return made


def _drawn(found: Scene, form: str, views: tuple[str, ...]) -> str:
    if form == "svg":
        from jackfield.topology.graph import pictures, svg

        draw = {"l2": pictures.l2, "l3": pictures.l3}
        return svg.render([(HEADINGS[view] if len(views) > 1 else "", draw[view](found)) for view in views])
    if form == "mermaid":
        from jackfield.topology.graph import mermaid

        if len(views) > 1:
            return mermaid.both(found, (HEADINGS["l2"], HEADINGS["l3"]))
        make = {"l2": mermaid.l2, "l3": mermaid.l3}
    else:
        from jackfield.topology.graph import text

        make = {"l2": text.l2, "l3": text.l3}
    return "\n".join(part for view in views if (part := make[view](found)))
