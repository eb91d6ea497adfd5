"""`jackfield docker`: whether Docker can put containers on the switch by itself."""

from __future__ import annotations

import click

from jackfield.cli.shell.output import Column, show_json, show_table

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
_COLUMNS = (
    Column("network", style="bold"),
    Column("bridge"),
    Column("VLAN"),
    Column("gateways"),
    Column("containers", is_number=True),
)


@click.group("docker")
def docker() -> None:
    """Let Docker make networks on the switch."""


@docker.command("enable")
@click.option(
    "--name", default="jackfield", show_default=True, metavar="NAME", help="The driver's name in Docker."
)
def enable(name: str) -> None:
    """Serve Docker as a network driver from now on."""
    from jackfield.containers.docker_network import switching

    switching.enable(name)
    print(f"`docker network create -d {name} -o bridge=NAME --subnet A/N NETWORK` makes a network")


@docker.command("disable")
def disable() -> None:
    """Serve Docker no more; running containers keep their ports."""
    from jackfield.containers.docker_network import switching

    switching.disable()


@docker.command("status")
@_JSON
def status(as_json: bool) -> int:
    """Show whether Docker is served, and its networks."""
    from jackfield.containers.docker_network import switching

    found = switching.status()
    if as_json:
        show_json(found.as_json())
    elif not found.name:
        print("Docker is not served; `jackfield docker enable` changes that")
    else:
        state = "is served" if found.answers else "is not served yet: nobody answers"
        print(f"Docker {state} as network driver {found.name} on {found.socket}")
    if not as_json and found.networks:
        show_table(_COLUMNS, [row.cells() for row in found.networks])
    return 0 if found.answers or not found.name else 1
