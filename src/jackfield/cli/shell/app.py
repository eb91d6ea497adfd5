"""The commands of `jackfield` for people. They are clients of the database and of the control socket only."""

from __future__ import annotations

import os
import sys

import click

from jackfield.cli.shell import adopt, bond, containers, docker, files, topology, views
from jackfield.cli.shell.lab import lab
from jackfield.cli.shell.output import show_json, show_table
from jackfield.cli.shell.service import install_service
from jackfield.client import control as running
from jackfield.client.errors import Failure

PROGRAM = "jackfield"
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
_PASS_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}


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


def _group_class() -> type[click.Group]:
    """Help in panels and colours for a terminal, in plain lines for a pipe."""
    if not sys.stdout.isatty():
        return click.Group
    from rich_click import RichGroup

    return RichGroup


@click.group(
    cls=_group_class(), invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
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


@cli.command("daemon")
@click.option("--detach", is_flag=True, help="Return when the switch is ready, and leave it running.")
@click.option("--dbdir", metavar="DIR", help="Directory of the database (default: $OVS_DBDIR).")
@click.option(
    "--db", metavar="REMOTE", help="Use an OVSDB server: unix:FILE, tcp:HOST:PORT or ssl:HOST:PORT."
)
@click.option("-p", "--private-key", metavar="FILE", default="", help="Private key, for --db=ssl:HOST:PORT.")
@click.option("-c", "--certificate", metavar="FILE", default="", help="Certificate for the private key.")
@click.option("-C", "--ca-cert", metavar="FILE", default="", help="Certificate of the server's authority.")
@click.option("--logdir", metavar="DIR", help="Directory of the log (default: $OVS_LOGDIR).")
@click.option("-v", "--verbose", multiple=True, metavar="SPEC", help="Log levels, as for vlog/set.")
def daemon_command(
    detach: bool,
    dbdir: str | None,
    db: str | None,
    private_key: str,
    certificate: str,
    ca_cert: str,
    logdir: str | None,
    verbose: tuple[str, ...],
) -> int:
    """Run the switch."""
    from jackfield.switchd.main import run

    rundir = os.environ.get("OVS_RUNDIR")
    keys = (private_key, certificate, ca_cert)
    return run(detach=detach, rundir=rundir, dbdir=dbdir, logdir=logdir, verbose=verbose, db=db, keys=keys)


@cli.command("stop")
@click.option("--cleanup", is_flag=True, help="Also remove every device, program and pin that it made.")
@click.option("--timeout", default=30.0, show_default=True, metavar="SECS", help="How long to wait for it.")
def stop_command(cleanup: bool, timeout: float) -> None:
    """End the daemon; its ports keep forwarding."""
    running.stop(cleanup, timeout)


@cli.command("status")
@_JSON
def status_command(as_json: bool) -> int:
    """Say whether the switch runs and what it lacks."""
    status = running.ask("jackfield/status")
    if as_json:
        show_json(status)
    else:
        views.show_status(status)
    return 0 if status.get("ready") else 1


@cli.command("show")
@_JSON
def show_command(as_json: bool) -> None:
    """Show bridges and ports."""
    found = topology.bridges(topology.fetch())
    if as_json:
        show_json(topology.as_json(found))
    elif found:
        show_table(views.TOPOLOGY, views.topology_rows(found))
    else:
        print("no bridges; `jackfield vsctl add-br NAME` makes one")


@cli.command("ports")
@_JSON
def ports_command(as_json: bool) -> None:
    """Show counters of ports and why frames were dropped."""
    answer = running.ask("jackfield/ports")
    if as_json:
        show_json(answer)
    else:
        views.show_ports(answer["ports"])


@cli.command("fdb")
@click.argument("bridge", required=False)
@_JSON
def fdb_command(bridge: str | None, as_json: bool) -> None:
    """Show the addresses that were learned, of all bridges or of one."""
    answer = running.ask("jackfield/fdb", *([bridge] if bridge is not None else []))
    if as_json:
        show_json(answer)
    else:
        show_table(views.FDB, views.fdb_rows(answer["entries"]))


@cli.command("check")
@_JSON
def check_command(as_json: bool) -> None:
    """Look at all that the switch has in the kernel and repair what somebody changed."""
    answer = running.ask("jackfield/check")
    if as_json:
        show_json(answer)
        return
    for step in answer["repaired"]:
        print(f"repaired: {step}")
    if not answer["repaired"]:
        print("all is as it should be; nothing had to be repaired")


@cli.command("vsctl", context_settings=_PASS_ON, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def vsctl_command(words: tuple[str, ...]) -> int:
    """Configure the switch, as ovs-vsctl does."""
    from jackfield.cli.vsctl.run import main as vsctl

    return vsctl(list(words))


@cli.command("ovsdb-server", context_settings=_PASS_ON, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def ovsdb_server_command(words: tuple[str, ...]) -> int:
    """Serve databases only, as ovsdb-server does."""
    from jackfield.ovsdbd.main import main as ovsdb_server

    return ovsdb_server(list(words))


@cli.command("appctl", context_settings=_PASS_ON, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def appctl_command(words: tuple[str, ...]) -> int:
    """Send the daemon a control command, as ovs-appctl does."""
    from jackfield.cli.appctl import main as appctl

    return appctl(list(words))


cli.add_command(install_service)
cli.add_command(lab)
files.register(cli)
adopt.register(cli)
containers.register(cli)
docker.register(cli)
bond.register(cli)
