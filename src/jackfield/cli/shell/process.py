"""The commands that run and end the daemon, and those that become another program."""

from __future__ import annotations

import os

import click

from jackfield.client import control as running

_PASS_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command("daemon")
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


@click.command("stop")
@click.option("--cleanup", is_flag=True, help="Also remove every device, program and pin that it made.")
@click.option("--timeout", default=30.0, show_default=True, metavar="SECS", help="How long to wait for it.")
def stop_command(cleanup: bool, timeout: float) -> None:
    """End the daemon; its ports keep forwarding."""
    running.stop(cleanup, timeout)


@click.command("vsctl", context_settings=_PASS_ON, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def vsctl_command(words: tuple[str, ...]) -> int:
    """Configure the switch, as ovs-vsctl does."""
    from jackfield.cli.vsctl.run import main as vsctl

    return vsctl(list(words))


@click.command("ovsdb-server", context_settings=_PASS_ON, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def ovsdb_server_command(words: tuple[str, ...]) -> int:
    """Serve databases only, as ovsdb-server does."""
    from jackfield.ovsdbd.main import main as ovsdb_server

    return ovsdb_server(list(words))


@click.command("appctl", context_settings=_PASS_ON, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def appctl_command(words: tuple[str, ...]) -> int:
    """Send the daemon a control command, as ovs-appctl does."""
    from jackfield.cli.appctl import main as appctl

    return appctl(list(words))
