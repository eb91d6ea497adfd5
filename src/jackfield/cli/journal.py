"""The messages of OVS's tools: on stderr, in the system log and in a file, each down to a level (vlog(7))."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Sequence

from jackfield.cli.environment import logdir, printable
from jackfield.cli.options import Argument

LEVELS = ("off", "emer", "err", "warn", "info", "dbg")
DESTINATIONS = ("console", "syslog", "file")
LOGGING_OPTIONS = {
    "verbose": Argument.OPTIONAL,
    "log-file": Argument.OPTIONAL,
    "syslog-method": Argument.REQUIRED,
    "syslog-target": Argument.REQUIRED,
}
"""The options of every tool about its messages."""

_DAEMON, _LOCAL0 = 3, 16
_SEVERITIES = {"emer": 1, "err": 3, "warn": 4, "info": 5, "dbg": 7}

Send = Callable[[int, str], None]
"""Sends a severity of syslog and a text."""


class JournalError(Exception):
    """An option about messages cannot be obeyed, so the tool ends; the text is empty if that is logged."""


class Thresholds:
    """The least urgent level that each destination takes, for all modules and for single ones."""

    def __init__(self) -> None:
        self._levels = {name: {"": "warn" if name == "console" else "info"} for name in DESTINATIONS}
        self.apply("reconnect:warn")

    def apply(self, spec: str) -> None:
        """Take on a SPEC of --verbose; patterns and facilities in it are accepted and change nothing."""
        if spec.lower().startswith(("pattern:", "facility:")):
            return
        words = [word for word in spec.replace(",", ":").replace(" ", ":").split(":") if word]
        level, module = "dbg", ""
        names: Sequence[str] = DESTINATIONS
        for word in words:
            if word.lower() in DESTINATIONS:
                names = (word.lower(),)
            elif word.lower() in LEVELS:
                level = word.lower()
            elif word.lower() != "any":
                module = word
        for name in names:
            self.put(name, module, level)

    def put(self, destination: str, module: str, level: str) -> None:
        """Set the level of one module, or of all when `module` is empty."""
        if module:
            self._levels[destination][module] = level
        else:
            self._levels[destination] = {"": level}

    def takes(self, destination: str, module: str, level: str) -> bool:
        """Whether a message goes to that destination."""
        levels = self._levels[destination]
        return LEVELS.index(level) <= LEVELS.index(levels.get(module, levels[""]))


class Journal:
    """Numbers messages and brings each to where it belongs."""

    def __init__(self, program: str, thresholds: Thresholds | None = None) -> None:
        self._program = program
        self._thresholds = thresholds or Thresholds()
        self._number = 0
        self._file: int | None = None
        self._syslog: Send | None = None
        self._target: Callable[[str, str, str], None] | None = None
        self._is_advised = True

    def error(self, module: str, text: str) -> None:
        """A message of level ERR, in the name of one of OVS's modules."""
        self.log("err", module, text)

    def warn(self, module: str, text: str) -> None:
        """A message of level WARN."""
        self.log("warn", module, text)

    def info(self, module: str, text: str) -> None:
        """A message of level INFO."""
        self.log("info", module, text)

    def log(self, level: str, module: str, text: str) -> None:
        """A message of any of LEVELS but "off"."""
        wanted = [name for name in DESTINATIONS if self._thresholds.takes(name, module, level)]
        if self._file is None:
            wanted = [name for name in wanted if name != "file"]
        if not wanted:
            return
        if not self._is_advised:
            self._is_advised = True
            self.warn("vlog", "--syslog-target flag is deprecated, use --syslog-method instead")
        self._number += 1
        body = f"{self._number:05d}|{module}|{level.upper()}|{printable(text)}"
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        milliseconds = int(now * 1000) % 1000
        if "console" in wanted:
            print(f"{stamp}Z|{body}", file=sys.stderr, flush=True)
        if "file" in wanted and self._file is not None:
            os.write(self._file, f"{stamp}.{milliseconds:03d}Z|{body}\n".encode())
        if "syslog" in wanted:
            self._to_syslog(_SEVERITIES[level], body)
            if self._target is not None:
                severity = _LOCAL0 << 3 | _SEVERITIES[level]
                head = f"<{severity}>1 {stamp}.{milliseconds:03d}Z {os.uname().nodename} {self._program}"
                self._target(head, module, printable(text))

    def _to_syslog(self, severity: int, body: str) -> None:
        if self._syslog is None:
            self._syslog = _libc(self._program)
        self._syslog(severity, f"ovs|{body}")

    def open_file(self, path: str) -> None:
        """Also write to that file; a message says whether that works, and JournalError when it does not."""
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o660)
        except OSError as error:
            self.warn("vlog", f"failed to open {path} for logging: {error.strerror}")
            raise JournalError("") from error
        self.info("vlog", f"opened log file {path}")

    def use_method(self, method: str) -> None:
        """Reach the system log by `libc`, `null`, `unix:PATH` or `udp:IP:PORT`; raises JournalError."""
        kind, _, rest = method.partition(":")
        if method == "null":
            self._syslog = _drop
        elif method == "libc":
            self._syslog = _libc(self._program)
        elif kind == "unix" and rest:
            self._syslog = _datagrams(socket.AF_UNIX, rest)
        elif kind == "udp" and (address := _address(rest)) is not None:
            self._syslog = _datagrams(socket.AF_INET, address)
        else:
            raise JournalError(f"unsupported syslog method '{method}'")

    def use_target(self, target: str) -> None:
        """Also send messages to a syslog server over UDP, in the form of RFC 5424."""
        address = _address(target)
        if address is None:
            self.error("socket_util", f"{target}: port must be specified")
            return
        send = _datagram_socket(socket.AF_INET, address)

        def deliver(head: str, module: str, text: str) -> None:
            send(f"{head} {os.getpid()} {module} - \ufeff{text}".encode())

        self._target = deliver
        self._is_advised = False


def open_journal(program: str, options: Sequence[tuple[str, str | None]]) -> Journal:
    """The journal that the options of a command line, as `options.parse` gives them, ask for.

    Raises JournalError.
    """
    thresholds = Thresholds()
    journal = Journal(program, thresholds)
    if method := os.environ.get("OVS_SYSLOG_METHOD"):
        journal.use_method(method)
    for name, value in options:
        match name:
            case "verbose":
                thresholds.apply(value or "")
            case "no-syslog":
                thresholds.put("syslog", "vsctl", "warn")
            case "syslog-method":
                journal.use_method(value or "")
            case "syslog-target":
                journal.use_target(value or "")
            case "log-file":
                journal.open_file(value or f"{logdir()}/{program}.log")
    return journal


def _drop(_severity: int, _text: str) -> None:
    """The method `null`."""


def _libc(program: str) -> Send:
    import syslog

    syslog.openlog(program, 0, syslog.LOG_DAEMON)
    return lambda severity, text: syslog.syslog(severity, text.replace("\0", ""))


def _datagrams(family: socket.AddressFamily, address: tuple[str, int] | str) -> Send:
    send = _datagram_socket(family, address)
    return lambda severity, text: send(f"<{_DAEMON << 3 | severity}>{text}".encode())


def _datagram_socket(family: socket.AddressFamily, address: tuple[str, int] | str) -> Callable[[bytes], None]:
    def send(data: bytes) -> None:
        try:
            with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
                sock.sendto(data, address)
        except OSError:
            return  # Nobody listens; the tool has better things to do than to wait or complain.

    return send


def _address(text: str) -> tuple[str, int] | None:
    host, colon, port = text.rpartition(":")
    return (host, int(port)) if colon and host and port.isascii() and port.isdigit() else None
