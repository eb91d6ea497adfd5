"""`jackfield port`: what can be done with single ports."""

from __future__ import annotations

import click

from jackfield.client import control


@click.group("port")
def port() -> None:
    """Do something with one port."""


@port.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Let a port that was disabled carry frames again."""
    print(control.call("jackfield/port-enable", name))
