"""The commands of `jackfield` for people. They are clients of the database and of the control socket only."""

from __future__ import annotations

import os
import sys

import click

from jackfield.cli.shell.lazy import LazyGroup, rich_help
from jackfield.client.errors import Failure

PROGRAM = "jackfield"
COMMANDS = {
    "adopt": "adopt:adopt_command",
    "agent": "containers:agent_command",
    "appctl": "process:appctl_command",
    "apply": "files:apply_command",
    "attach": "containers:attach_command",
    "attachments": "containers:attachments_command",
    "bond": "bond:bond_command",
    "check": "look:check_command",
    "daemon": "process:daemon_command",
    "detach": "containers:detach_command",
    "docker": "docker:docker",
    "export": "files:export_command",
    "fdb": "look:fdb_command",
    "graph": "graph:graph_command",
    "import-bridge": "adopt:import_command",
    "install-service": "service:install_service",
    "lab": "lab:lab",
    "ovsdb-server": "process:ovsdb_server_command",
    "plan": "files:plan_command",
    "port": "port:port",
    "ports": "look:ports_command",
    "release": "adopt:release_command",
    "show": "look:show_command",
    "status": "look:status_command",
    "stop": "process:stop_command",
    "vsctl": "process:vsctl_command",
}
"""Where the commands are: a module beside this one, loaded when its command is used, and a name in it."""


def main(words: list[str]) -> int:
    """Run the command line and return its exit code: 0, 1 refused or failed, 2 usage."""
    try:
        result = cli.main(args=words, prog_name=PROGRAM, standalone_mode=False)
    except Failure as failure:
        print(f"{PROGRAM}: {failure}", file=sys.stderr)
        return 1
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context is not None else PROGRAM
        print(f"{where}: {error.format_message()} (`{where} --help` helps)", file=sys.stderr)
        return error.exit_code
    except click.Abort as abort:
        raise KeyboardInterrupt from abort
    return result if isinstance(result, int) else 0


@click.group(
    cls=rich_help(LazyGroup) if sys.stdout.isatty() else LazyGroup,
    lazy=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--rundir", metavar="DIR", help="Directory of the switch's sockets and pid file (default: $OVS_RUNDIR)."
)
@click.version_option(None, "-V", "--version", package_name="jackfield", prog_name=PROGRAM)
@click.pass_context
def cli(context: click.Context, rundir: str | None) -> None:
    """A virtual Ethernet switch for Linux hosts, driven by Open vSwitch's tools."""
    if rundir is not None:
        os.environ["OVS_RUNDIR"] = rundir
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(2)
