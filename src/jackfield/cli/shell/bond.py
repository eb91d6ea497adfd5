"""`jackfield bond`: the bonds, their members and how load is spread over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from jackfield.cli.shell.output import Column, show_json, show_table
from jackfield.client import control
from jackfield.client.errors import Failure

_COLUMNS = (
    Column("Bond", style="bold"),
    Column("Mode"),
    Column("LACP"),
    Column("Member", style="bold cyan"),
    Column("Link", style="green"),
    Column("State"),
    Column("Partner"),
    Column("Share", is_number=True),
)


@click.command("bond")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def bond_command(name: str | None, as_json: bool) -> None:
    """Show bonds, or one: which members carry frames, and how many of the 256 shares of the load."""
    bonds = [bond for bond in control.ask("jackfield/bonds")["bonds"] if name in (None, bond["name"])]
    if name is not None and not bonds:
        raise Failure(f"there is no bond {name}; `jackfield bond` lists those that are there")
    if as_json:
        show_json({"bonds": bonds})
    elif bonds:
        show_table(_COLUMNS, list(_rows(bonds)))
    else:
        print("no bonds; `jackfield vsctl add-bond BRIDGE BOND DEVICE DEVICE` makes one")


def _rows(bonds: Sequence[Mapping[str, Any]]) -> Iterator[list[object]]:
    for bond in bonds:
        balanced = bond["mode"] != "active-backup" and not bond["fallback"]
        for member in bond["members"]:
            yield [
                bond["name"],
                bond["mode"] + (", falling back to active-backup" if bond["fallback"] else ""),
                bond["lacp"],
                member["name"],
                member["link"],
                _state(member),
                member["partner"],
                member["buckets"] if balanced else None,
            ]


def _state(member: Mapping[str, Any]) -> str:
    if member["active"]:
        return "active"
    return "enabled" if member["enabled"] else "disabled"
