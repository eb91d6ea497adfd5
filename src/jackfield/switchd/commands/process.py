"""The commands about the process itself: `exit`, `vlog/*`, `coverage/show`, `memory/show` (ovs-appctl(8))."""

from __future__ import annotations

import resource
import time
from collections.abc import Awaitable, Callable, Sequence

from jackfield.switchd.commands.vlog import VlogCommands
from jackfield.switchd.engine import Engine
from jackfield.switchd.log import Vlog
from jackfield.unixctl.commands import CommandError, CommandTable


class ProcessCommands:
    """`leave(cleanup)` ends the daemon; it returns when what is to be cleaned up is."""

    def __init__(self, engine: Engine, vlog: Vlog, leave: Callable[[bool], Awaitable[None]]) -> None:
        self._engine = engine
        self._vlog = vlog
        self._leave = leave

    def register(self, commands: CommandTable) -> None:
        """Add the commands to the table."""
        commands.add("exit", "[--cleanup]", 0, 1, self._exit, changes=True)
        commands.add("coverage/show", "", 0, 0, self._coverage)
        commands.add("memory/show", "", 0, 0, self._memory)
        VlogCommands(self._vlog).register(commands)

    async def _exit(self, args: Sequence[str]) -> str:
        if args and args[0] != "--cleanup":
            raise CommandError(f'"exit" takes no argument but --cleanup, not "{args[0]}"')
        await self._leave(bool(args))
        return ""

    def _coverage(self, _args: Sequence[str]) -> str:
        return self._engine.coverage.listing(time.monotonic())

    def _memory(self, _args: Sequence[str]) -> str:
        outcome = self._engine.outcome
        sizes = {
            "bridges": len(outcome.bridges),
            "interfaces": len(outcome.interfaces),
            "peak-resident-kB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            "ports": len(outcome.ports),
        }
        return " ".join(f"{name}:{size}" for name, size in sizes.items())
