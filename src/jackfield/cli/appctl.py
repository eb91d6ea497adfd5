"""`jackfield appctl`: a command to a daemon's control socket, with the arguments of ovs-appctl(8) 3.1.

Messages begin with `ovs-appctl: ` as the original's do, so scripts that match them work.
"""

from __future__ import annotations

import errno
import json
import sys

from jackfield.cli import alarm
from jackfield.cli.environment import version_line
from jackfield.cli.journal import LOGGING_OPTIONS, Journal, JournalError, open_journal
from jackfield.cli.options import Argument, OptionError, parse
from jackfield.client.target import TargetError, control_socket
from jackfield.wire import unixctl
from jackfield.wire.blocking import Connection, ConnectionFailed

PROGRAM = "ovs-appctl"
DEFAULT_TARGET = "ovs-vswitchd"

_LONG = {
    "target": Argument.REQUIRED,
    "execute": Argument.NONE,
    "help": Argument.NONE,
    "option": Argument.NONE,
    "version": Argument.NONE,
    "timeout": Argument.REQUIRED,
    "format": Argument.REQUIRED,
    "pretty": Argument.NONE,
    **LOGGING_OPTIONS,
}
_SHORT = {"t": "target", "e": "execute", "h": "help", "o": "option", "V": "version", "T": "timeout",
          "f": "format", "v": "verbose"}  # fmt: skip

_HELP = """\
jackfield appctl: ask or tell a running switch daemon something
usage: jackfield appctl [OPTIONS] COMMAND [ARG...]

  -t, --target=TARGET   the daemon: its name, or the path of its control socket
                        (default: ovs-vswitchd)
  -T, --timeout=SECS    give up after SECS seconds
  -f, --format=FORMAT   "text" (default) or "json", which wraps the reply
      --pretty          indent JSON
  -h, --help            this text
  -V, --version         the version

`jackfield appctl list-commands` lists what the daemon understands.
"""


class _Fatal(Exception):
    """A sentence for the user; the tool ends with exit code 1."""


def main(arguments: list[str]) -> int:
    """Run `jackfield appctl` and return its exit code: 0, 1 for no connection, 2 when the daemon refuses."""
    try:
        options, words = parse(arguments, _LONG, _SHORT)
        return _run(options, words)
    except (OptionError, JournalError, _Fatal) as error:
        if str(error):
            print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1


def _run(options: list[tuple[str, str | None]], words: list[str]) -> int:
    given = dict(options)
    if "help" in given:
        print(_HELP, end="")
        return 0
    if "option" in given:
        for name, kind in _LONG.items():
            print(f"--{name}{'' if kind is Argument.NONE else '=ARG'}")
        return 0
    if "version" in given:
        print(version_line(PROGRAM))
        return 0
    names = [name for name, _ in options]
    for name in ("target", "execute"):
        if names.count(name) > 1:
            raise _Fatal(f"-{name[0]} or --{name} may be specified only once")
    if given.get("format") not in (None, "text", "json"):
        raise _Fatal(f"unsupported output format: {given['format']}")
    journal = open_journal(PROGRAM, options)
    seconds: int | None = None
    if (text := given.get("timeout")) is not None:
        seconds = alarm.parse_seconds(text)
        if seconds is None:
            raise _Fatal(f"value {text} on -T or --timeout is invalid")
    alarm.arm(seconds, journal)
    if not words:
        raise _Fatal("at least one non-option argument is required (use --help for help)")
    target = given.get("target") or DEFAULT_TARGET
    with _connect(target, journal) as connection:
        return _transact(connection, target, words, given, journal)


def _connect(target: str, journal: Journal) -> Connection:
    try:
        path = control_socket(target)
    except TargetError as error:
        if error.errno != errno.ESRCH:
            journal.warn("daemon_unix", f"{error.filename}: open: {error.strerror}")
        raise _Fatal(f'cannot read pidfile "{error.filename}" ({error.strerror})') from error
    try:
        return Connection.open_unix(path)
    except ConnectionFailed as error:
        journal.warn("unixctl", f"failed to connect to {path}")
        raise _Fatal(f'cannot connect to "{path}" ({error.strerror})') from error


def _transact(
    connection: Connection,
    target: str,
    words: list[str],
    given: dict[str, str | None],
    journal: Journal,
) -> int:
    try:
        text = unixctl.transact(connection, words[0], words[1:])
    except unixctl.CommandRefused as refusal:
        body = str(refusal)
        print(body, end="" if body.endswith("\n") or not body else "\n", file=sys.stderr)
        print(f"{PROGRAM}: {target}: server returned an error", file=sys.stderr)
        return 2
    except ConnectionFailed as error:
        journal.warn("unixctl", f"error communicating with {target}: {error.strerror}")
        raise _Fatal(f"{target}: transaction error ({error.strerror})") from error
    print(_formatted(text, given), end="")
    return 0


def _formatted(text: str, given: dict[str, str | None]) -> str:
    if given.get("format") != "json":
        return text
    try:
        reply: object = json.loads(text)
    except ValueError:
        reply = {"reply-format": "plain", "reply": text}
    if "pretty" in given:
        return json.dumps(reply, ensure_ascii=False, indent=2) + "\n"
    return json.dumps(reply, ensure_ascii=False, separators=(",", ":")) + "\n"
