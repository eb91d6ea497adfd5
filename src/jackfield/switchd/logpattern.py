"""The pattern language of log lines (ovs-appctl(8), `vlog/set PATTERN:destination:pattern`): pure."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from enum import IntEnum

PROGRAM = "ovs-vswitchd"


class Level(IntEnum):
    """How much a line matters; a destination takes lines up to its own level."""

    OFF = 0
    EMER = 1
    ERR = 2
    WARN = 3
    INFO = 4
    DBG = 5


class Destination(IntEnum):
    """Where lines go."""

    CONSOLE = 0
    SYSLOG = 1
    FILE = 2


DEFAULT_PATTERNS = {
    Destination.CONSOLE: "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m",
    Destination.SYSLOG: "ovs|%05N|%c%T|%p|%m",
    Destination.FILE: "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m",
}
_SYSLOG_SEVERITY = {Level.EMER: 1, Level.ERR: 3, Level.WARN: 4, Level.INFO: 6, Level.DBG: 7}
WIDEST = 1000
"""Characters to which a field can be filled up: a line is to be written whatever the pattern says."""
_DATE = "%Y-%m-%d %H:%M:%S.###"
_FIELD = re.compile(r"%(?P<left>-?)(?P<zero>0?)(?P<width>\d*)(?P<letter>.)(?P<brace>\{[^}]*\})?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One line to be logged. `when` is seconds since the epoch, `since_start` since the daemon started;
    `subprogram` names the thread, empty for the main one."""

    module: str
    level: Level
    message: str
    number: int
    when: float
    since_start: float
    pid: int
    host: str
    subprogram: str = ""
    program: str = PROGRAM


def syslog_priority(level: Level, facility: int) -> int:
    """The <priority> of a syslog message (RFC 5424 section 6.2.1); `facility` is already shifted."""
    return facility + _SYSLOG_SEVERITY.get(level, 7)


def render(pattern: str, line: Line, facility: int = 16 << 3) -> str:
    """The text of `line` in `pattern`, on one line whatever the message holds."""

    def field(found: re.Match[str]) -> str:
        letter, brace = found["letter"], found["brace"]
        text = _field(letter, (brace or "")[1:-1], line, facility)
        width = min(int(found["width"][:6] or 0), WIDEST)
        fill = "0" if found["zero"] else " "
        text = text.ljust(width) if found["left"] else text.rjust(width, fill)
        return text + brace if brace and letter not in "cdD" else text

    return _FIELD.sub(field, pattern)


def _field(letter: str, brace: str, line: Line, facility: int) -> str:
    match letter:
        case "A":
            return line.program
        case "B":
            return str(syslog_priority(line.level, facility))
        case "c":
            return line.module
        case "d":
            return _strftime(brace or _DATE, line.when, time.localtime(line.when))
        case "D":
            return _strftime(brace or _DATE, line.when, time.gmtime(line.when))
        case "E":
            return line.host
        case "m":
            return line.message.rstrip("\n").replace("\n", " ")
        case "N":
            return str(line.number)
        case "n":
            return "\n"
        case "p":
            return line.level.name
        case "P":
            return str(line.pid)
        case "r":
            return str(int(line.since_start * 1000))
        case "t":
            return line.subprogram or "main"
        case "T":
            return f"({line.subprogram})" if line.subprogram else ""
    return letter


def _strftime(template: str, when: float, parts: time.struct_time) -> str:
    return time.strftime(template, parts).replace("###", f"{int(when * 1000) % 1000:03d}")
