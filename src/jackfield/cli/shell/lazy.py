"""A group of commands whose modules are loaded when they are used: most commands should start at once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """`lazy` says for each name which command it is: MODULE:ATTRIBUTE, the module beside this one."""

    def __init__(self, *args: Any, lazy: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._lazy = lazy

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *self._lazy})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in self._lazy and name not in self.commands:
            module, _, attribute = self._lazy[name].partition(":")
            found = getattr(import_module(f"jackfield.cli.shell.{module}"), attribute)
            assert isinstance(found, click.Command)
            self.add_command(found, name)
        return super().get_command(context, name)


def rich_help(group: type[click.Group]) -> type[click.Group]:
    """The same kind of group with help in panels and colours."""
    from rich_click import RichGroup

    return type(f"Rich{group.__name__}", (group, RichGroup), {})
