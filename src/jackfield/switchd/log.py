"""Log lines in Open vSwitch's form, with its levels by module and destination (vlog in ovs-appctl(8)).

Every module of the program logs through Python's `logging`; a logger's name without the package, dots made
underscores, is the module's name here.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from jackfield.switchd.logpattern import (
    DEFAULT_PATTERNS,
    PROGRAM,
    Destination,
    Level,
    Line,
    render,
    syslog_priority,
)
from jackfield.switchd.ratelimit import RateLimiter, Verdict

_PACKAGE = "jackfield."
_SYSLOG_SOCKET = "/dev/log"
_FACILITY_NAMES = (
    "kern, user, mail, daemon, auth, syslog, lpr, news, uucp, clock, authpriv, ftp, ntp, audit, alert, "
    "clock2, local0, local1, local2, local3, local4, local5, local6, local7"
)
_FACILITIES = {name: number << 3 for number, name in enumerate(_FACILITY_NAMES.split(", "))}
_PYTHON = {
    Level.OFF: logging.CRITICAL + 10,
    Level.EMER: logging.CRITICAL,
    Level.ERR: logging.ERROR,
    Level.WARN: logging.WARNING,
    Level.INFO: logging.INFO,
    Level.DBG: logging.DEBUG,
}


class VlogError(ValueError):
    """A `vlog` specification that cannot be followed; the text is OVS's."""


def module_of(logger_name: str) -> str:
    """The name that a logger has in log lines and in `vlog` commands."""
    return logger_name.removeprefix(_PACKAGE).replace(".", "_")


def level_of(number: int) -> Level:
    """The level of a Python logging level."""
    if number >= logging.CRITICAL:
        return Level.EMER
    if number >= logging.ERROR:
        return Level.ERR
    if number >= logging.WARNING:
        return Level.WARN
    return Level.INFO if number >= logging.INFO else Level.DBG


