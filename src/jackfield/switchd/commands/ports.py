"""The commands about single ports."""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.net.errors import NetworkError
from jackfield.switchd.engine import Engine
from jackfield.switchd.loops.runtime import Loops
from jackfield.unixctl.commands import CommandError, CommandTable


class PortCommands:
    """The ports of one switch."""

    def __init__(self, engine: Engine, loops: Loops) -> None:
        self._engine = engine
        self._loops = loops

    def register(self, commands: CommandTable) -> None:
        """Add the commands to the table."""
        commands.add("jackfield/port-enable", "port", 1, 1, self._enable)

    async def _enable(self, args: Sequence[str]) -> str:
        port = next((each for each in self._engine.outcome.ports if each.name == args[0] and each.id), None)
        if port is None:
            raise CommandError(f"there is no port {args[0]}")
        if port.disabled is None:
            return f"port {port.name} is not disabled"
        try:
            await self._loops.enable(port)
        except NetworkError as error:
            raise CommandError(str(error)) from error
        return f"port {port.name} carries frames again"
