"""The commands about logging (`vlog/*` in ovs-appctl(8))."""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.switchd.log import Vlog, VlogError
from jackfield.unixctl.commands import ANY_NUMBER, CommandError, CommandTable


class VlogCommands:
    """Sets and shows levels, patterns, the log file and the limits of rate."""

    def __init__(self, vlog: Vlog) -> None:
        self._vlog = vlog

    def register(self, commands: CommandTable) -> None:
        """Add the commands to the table."""
        commands.add(
            "vlog/set", "{spec | PATTERN:destination:pattern}", 0, ANY_NUMBER, self._set, changes=True
        )
        commands.add("vlog/list", "", 0, 0, lambda _args: self._vlog.listing())
        commands.add("vlog/list-pattern", "", 0, 0, lambda _args: self._vlog.pattern_listing())
        commands.add("vlog/reopen", "", 0, 0, self._reopen, changes=True)
        commands.add("vlog/close", "", 0, 0, self._close, changes=True)
        for verb, enabled in (("enable", True), ("disable", False)):

            def limit(args: Sequence[str], enabled: bool = enabled) -> str:
                return self._rate_limit(args, enabled)

            commands.add(f"vlog/{verb}-rate-limit", "[module]...", 0, ANY_NUMBER, limit, changes=True)

    def _set(self, args: Sequence[str]) -> str:
        try:
            for spec in args or ("dbg",):
                self._vlog.set(spec)
        except VlogError as error:
            raise CommandError(str(error)) from error
        return ""

    def _reopen(self, _args: Sequence[str]) -> str:
        try:
            self._vlog.reopen()
        except VlogError as error:
            raise CommandError(str(error)) from error
        return ""

    def _close(self, _args: Sequence[str]) -> str:
        self._vlog.close_file()
        return ""

    def _rate_limit(self, args: Sequence[str], enabled: bool) -> str:
        try:
            for module in args or ("ANY",):
                self._vlog.set_rate_limits(None if module.upper() == "ANY" else module, enabled)
        except VlogError as error:
            raise CommandError(str(error)) from error
        return ""
