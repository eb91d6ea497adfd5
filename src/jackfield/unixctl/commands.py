"""The table of commands behind a control socket, with the argument rules and texts of ovs-appctl(8)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import isawaitable

ANY_NUMBER = 1 << 30

Handler = Callable[[Sequence[str]], str | Awaitable[str]]


class CommandError(Exception):
    """A command cannot be done; the text is what the user reads."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `usage` describes its arguments for `list-commands`; None hides the command. One that
    `changes` something is worth a line in the log."""

    name: str
    usage: str | None
    min_args: int
    max_args: int
    handler: Handler
    changes: bool = False


class CommandTable:
    """The commands of one server; it starts with `list-commands` and `version`."""

    def __init__(self, version: str) -> None:
        self._commands: dict[str, Command] = {}
        self.add("list-commands", "", 0, 0, lambda _args: self.listing())
        self.add("version", "", 0, 0, lambda _args: version)

    def add(
        self,
        name: str,
        usage: str | None,
        min_args: int,
        max_args: int,
        handler: Handler,
        *,
        changes: bool = False,
    ) -> None:
        """Register a command; raises ValueError when the name is taken."""
        if name in self._commands:
            raise ValueError(f"command {name} is registered twice")
        self._commands[name] = Command(name, usage, min_args, max_args, handler, changes)

    def listing(self) -> str:
        """The text of `list-commands`."""
        lines = [
            f"  {command.name:<23} {command.usage}\n"
            for _name, command in sorted(self._commands.items())
            if command.usage is not None
        ]
        return "The available commands are:\n" + "".join(lines)

    def changes(self, name: str) -> bool:
        """Whether there is such a command and it changes something."""
        command = self._commands.get(name)
        return command is not None and command.changes

    async def run(self, name: str, args: Sequence[object]) -> str:
        """The output of a command; raises CommandError with the text for the user."""
        command = self._commands.get(name)
        if command is None:
            raise CommandError(
                f'"{name}" is not a valid command (use "list-commands" to see a list of valid commands)'
            )
        if len(args) < command.min_args:
            raise CommandError(f'"{name}" command requires at least {command.min_args} arguments')
        if len(args) > command.max_args:
            raise CommandError(f'"{name}" command takes at most {command.max_args} arguments')
        strings = [arg for arg in args if isinstance(arg, str)]
        if len(strings) != len(args):
            raise CommandError(f'"{name}" command has non-string argument')
        output = command.handler(strings)
        return await output if isawaitable(output) else output