class Vlog(logging.Handler):
    """The one log handler of the daemon: decides by module and destination, formats, writes.

    A line that repeats itself word for word, or a kind of line that comes in masses, is limited in rate, and
    the next one of it says how many were left out.
    """

    def __init__(self, console: TextIO | None = None, program: str = PROGRAM) -> None:
        super().__init__()
        self._program = program
        self._console = console or sys.stderr
        self._defaults = {
            Destination.CONSOLE: Level.INFO,
            Destination.SYSLOG: Level.ERR,
            Destination.FILE: Level.INFO,
        }
        self._levels: dict[tuple[str, Destination], Level] = {}
        self._patterns = dict(DEFAULT_PATTERNS)
        self._facility = _FACILITIES["daemon"]
        self._path: Path | None = None
        self._file: TextIO | None = None
        self._syslog: socket.socket | None = None
        self._number = 0
        self._started = time.monotonic()
        self._host = socket.gethostname()
        self._same = RateLimiter(burst=5, per_minute=5)
        self._kind = RateLimiter(burst=2000, per_minute=600)
        self._unlimited: set[str] = set()

    def install(self) -> None:
        """Become the handler of all loggers of this process."""
        root = logging.getLogger()
        root.handlers[:] = [self]
        self._apply()

    # -- destinations -----------------------------------------------------------------------------

    def open_file(self, path: Path) -> None:
        """Log to `path` from now on, or reopen it; the line before and after say so. Raises OSError."""
        file = path.open("a", encoding="utf-8", errors="backslashreplace")
        log = logging.getLogger("jackfield.vlog")
        with self.lock or threading.RLock():
            old = self._file
            if old is not None:
                if os.path.sameopenfile(old.fileno(), file.fileno()):
                    file.close()
                    return
                log.info("closing log file")
                old.close()
            self._path, self._file = path, file
        log.info("opened log file %s", path)

    def reopen(self) -> None:
        """Reopen the log file, after it was rotated. Raises VlogError."""
        if self._path is None:
            raise VlogError("Logging to file not configured")
        try:
            self.open_file(self._path)
        except OSError as error:
            raise VlogError(os.strerror(error.errno or 0)) from error

    def close_file(self) -> None:
        """Stop logging to the file until it is reopened."""
        with self.lock or threading.RLock():
            if self._file is not None:
                self._file.close()
                self._file = None

    def close(self) -> None:
        """Log no more, and let go of what was open."""
        self.close_file()
        if self._syslog is not None:
            self._syslog.close()
            self._syslog = None
        super().close()

    # -- levels -----------------------------------------------------------------------------------

    def modules(self) -> list[str]:
        """The names of all modules that can log."""
        manager = logging.getLogger().manager
        loggers = list(manager.loggerDict.items())
        return sorted(
            {
                module_of(name)
                for name, each in loggers
                if isinstance(each, logging.Logger) and not name.startswith("concurrent.")
            }
        )

    def level_at(self, module: str, destination: Destination) -> Level:
        """The level of a module at a destination."""
        return self._levels.get((module, destination), self._defaults[destination])

    def set_level(self, module: str | None, destination: Destination | None, level: Level) -> None:
        """Set a level; None stands for all modules or all destinations."""
        for each in Destination if destination is None else (destination,):
            if module is not None:
                self._levels[module, each] = level
                continue
            self._defaults[each] = level
            for key in [key for key in self._levels if key[1] is each]:
                del self._levels[key]
        self._apply()

    def set(self, spec: str) -> None:
        """Follow one argument of `vlog/set` (ovs-appctl(8)). Raises VlogError."""
        words = spec.replace(",", " ").replace(":", " ").replace("\t", " ").split(" ")
        words = [word for word in words if word]
        head = words[0].upper() if words else ""
        if head == "PATTERN":
            self._set_pattern(spec, words)
        elif head == "FACILITY":
            facility = _FACILITIES.get(words[1].lower()) if len(words) == 2 else None
            if facility is None:
                raise VlogError("invalid facility")
            self._facility = facility
        else:
            self.set_level(*self._parse(words))

    def set_rate_limits(self, module: str | None, enabled: bool) -> None:
        """Limit the rate of a module's lines or not; None stands for all modules. Raises VlogError."""
        modules = set(self.modules())
        if module is not None:
            if module.lower() not in modules:
                raise VlogError("unknown module")
            modules = {module.lower()}
        self._unlimited = self._unlimited - modules if enabled else self._unlimited | modules

    def listing(self) -> str:
        """The text of `vlog/list`."""
        lines = [
            "                 console    syslog    file\n",
            "                 -------    ------    ------\n",
        ]
        for module in self.modules():
            names = [self.level_at(module, destination).name for destination in Destination]
            line = f"{module:<16}  {names[0]:>4}       {names[1]:>4}       {names[2]:>4}"
            lines.append(line + ("    (rate limiting disabled)\n" if module in self._unlimited else "\n"))
        return "".join(lines)

    def pattern_listing(self) -> str:
        """The text of `vlog/list-pattern`."""
        lines = [
            "         prefix                            format\n",
            "         ------                            ------\n",
        ]
        for destination, pattern in self._patterns.items():
            lines.append(f"{destination.name.lower():<7}  {'none':<32}  {pattern}\n")
        return "".join(lines)

    def _set_pattern(self, spec: str, words: list[str]) -> None:
        if len(words) < 2:
            raise VlogError("missing destination")
        destination = _destination(words[1])
        if destination is None and words[1].upper() != "ANY":
            raise VlogError(f'unknown destination "{words[1]}"')
        pattern = spec[spec.index(words[1], len("PATTERN")) + len(words[1]) + 1 :]
        for each in Destination if destination is None else (destination,):
            self._patterns[each] = pattern

    def _parse(self, words: list[str]) -> tuple[str | None, Destination | None, Level]:
        module: str | None = None
        destination: Destination | None = None
        level: Level | None = None
        modules = self.modules()
        for word in words:
            if word.upper() == "ANY":
                continue
            if (found := _destination(word)) is not None:
                if destination is not None:
                    raise VlogError("cannot specify multiple destinations")
                destination = found
            elif word.upper() in Level.__members__:
                if level is not None:
                    raise VlogError("cannot specify multiple levels")
                level = Level[word.upper()]
            elif word.lower() in modules:
                if module is not None:
                    raise VlogError("cannot specify multiple modules")
                module = word.lower()
            else:
                raise VlogError(f'no destination, level, or module "{word}"')
        return module, destination, Level.DBG if level is None else level

    def _apply(self) -> None:
        """Let Python's loggers drop at once what no destination wants."""
        root = logging.getLogger()
        root.setLevel(_PYTHON[max(self._defaults.values())])
        for name, logger in list(root.manager.loggerDict.items()):
            if isinstance(logger, logging.Logger):
                module = module_of(name)
                logger.setLevel(_PYTHON[max(self.level_at(module, each) for each in Destination)])

    # -- lines ------------------------------------------------------------------------------------

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record wherever it is wanted; called with the handler's lock held."""
        try:
            module, level = module_of(record.name), level_of(record.levelno)
            message = record.getMessage()
            if record.exc_info and record.exc_info[1] is not None:
                message += f" ({_brief(record.exc_info[1])})"
        except Exception as error:
            module, level, message = "vlog", Level.ERR, f"cannot format a line of {record.name}: {error!r}"
        if module not in self._unlimited:
            now = time.monotonic()
            verdict = self._same.admit((module, message), now)
            if verdict.admitted and not verdict.note:
                kind = self._kind.admit((record.name, record.msg if isinstance(record.msg, str) else ""), now)
                verdict = Verdict(kind.admitted, kind.note)
            if not verdict.admitted:
                return
            if verdict.note:
                self._write(module, level, verdict.note, record)
        self._write(module, level, message, record)

    def _write(self, module: str, level: Level, message: str, record: logging.LogRecord) -> None:
        self._number += 1
        thread = "" if record.threadName in (None, "MainThread") else str(record.threadName)
        line = Line(
            module,
            level,
            message,
            self._number,
            record.created,
            time.monotonic() - self._started,
            os.getpid(),
            self._host,
            thread,
            self._program,
        )
        for destination in Destination:
            if level <= self.level_at(module, destination):
                # A full disk or a closed terminal must not stop the switch.
                with suppress(OSError, ValueError):
                    self._send(destination, line)

    def _send(self, destination: Destination, line: Line) -> None:
        text = render(self._patterns[destination], line, self._facility)
        if destination is Destination.SYSLOG:
            if self._syslog is None:
                self._syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            header = f"<{syslog_priority(line.level, self._facility)}>{self._program}: "
            self._syslog.sendto((header + text).encode(errors="backslashreplace"), _SYSLOG_SOCKET)
            return
        stream = self._console if destination is Destination.CONSOLE else self._file
        if stream is not None:
            stream.write(text + "\n")
            stream.flush()


def _destination(word: str) -> Destination | None:
    return Destination.__members__.get(word.upper())


def _brief(error: BaseException) -> str:
    """An exception on one line, with where it came from."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return f"{type(error).__name__}: {error}{where}"
