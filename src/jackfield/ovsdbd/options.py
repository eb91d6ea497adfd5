"""The command line of ovsdb-server(1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jackfield.cli.options import Argument, OptionError, parse
from jackfield.ovsdb.tls import TlsFiles
from jackfield.switchd.paths import Paths

PROGRAM = "ovsdb-server"

_N, _R, _O = Argument.NONE, Argument.REQUIRED, Argument.OPTIONAL
_LONG = {
    "bootstrap-ca-cert": _R,
    "ca-cert": _R,
    "certificate": _R,
    "detach": _N,
    "help": _N,
    "log-file": _O,
    "no-chdir": _N,
    "no-self-confinement": _N,
    "overwrite-pidfile": _N,
    "pidfile": _O,
    "private-key": _R,
    "remote": _R,
    "run": _R,
    "unixctl": _R,
    "verbose": _O,
    "version": _N,
}
_UNSUPPORTED = {
    "active": _N,
    "disable-file-column-diff": _N,
    "monitor": _N,
    "peer-ca-cert": _R,
    "record": _O,
    "replay": _O,
    "ssl-ciphers": _R,
    "ssl-protocols": _R,
    "sync-exclude-tables": _R,
    "sync-from": _R,
    "syslog-method": _R,
    "syslog-target": _R,
    "user": _R,
}
_SHORT = {"C": "ca-cert", "V": "version", "c": "certificate", "h": "help", "p": "private-key", "v": "verbose"}

USAGE = """\
{program}: a database server that speaks OVSDB
usage: {program} [OPTIONS] [DATABASE...]
where each DATABASE is a database file in OVSDB's standalone format.
Without one it is {database}.

Connections (may be given any number of times):
  --remote=REMOTE         connect to or listen on REMOTE:
                          punix:FILE, ptcp:PORT[:IP], pssl:PORT[:IP],
                          tcp:HOST:PORT, ssl:HOST:PORT,
                          db:DB,TABLE,COLUMN for those in a column
Keys for SSL (each a file, or db:DB,TABLE,COLUMN for one named there):
  -p, --private-key=FILE  private key
  -c, --certificate=FILE  certificate for the private key
  -C, --ca-cert=FILE      certificate of the peers' authority, or none

Process:
  --detach                run in the background
  --no-chdir              do not change to / with --detach
  --pidfile[=FILE]        write a pid file ({rundir}/{program}.pid)
  --overwrite-pidfile     also if one says that a server runs
  --unixctl=FILE          control socket, or none
  --run=COMMAND           run COMMAND in a shell and exit when it does

Logging:
  -vSPEC, --verbose=SPEC  set levels
  -v, --verbose           log everything
  --log-file[=FILE]       log to a file ({logdir}/{program}.log)

  -h, --help              show this
  -V, --version           show the version
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for. `show` is "help" or "version" if that is all.

    The paths in `tls` may be `db:DATABASE,TABLE,COLUMN`, for where the path is.
    """

    databases: tuple[Path, ...]
    remotes: tuple[str, ...] = ()
    tls: TlsFiles = field(default_factory=TlsFiles)
    detach: bool = False
    chdir: bool = True
    pidfile: Path | None = None
    overwrite_pidfile: bool = False
    unixctl: str | None = None
    run: str | None = None
    verbose: tuple[str, ...] = ()
    log_file: Path | None = None
    show: str | None = None


def parse_options(words: list[str], paths: Paths) -> Options:
    """The options in `words`; relative names are taken as OVS does. Raises OptionError."""
    given, names = _permuted(words)
    last: dict[str, str | None] = {}
    for name, value in given:
        if name in ("help", "version"):
            return Options((), show=name)
        if name in _UNSUPPORTED:
            raise OptionError(f"option '--{name}' is not supported")
        last[name] = value
    for name in names:
        if name.startswith("relay:"):
            raise OptionError(f"{name}: relay databases are not supported")
    databases = [Path(name).absolute() for name in names] or [paths.database]
    return Options(
        databases=tuple(dict.fromkeys(databases)),
        remotes=tuple(dict.fromkeys(value or "" for name, value in given if name == "remote")),
        tls=TlsFiles(
            private_key=last.get("private-key") or "",
            certificate=last.get("certificate") or "",
            ca_cert=last.get("bootstrap-ca-cert") or last.get("ca-cert") or "",
            bootstrap="bootstrap-ca-cert" in last,
        ),
        detach="detach" in last,
        chdir="no-chdir" not in last,
        pidfile=paths.rundir / (last["pidfile"] or f"{PROGRAM}.pid") if "pidfile" in last else None,
        overwrite_pidfile="overwrite-pidfile" in last,
        unixctl=last.get("unixctl"),
        run=last.get("run"),
        verbose=tuple(value or "any" for name, value in given if name == "verbose"),
        log_file=_log_file(last["log-file"], paths) if "log-file" in last else None,
    )


def usage(paths: Paths) -> str:
    """The text of --help."""
    return USAGE.format(program=PROGRAM, database=paths.database, rundir=paths.rundir, logdir=paths.logdir)


def _log_file(name: str | None, paths: Paths) -> Path:
    return Path(name).absolute() if name else paths.logdir / f"{PROGRAM}.log"


def _permuted(words: list[str]) -> tuple[list[tuple[str, str | None]], list[str]]:
    """Options and names, which may stand in any order up to a `--`."""
    given: list[tuple[str, str | None]] = []
    names: list[str] = []
    rest, behind = list(words), []
    if "--" in rest:
        at = rest.index("--")
        rest, behind = rest[:at], rest[at + 1 :]
    while rest:
        found, rest = parse(rest, _LONG | _UNSUPPORTED, _SHORT)
        given += found
        names += rest[:1]
        rest = rest[1:]
    return given, [*names, *behind]
