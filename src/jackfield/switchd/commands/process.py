"""The commands about the process itself: `exit`, `vlog/*`, `coverage/show`, `memory/show` (ovs-appctl(8))."""

from __future__ import annotations

import resource
import time
from collections.abc import Awaitable, Callable, Sequence

from jackfield.switchd.engine import Engine
from jackfield.switchd.log import Vlog, VlogError
from jackfield.unixctl.commands import ANY_NUMBER, CommandError, CommandTable


class ProcessCommands:
    """`leave(cleanup)` ends the daemon; it returns when what is to be cleaned up is."""

    def __init__(self, engine: Engine, vlog: Vlog, leave: Callable[[bool], Awaitable[None]]) -> None:
        self._engine = engine
        self._vlog = vlog
        self._leave = leave

    def register(self, commands: CommandTable) -> None:
        """Add the commands to the table."""
        commands.add("exit", "[--cleanup]", 0, 1, self._exit)
        commands.add("coverage/show", "", 0, 0, self._coverage)
        commands.add("memory/show", "", 0, 0, self._memory)
        commands.add("vlog/set", "{spec | PATTERN:destination:pattern}", 0, ANY_NUMBER, self._vlog_set)
        commands.add("vlog/list", "", 0, 0, lambda _args: self._vlog.listing())
        commands.add("vlog/list-pattern", "", 0, 0, lambda _args: self._vlog.pattern_listing())
        commands.add("vlog/reopen", "", 0, 0, self._vlog_reopen)
        commands.add("vlog/close", "", 0, 0, self._vlog_close)
        for verb, enabled in (("enable", True), ("disable", False)):

            def limit(args: Sequence[str], enabled: bool = enabled) -> str:
                return self._rate_limit(args, enabled)

            commands.add(f"vlog/{verb}-rate-limit", "[module]...", 0, ANY_NUMBER, limit)

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

    def _vlog_set(self, args: Sequence[str]) -> str:
        try:
            for spec in args or ("dbg",):
                self._vlog.set(spec)
        except VlogError as error:
            raise CommandError(str(error)) from error
        return ""

    def _vlog_reopen(self, _args: Sequence[str]) -> str:
        try:
            self._vlog.reopen()
        except VlogError as error:
            raise CommandError(str(error)) from error
        return ""

    def _vlog_close(self, _args: Sequence[str]) -> str:
        self._vlog.close_file()
        return ""

    def _rate_limit(self, args: Sequence[str], enabled: bool) -> str:
        try:
            for module in args or ("ANY",):
                self._vlog.set_rate_limits(None if module.upper() == "ANY" else module, enabled)
        except VlogError as error:
            raise CommandError(str(error)) from error
        return ""
