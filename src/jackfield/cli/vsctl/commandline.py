"""The command line: options first, then commands joined by `--` (ovs-vsctl(8), "Options")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jackfield.cli import alarm
from jackfield.cli.journal import LOGGING_OPTIONS
from jackfield.cli.options import Argument, parse
from jackfield.cli.vsctl.context import Command, Syntax
from jackfield.cli.vsctl.errors import ControlError
from jackfield.cli.vsctl.tables import CELL_FORMATS, FORMATS, Style
from jackfield.cli.vsctl.tls import TlsOptions

GLOBAL_OPTIONS = {
    "db": Argument.REQUIRED,
    "no-syslog": Argument.NONE,
    "no-wait": Argument.NONE,
    "dry-run": Argument.NONE,
    "oneline": Argument.NONE,
    "timeout": Argument.REQUIRED,
    "retry": Argument.NONE,
    "help": Argument.NONE,
    "commands": Argument.NONE,
    "options": Argument.NONE,
    "leader-only": Argument.NONE,
    "no-leader-only": Argument.NONE,
    "shuffle-remotes": Argument.NONE,
    "no-shuffle-remotes": Argument.NONE,
    "version": Argument.NONE,
    **LOGGING_OPTIONS,
    "format": Argument.REQUIRED,
    "data": Argument.REQUIRED,
    "no-headings": Argument.NONE,
    "pretty": Argument.NONE,
    "bare": Argument.NONE,
    "max-column-width": Argument.REQUIRED,
    "private-key": Argument.REQUIRED,
    "certificate": Argument.REQUIRED,
    "ca-cert": Argument.REQUIRED,
    "ssl-protocols": Argument.REQUIRED,
    "ssl-ciphers": Argument.REQUIRED,
    "bootstrap-ca-cert": Argument.REQUIRED,
    "peer-ca-cert": Argument.REQUIRED,
}
_SHORT = {"t": "timeout", "h": "help", "V": "version", "v": "verbose", "f": "format", "d": "data",
          "p": "private-key", "c": "certificate", "C": "ca-cert"}  # fmt: skip


_PLAIN = Style()
_NO_TLS = TlsOptions()


class Options(NamedTuple):
    """The options for the whole line. `show` is "help", "version", "commands" or "options" to print that."""

    db: str | None = None
    wait: bool = True
    dry_run: bool = False
    oneline: bool = False
    timeout: int | None = None
    retry: bool = False
    shuffle: bool = True
    logging: tuple[tuple[str, str | None], ...] = ()
    tls: TlsOptions = _NO_TLS
    style: Style = _PLAIN
    show: str | None = None


def parse_line(arguments: Sequence[str], syntaxes: Mapping[str, Syntax]) -> tuple[Options, list[Command]]:
    """Parse a whole command line; raises ControlError, or OptionError with getopt's messages."""
    long = dict(GLOBAL_OPTIONS)
    for syntax in syntaxes.values():
        for option in syntax.options:
            long[option.strip("-=")] = Argument.REQUIRED if option.endswith("=") else Argument.NONE
    found, words = parse(arguments, long, _SHORT)
    options = Options()
    local: dict[str, str | None] = {}
    for name, value in found:
        if name in LOGGING_OPTIONS or name == "no-syslog":
            options = options._replace(logging=(*options.logging, (name, value)))
        elif name in GLOBAL_OPTIONS:
            options = _apply(options, name, value or "")
            if options.show:
                return options, []
        else:
            local[f"--{name}"] = value
    return options, _commands(words, local, syntaxes)


def _apply(options: Options, name: str, value: str) -> Options:
    style = options.style
    match name:
        case "help" | "version" | "commands" | "options":
            return options._replace(show=name)
        case "db":
            return options._replace(db=value)
        case "no-wait":
            return options._replace(wait=False)
        case "dry-run":
            return options._replace(dry_run=True)
        case "oneline":
            return options._replace(oneline=True)
        case "retry":
            return options._replace(retry=True)
        case "shuffle-remotes" | "no-shuffle-remotes":
            return options._replace(shuffle=name == "shuffle-remotes")
        case "private-key":
            return options._replace(tls=options.tls._replace(private_key=value))
        case "certificate":
            return options._replace(tls=options.tls._replace(certificate=value))
        case "ca-cert" | "bootstrap-ca-cert":
            bootstrap = name == "bootstrap-ca-cert"
            return options._replace(tls=options.tls._replace(ca_cert=value, bootstrap=bootstrap))
        case "ssl-protocols":
            return options._replace(tls=options.tls._replace(protocols=value))
        case "ssl-ciphers":
            return options._replace(tls=options.tls._replace(ciphers=value))
        case "peer-ca-cert":
            return options._replace(tls=options.tls._replace(peer_ca_cert=value))
        case "timeout":
            seconds = alarm.parse_seconds(value)
            if seconds is None:
                raise ControlError(f"value {value} on -t or --timeout is invalid")
            return options._replace(timeout=seconds)
        case "format":
            if value not in FORMATS:
                raise ControlError(f'unknown output format "{value}"')
            style = style._replace(format=value)
        case "data":
            if value not in CELL_FORMATS:
                raise ControlError(f'unknown data format "{value}"')
            style = style._replace(cells=value)
        case "no-headings":
            style = style._replace(headings=False)
        case "pretty":
            style = style._replace(pretty=True)
        case "bare":
            style = style._replace(format="list", cells="bare", headings=False)
        case "max-column-width":
            style = style._replace(width=int(value) if value.isascii() and value.isdigit() else 0)
    return options._replace(style=style)


def _commands(
    words: list[str], local: dict[str, str | None], syntaxes: Mapping[str, Syntax]
) -> list[Command]:
    missing = ControlError("missing command name (use --help for help)")
    commands: list[Command] = []
    group: list[str] = []
    for word in [*words, "--"]:
        if word != "--":
            group.append(word)
            continue
        if group:
            commands.append(_command(group, local, syntaxes))
            group, local = [], {}
        elif local:
            raise missing
    if not commands:
        raise missing
    return commands


def _command(words: list[str], local: Mapping[str, str | None], syntaxes: Mapping[str, Syntax]) -> Command:
    options = dict(local)
    rest = list(words)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if name in options:
            raise ControlError(f"'{word}' option specified multiple times")
        options[name] = value if equals else None
    if not rest:
        raise ControlError("missing command name (use --help for help)")
    name, *arguments = rest
    syntax = syntaxes.get(name)
    if syntax is None:
        raise ControlError(f"unknown command '{name}'; use --help for help")
    for option, given in options.items():
        _check_option(syntax, option, given)
    if len(arguments) < syntax.least:
        raise ControlError(f"'{name}' command requires at least {syntax.least} arguments")
    if syntax.most is not None and len(arguments) > syntax.most:
        hint = ""
        if any(word.startswith("-") for word in arguments):
            hint = ' (note that options must precede command names and follow a "--" argument)'
        raise ControlError(f"'{name}' command takes at most {syntax.most} arguments{hint}")
    return Command(syntax, options, arguments)


def _check_option(syntax: Syntax, option: str, given: str | None) -> None:
    if f"{option}=" in syntax.options:
        if given is None:
            raise ControlError(f"missing argument to '{option}' option on '{syntax.name}' command")
    elif option not in syntax.options:
        raise ControlError(f"'{syntax.name}' command has no '{option}' option")
    elif given is not None:
        raise ControlError(f"'{option}' option on '{syntax.name}' does not accept an argument")
