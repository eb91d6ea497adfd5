"""What `vsctl` says about itself."""

from __future__ import annotations

from collections.abc import Iterable

from jackfield.cli.environment import version_line
from jackfield.cli.options import Argument
from jackfield.cli.vsctl import attach, control, database, datapaths, show, switch
from jackfield.cli.vsctl.commandline import GLOBAL_OPTIONS
from jackfield.cli.vsctl.context import Syntax
from jackfield.cli.vsctl.registry import SYNTAXES
from jackfield.client.target import rundir

_SCHEMA_VERSION = "8.3.1"

_OPTIONS = """\
Options:
  --db=DATABASE             the database: unix:PATH, tcp:HOST[:PORT] or ssl:HOST[:PORT], or several
                            with commas between; or punix:PATH, ptcp:PORT[:HOST] or pssl:PORT[:HOST]
                            to let it connect (default: unix:{rundir}/db.sock)
  -p, --private-key=FILE; -c, --certificate=FILE; -C, --ca-cert=FILE
                            PEM files for ssl: and pssl: (CA "none": any peer will do)
  --bootstrap-ca-cert=FILE  the same as --ca-cert, but let the first peer bring it along
  --ssl-protocols=LIST, --ssl-ciphers=LIST
                            TLS 1.2 and 1.3 are spoken, no older version
  --no-wait                 do not wait until the switch has taken on the change
  -t, --timeout=SECS        give up after SECS seconds, with exit code 142
  --retry                   keep trying until the database can be reached
  --dry-run                 check everything, change nothing
  --oneline                 one line of output a command
  -f, --format=FORMAT       tables as list (default), table, csv, html or json
  -d, --data=FORMAT         cells as string (default), bare or json
  --no-headings, --pretty, --bare, --max-column-width=N
  -v, --verbose=SPEC        what to log where: [MODULE:][console|syslog|file:]LEVEL, as in "console:off"
  --log-file[=FILE]         log to a file, too
  --syslog-method=METHOD    libc, null, unix:PATH or udp:IP:PORT
  --no-syslog               do not log this command line
  --no-shuffle-remotes      try several remotes in the order given
  --leader-only, --no-leader-only, --peer-ca-cert=FILE, --syslog-target=HOST:PORT
                            accepted for the sake of existing scripts
  --commands, --options     machine-readable lists
  -h, --help; -V, --version
"""


def page(name: str) -> str:
    """The text of --help, --version, --commands or --options."""
    match name:
        case "version":
            return f"{version_line('ovs-vsctl')}\nDB Schema {_SCHEMA_VERSION}\n"
        case "commands":
            return "".join(f"{_command(syntax)}\n" for syntax in SYNTAXES.values())
        case "options":
            return "".join(
                f"--{option}{'' if kind is Argument.NONE else '=ARG'}\n"
                for option, kind in GLOBAL_OPTIONS.items()
            )
    return _help()


def _command(syntax: Syntax) -> str:
    options = "".join(f"[{option}] " for option in syntax.options)
    return f"{options},{syntax.name},{syntax.arguments}"


def _help() -> str:
    sections = [
        "jackfield vsctl: configure the switch, with the commands of ovs-vsctl(8)\n"
        "usage: jackfield vsctl [OPTIONS] COMMAND [ARG...] [-- COMMAND [ARG...]]...\n",
        _section("Bridges, ports and interfaces", (*show.COMMANDS, *switch.COMMANDS)),
        _section("Controllers, managers and SSL", control.COMMANDS),
        _section("Auto-attach", attach.COMMANDS),
        _section("Datapaths and connection tracking zones", datapaths.COMMANDS),
        _section("Any table of the database", database.COMMANDS),
        _OPTIONS.format(rundir=rundir()),
    ]
    return "\n".join(sections)


def _section(title: str, syntaxes: Iterable[Syntax]) -> str:
    lines = []
    for syntax in syntaxes:
        options = "".join(f"[{o}{'ARG' if o.endswith('=') else ''}] " for o in syntax.options)
        lines.append(f"  {options}{syntax.name} {syntax.arguments}".rstrip())
    return "\n".join([f"{title}:", *lines, ""])
