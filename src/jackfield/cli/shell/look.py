"""The commands that show what the switch is and does."""

from __future__ import annotations

import click

from jackfield.cli.shell import topology, views
from jackfield.cli.shell.output import show_json, show_table
from jackfield.client import control as running

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


@click.command("status")
@_JSON
def status_command(as_json: bool) -> int:
    """Say whether the switch runs and what it lacks."""
    status = running.ask("jackfield/status")
    if as_json:
        show_json(status)
    else:
        views.show_status(status)
    return 0 if status.get("ready") and not status.get("trouble") else 1


@click.command("show")
@_JSON
def show_command(as_json: bool) -> None:
    """Show bridges and ports."""
    found = topology.bridges(topology.fetch())
    if as_json:
        show_json(topology.as_json(found))
    elif found:
        show_table(views.TOPOLOGY, views.topology_rows(found))
    else:
        print("no bridges; `jackfield vsctl add-br NAME` makes one")


@click.command("ports")
@_JSON
def ports_command(as_json: bool) -> None:
    """Show counters of ports and why frames were dropped."""
    answer = running.ask("jackfield/ports")
    if as_json:
        show_json(answer)
    else:
        views.show_ports(answer["ports"])


@click.command("fdb")
@click.argument("bridge", required=False)
@click.option("--stats", is_flag=True, help="Show how full the learning tables are, and by which ports.")
@_JSON
def fdb_command(bridge: str | None, stats: bool, as_json: bool) -> None:
    """Show the addresses that were learned, of all bridges or of one."""
    command = "jackfield/fdb-stats" if stats else "jackfield/fdb"
    answer = running.ask(command, *([bridge] if bridge is not None else []))
    if stats and not as_json:
        show_table(views.TABLES, views.table_rows(answer["bridges"]))
    elif as_json:
        show_json(answer)
    else:
        show_table(views.FDB, views.fdb_rows(answer["entries"]))


@click.command("check")
@_JSON
def check_command(as_json: bool) -> None:
    """Look at all that the switch has in the kernel and repair what somebody changed."""
    answer = running.ask("jackfield/check")
    if as_json:
        show_json(answer)
        return
    for step in answer["repaired"]:
        print(f"repaired: {step}")
    if not answer["repaired"]:
        print("all is as it should be; nothing had to be repaired")
